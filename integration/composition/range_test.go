package composition_test

import (
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
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
	if x.got.header.Get("Content-Encoding") != "" {
		whole = x.want.raw
	}
	said := x.got.header.Get("Content-Range")
	switch {
	case strings.HasPrefix(x.want.body, "tokens: "): // random: parts of it are not alike
		x.got.answer = x.want.answer
	case x.page() == "flushed" && x.got.status == http.StatusPartialContent && slices.ContainsFunc(x.site.below, func(l layer) bool { return l.compressor }):
		x.got.answer = x.want.answer // coded in pieces, which come to other bytes
	case (x.hit || x.confirmed) && x.got.status == http.StatusOK && x.want.status == http.StatusRequestedRangeNotSatisfiable &&
		slices.ContainsFunc(append(slices.Clone(x.site.around), x.site.above...), func(l layer) bool { return l.compressor }):
		x.got.answer = x.want.answer // no ranges are cut below compression, and anybody may ignore Range
	case x.got.status == http.StatusRequestedRangeNotSatisfiable && x.want.status == x.got.status:
		delete(x.got.header, "Accept-Ranges")
		delete(x.want.header, "Accept-Ranges")
	case x.want.status != http.StatusOK:
	case x.got.status == http.StatusRequestedRangeNotSatisfiable:
		// What else is in its header, net/http decides.
		if said == fmt.Sprintf("bytes */%d", len(x.want.body)) || said == fmt.Sprintf("bytes */%d", len(x.want.raw)) {
			x.got.answer = x.want.answer
		}
	case x.got.status == http.StatusPartialContent && isPart(x.got.header.Get("Content-Type"), said, x.got.raw, whole):
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
func isPart(mediaType, contentRange, body, whole string) bool {
	kind, params, _ := mime.ParseMediaType(mediaType)
	if kind != "multipart/byteranges" {
		var from, to, total int
		n, err := fmt.Sscanf(contentRange, "bytes %d-%d/%d", &from, &to, &total)
		return n == 3 && err == nil && total == len(whole) && from <= to && to < total && body == whole[from:to+1]
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
		if err != nil || !isPart("", part.Header.Get("Content-Range"), string(text), whole) {
			return false
		}
	}
}
