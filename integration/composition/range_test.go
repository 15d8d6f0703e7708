package composition_test

import (
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// cutRange makes of the part that the cache sent the whole page of the handler, if it
// is a part of it.
func cutRange(x *exchange) {
	if x.ask.part == "" {
		return
	}
	whole := x.want.body
	if x.coded {
		whole = x.want.raw
	}
	said := x.got.header.Get("Content-Range")
	switch {
	case x.got.status == http.StatusPartialContent && x.want.status == http.StatusOK && secrets.MatchString(x.want.body): // random: parts of it are not alike
		if isPartOfTokens(x) {
			x.got.answer = x.want.answer
		}
	case x.got.status == http.StatusRequestedRangeNotSatisfiable && x.want.status == http.StatusOK && x.want.header.Get("Content-Encoding") != "" && secrets.MatchString(x.want.body):
		x.got.answer = x.want.answer // random tokens, coded, have no certain length
	case x.page() == "flushed" && x.got.status == http.StatusPartialContent && slices.ContainsFunc(x.site.below, func(l layer) bool { return l.compressor }):
		x.got.answer = x.want.answer // coded in pieces, which come to other bytes
	case (x.hit || x.confirmed) && x.got.status == http.StatusOK && x.want.status == http.StatusRequestedRangeNotSatisfiable &&
		slices.ContainsFunc(append(slices.Clone(x.site.around), x.site.above...), func(l layer) bool { return l.compressor }):
		x.got.answer = x.want.answer // no ranges are cut below compression, and anybody may ignore Range
	case (x.hit || x.confirmed) && x.got.status == http.StatusRequestedRangeNotSatisfiable && x.want.status == x.got.status &&
		slices.ContainsFunc(x.site.below, func(l layer) bool { return l.compressor }):
		x.got.answer = x.want.answer // the page that was chosen is the coded one, which has another length
	case (x.hit || x.confirmed) && x.got.status == http.StatusOK && x.want.status == http.StatusPartialContent &&
		slices.ContainsFunc(append(slices.Clone(x.site.around), x.site.above...), func(l layer) bool { return l.compressor }) &&
		isPart(x.want.header.Get("Content-Type"), x.want.header.Get("Content-Range"), x.want.raw, x.got.body, alike):
		x.got.answer = x.want.answer // likewise, of what is too short to be compressed
	case x.got.status == http.StatusRequestedRangeNotSatisfiable && x.want.status == x.got.status:
		delete(x.got.header, "Accept-Ranges")
		delete(x.want.header, "Accept-Ranges")
		if x.hit && slices.ContainsFunc(x.site.below, func(l layer) bool { return l.compressor }) { // of the page that is coded
			delete(x.got.header, "Content-Range")
			delete(x.want.header, "Content-Range")
		}
	case x.want.status != http.StatusOK:
	case x.got.status == http.StatusRequestedRangeNotSatisfiable:
		// What else is in its header, net/http decides.
		if said == fmt.Sprintf("bytes */%d", len(x.want.body)) || said == fmt.Sprintf("bytes */%d", len(x.want.raw)) {
			x.got.answer = x.want.answer
		}
	case x.got.status == http.StatusPartialContent && isPart(x.got.header.Get("Content-Type"), said, x.got.raw, whole, alike):
		x.got.status, x.got.body = http.StatusOK, x.want.body
		x.got.header["Content-Type"] = x.want.header["Content-Type"]
		for _, name := range []string{"Content-Range", "Accept-Ranges"} {
			delete(x.got.header, name)
			delete(x.want.header, name)
		}
	case x.got.status == http.StatusOK:
		delete(x.got.header, "Accept-Ranges") // what the visitor has is still good
		delete(x.want.header, "Accept-Ranges")
	}
}

// isPart reports whether body is what Content-Range says of whole, or, if it has
// several parts, whether each is.
func isPart(mediaType, contentRange, body, whole string, alike func(part, whole string, from int) bool) bool {
	kind, params, _ := mime.ParseMediaType(mediaType)
	if kind != "multipart/byteranges" {
		var from, to, total int
		n, err := fmt.Sscanf(contentRange, "bytes %d-%d/%d", &from, &to, &total)
		return n == 3 && err == nil && total == len(whole) && from <= to && to < total && len(body) == to+1-from && alike(body, whole, from)
	}
	parts := multipart.NewReader(strings.NewReader(body), params["boundary"])
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if err == io.EOF {
			return n > 0
		}
		if err != nil {
			return false
		}
		text, err := io.ReadAll(part)
		if err != nil || !isPart("", part.Header.Get("Content-Range"), string(text), whole, alike) {
			return false
		}
	}
}

// isPartOfTokens reports whether a part is of a page with tokens, which differ each time,
// and has none of another visitor. Of a page that is coded only the form is known.
func isPartOfTokens(x *exchange) bool {
	part, said, whole := x.got.raw, x.got.header.Get("Content-Range"), x.want.raw
	for _, secret := range secrets.FindAllString(x.got.body, -1) {
		if !strings.Contains(x.want.body, secret) {
			return false
		}
	}
	if x.got.header.Get("Content-Encoding") != "" {
		return part != "" && (said != "" || strings.HasPrefix(x.got.header.Get("Content-Type"), "multipart/byteranges"))
	}
	return isPart(x.got.header.Get("Content-Type"), said, part, whole, alikeButTokens)
}

// secrets are what stands for tokens in what a visitor has seen.
var secrets = regexp.MustCompile(`secret \d+ of \w+`)

// alikeButTokens reports whether part is what stands in whole from an offset on, but for
// what is in the place of tokens.
func alikeButTokens(part, whole string, from int) bool {
	random := tokens.FindAllStringIndex(whole, -1)
	for i := range len(part) {
		at := from + i
		if part[i] != whole[at] && !slices.ContainsFunc(random, func(span []int) bool { return span[0] <= at && at < span[1] }) {
			return false
		}
	}
	return true
}

// alike reports whether part is what stands in whole from an offset on.
func alike(part, whole string, from int) bool { return part == whole[from:from+len(part)] }

// isCodedPart reports whether an answer is a part of a page that somebody has coded after
// it was cut.
func isCodedPart(contentRange string, a answer, page string) bool {
	if a.status != http.StatusPartialContent || a.header.Get("Content-Encoding") == "" {
		return false
	}
	a.status = http.StatusOK // of which the whole body is coded
	part := decoded(a)
	if strings.HasPrefix(a.header.Get("Content-Type"), "multipart/byteranges") {
		part = a.raw // see oneBoundary
	}
	return a.raw == "" || isPart(a.header.Get("Content-Type"), contentRange, part, page, alike)
}
