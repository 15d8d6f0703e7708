package middleware

import (
	"net/http"
	"slices"

	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// judge decides whether the response is stored.
func (f *fill) judge(status int, header http.Header) {
	effective := f.effective(header)
	f.verdict = policy.Evaluate(f.response(status, effective), f.cache.policy)
	if f.verdict.Store && f.touched() {
		f.verdict = policy.Verdict{Reason: "session"}
	}
	if f.request.Method != http.MethodGet && f.verdict.Store {
		f.verdict = policy.Verdict{Reason: "method"}
	}
	if len(f.request.Header["Range"]) > 0 && status != http.StatusOK && f.verdict.Store {
		f.verdict = policy.Verdict{Reason: "range"} // about a part, if not about the range itself
	}
	if f.private && f.verdict.Store {
		f.verdict = policy.Verdict{Reason: f.detail}
	}
	if f.verdict.Store && max(f.rec.declared(), int64(f.rec.first)) > f.rec.limit {
		f.verdict = policy.Verdict{Reason: "too-large"}
	}
	if f.verdict.Store {
		f.vary = policy.VaryFields(effective["Vary"])
		f.fields = stored.Delta(f.rec.before, header, policy.Unstorable(header, f.verdict.Omit))
		if e := (&stored.Entry{Full: f.full, Fields: f.fields}); e.Overhead() > stored.MaxOverhead {
			f.verdict = policy.Verdict{Reason: "too-large"}
		}
	}
	if n := len(stored.UniqueTags(stored.TagsOf(f.fields))); f.verdict.Store && (n > maxTags || n > 0 && !f.hasPurges) {
		f.verdict = policy.Verdict{Reason: "tags"} // could not be purged by them
	}
}

// effective is the header as policy must see it: without what middleware above
// the cache adds to every response anew.
func (f *fill) effective(header http.Header) http.Header {
	h := header.Clone()
	above := f.rec.before
	if live, lines := above["Set-Cookie"], h["Set-Cookie"]; len(lines) >= len(live) && slices.Equal(live, lines[:len(live)]) {
		h["Set-Cookie"] = lines[len(live):]
	}
	h["Vary"] = withoutLive(above["Vary"], h["Vary"], len(h["Content-Encoding"]) > len(above["Content-Encoding"]))
	return h
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

func (f *fill) response(status int, header http.Header) *policy.Response {
	return &policy.Response{
		Status: status, Header: header, Requested: f.called, Received: f.received,
		Authorized: len(f.original.Header["Authorization"]) > 0,
	}
}

func (f *fill) touched() bool {
	if f.last != nil && sessionTouched(f.g, f.last) {
		return true
	}
	return sessionTouched(f.g, f.original, f.request, f.g.Request)
}
