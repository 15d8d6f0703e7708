package middleware

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// judge decides whether the response is stored.
func (f *fill) judge(status int, header http.Header) {
	effective := f.effective(header)
	f.verdict = policy.Evaluate(f.response(status, effective), f.cache.policy)
	if !f.verdict.Store {
		return
	}
	f.vary = policy.VaryFields(effective["Vary"])
	f.fields = stored.Delta(f.rec.before, header, f.unstorable(header))
	f.tagNames = f.tagsOf(header)
	if reason, refused := f.refusal(status); refused {
		f.verdict = policy.Verdict{Reason: reason}
	}
}

// refusal returns why a response is not stored that policy would store, if anything
// speaks against it.
func (f *fill) refusal(status int) (reason string, refused bool) {
	switch {
	case f.touched():
		reason = "session"
	case f.rec.unkeyed:
		reason = "query"
	case f.rec.ctx.Err() != nil:
		reason = "cancelled" // a layer may state the length of what was cut short
	case f.rec.wrong() != "":
		reason = f.rec.wrong()
	case f.rec.silent:
		reason = "empty"
	case f.request.Method != http.MethodGet:
		reason = "method"
	case len(f.request.Header["Range"]) > 0 && status != http.StatusOK:
		reason = "range" // about a part, if not about the range itself
	case f.private:
		reason = f.detail
	case max(f.rec.declared(), int64(f.rec.first)) > f.rec.limit:
		reason = "too-large"
	case slices.ContainsFunc(f.vary, func(name string) bool { return !policy.IsFieldName(name) }):
		reason = "vary"
	case (&stored.Entry{Key: f.name, Fields: f.fields}).Overhead() > stored.MaxOverhead:
		reason = "too-large"
	case !stored.Sendable(f.fields, f.rec.declared()):
		reason = "header" // net/http sends it changed
	case len(f.tagNames) > stored.MaxTags, len(f.tagNames) > 0 && !f.hasPurges:
		reason = "tags" // could not be purged by them
	default:
		return "", false
	}
	return reason, true
}

// tagsOf returns the names of the tags of a response with this header.
func (f *fill) tagsOf(header http.Header) []stored.TagName {
	return append(stored.UniqueTags(stored.TagsOf(header)), f.cache.pathTags(f.original)...)
}

// unstorable returns which fields of a response are not stored.
func (f *fill) unstorable(header http.Header) func(name string) bool {
	skip := policy.Unstorable(header, f.verdict.Omit)
	return func(name string) bool { return skip(name) || f.cache.isVisitors(name) }
}

// effective is the header as policy must see it: without what middleware above
// the cache adds to every response anew. A response that was coded varies on
// Accept-Encoding also where its Vary does not say so, or another layer took that away.
func (f *fill) effective(header http.Header) http.Header {
	h := f.cache.withoutAbsences(header).Clone()
	above := f.rec.before
	h["Set-Cookie"] = f.ownCookies(header)
	coded := len(h["Content-Encoding"]) > len(above["Content-Encoding"])
	h["Vary"] = withoutLive(above["Vary"], h["Vary"], coded)
	if coded {
		h["Vary"] = append(slices.Clone(h["Vary"]), "Accept-Encoding")
	}
	if f.answersOrigin(header) {
		h["Vary"] = append(slices.Clone(h["Vary"]), "Origin")
	}
	return h
}

// answersOrigin reports whether a response that varies on Origin, because middleware
// above says so, may be the handler's answer to it: that middleware has not answered
// it, or the handler has as well.
func (f *fill) answersOrigin(header http.Header) bool {
	above := f.rec.before
	if !slices.Contains(policy.VaryFields(above["Vary"]), "Origin") {
		return false
	}
	for name, lines := range header {
		if strings.HasPrefix(name, "Access-Control-") && !slices.Equal(lines, above[name]) {
			return true
		}
	}
	return len(above["Access-Control-Allow-Origin"]) == 0
}

// withoutLive drops from Vary what middleware above the cache put there because
// of fields that it answers itself each time: CORS, and compression unless the
// handler compresses too. Other fields may well decide what the handler does.
func withoutLive(above, lines []string, encoded bool) []string {
	if len(above) == 0 || len(lines) < len(above) {
		return lines
	}
	var kept []string
	for _, field := range policy.VaryFields(above) {
		switch field {
		case "Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers":
		case "Accept-Encoding":
			if encoded {
				kept = append(kept, field)
			}
		default:
			kept = append(kept, field)
		}
	}
	for i, line := range lines {
		if i >= len(above) || line != above[i] {
			kept = append(kept, line)
		}
	}
	return kept
}

// ownCookies returns the Set-Cookie lines that count: those that nobody above had put
// there already, unless they are neutral.
func (f *fill) ownCookies(header http.Header) []string {
	lines, above := header["Set-Cookie"], f.rec.before["Set-Cookie"]
	if len(lines) >= len(above) && slices.Equal(above, lines[:len(above)]) {
		lines = lines[len(above):]
	}
	if f.cache.opts.StoreSetCookie || f.cache.setsCookie(lines) {
		return lines
	}
	return nil
}

func (f *fill) response(status int, header http.Header) *policy.Response {
	r := &policy.Response{
		Status: status, Header: header, Requested: f.called, Received: f.received,
		Authorized: authorized(f.original.Header),
	}
	if f.cache.opts.Lifetime != nil {
		r.Choose = func(stated time.Duration) time.Duration {
			return f.cache.withUnit(f.cache.opts.Lifetime(f.original, status, header, stated))
		}
	}
	return r
}

// withUnit returns a lifetime that Options.Lifetime chose, or one that forbids storing
// where that can only be a duration without a unit.
func (c *Cache) withUnit(chosen time.Duration) time.Duration {
	if chosen <= 0 || chosen >= time.Millisecond {
		return chosen
	}
	if c.unitLog.due(c.now()) {
		c.opts.Logger.Warn(fmt.Sprintf("middleware: Options.Lifetime returned %v: durations have units, as in 60*time.Second", chosen))
	}
	return -1
}
