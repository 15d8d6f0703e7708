package middleware

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// send answers a request with a stored response: whole, its header, a part of
// it, or the news that the client has it already. status goes into Cache-Status.
// It ends the chain of handlers. After an error of a write, whoever is above may still be
// reading the body.
func (c *Cache) send(v visit, e *stored.Entry, age time.Duration, status []byte) error {
	v.stop()
	w, r := v.writer(), v.request()
	h := w.Header()
	encoded := len(h["Content-Encoding"]) > 0
	values := stored.Apply(h, e.Fields, make([]string, 0, e.Lines()+computedLines))
	if c.opts.HideTags {
		hideTags(h)
	}
	if encoded { // above the cache: length and tag are not those of what is sent
		delete(h, "Content-Length")
		if e.MadeETag {
			h["Etag"] = []string{"W/" + strings.TrimPrefix(e.Get("Etag"), "W/")}
		}
	}
	length := computed(h, age, status, len(e.Body), values)
	success := e.Status/100 == 2
	switch {
	case success && policy.IsConditional(r.Header) && policy.NotModified(r.Header, e.Selected(), c.now()):
		dropRepresentation(h)
		w.WriteHeader(http.StatusNotModified)
	case e.Status == http.StatusOK && r.Method == http.MethodGet && wantsRange(r) && len(e.Body) > 0 && !encoded && mayCut(w, r, e):
		sendRange(w, r, e, c.now())
	default:
		if bodyAllowed(e.Status) && !e.Unsent && !encoded && takesLength(w) {
			h["Content-Length"] = length
		}
		return sendWhole(w, e)
	}
	return nil
}

// hideTags removes what groups responses for caches.
func hideTags(h http.Header) {
	delete(h, "Cache-Tag")
	delete(h, "Surrogate-Key")
}

// takesLength reports whether to state the length of a body of which the handler did
// not. Middleware with a writer of its own on gin's might take that for the handler's
// word, and not compress, say.
func takesLength(w http.ResponseWriter) bool {
	_, isGin := w.(interface{ WriteHeaderNow() })
	_, unwraps := w.(interface{ Unwrap() http.ResponseWriter }) // gin's own does
	return !isGin || unwraps
}

// computedLines is how many values computed appends.
const computedLines = 3

// computed sets Age and appends to Cache-Status, and returns a value for
// Content-Length. The values are appended to room. They take one allocation, which each
// hit makes.
func computed(h http.Header, age time.Duration, status []byte, size int, room []string) (length []string) {
	b := make([]byte, 0, 128)
	b = strconv.AppendInt(b, int64(age/time.Second), 10)
	i := len(b)
	b = append(b, status...)
	j := len(b)
	b = strconv.AppendInt(b, int64(size), 10)
	text := string(b)
	start := len(room)
	values := append(room, text[:i], text[i:j], text[j:])[start:]
	h["Age"] = values[0:1:1]
	if before := h[statusField]; len(before) > 0 {
		h[statusField] = append(before, values[1])
	} else {
		h[statusField] = values[1:2:2]
	}
	return values[2:3:3]
}

func dropRepresentation(h http.Header) {
	for name := range h {
		if policy.IsRepresentation(name) {
			delete(h, name)
		}
	}
}

func sendWhole(w http.ResponseWriter, e *stored.Entry) error {
	switch {
	case e.Unsent:
		w.WriteHeader(e.Status) // what is above sends it, and may decide how
		return nil
	case !bodyAllowed(e.Status) || len(e.Body) == 0 && !e.Wrote:
		sendHeader(w, e.Status)
		return nil
	}
	if !e.Implied || e.Status != statusOf(w) {
		w.WriteHeader(e.Status)
	}
	// Also to HEAD, as most handlers do: what is above looks at it, and net/http does
	// not send it.
	_, err := w.Write(e.Body)
	return err
}

// statusOf is the status that the first byte implies.
func statusOf(w http.ResponseWriter) int {
	if lazy, ok := w.(interface{ Status() int }); ok {
		return lazy.Status()
	}
	return http.StatusOK
}

// maxRanges bounds the parts of a page that one request may ask for: each costs a
// header of its own, whatever its length (RFC 9110, section 17.15).
const maxRanges = 16

// wantsRange reports whether to cut parts from a response: not of a unit that
// nobody here knows (RFC 9110, section 14.2).
func wantsRange(r *http.Request) bool {
	lines := r.Header["Range"]
	return len(lines) > 0 && strings.HasPrefix(lines[0], "bytes=") && strings.Count(lines[0], ",") < maxRanges
}

// mayCut reports whether a part goes out as it is cut. Middleware above that decides to
// compress when it sees the header would make Content-Range wrong, unless it sees that
// the response is coded already, or that the client takes no coding and says so: it may
// have removed what the client says. Where the handler cuts parts itself, they are as
// wrong without the cache.
func mayCut(w http.ResponseWriter, r *http.Request, e *stored.Entry) bool {
	if connected(w) || len(w.Header()["Content-Encoding"]) > 0 || e.Get("Accept-Ranges") == "bytes" {
		return true
	}
	lines := r.Header["Accept-Encoding"]
	codings := policy.AcceptEncoding(lines)
	return len(lines) > 0 && (codings == "" || codings == "*;q=0")
}

// sendRange leaves the arithmetic of ranges, and If-Range, to net/http.
func sendRange(w http.ResponseWriter, r *http.Request, e *stored.Entry, now time.Time) {
	partial := &http.Request{Method: http.MethodGet, Header: http.Header{"Range": r.Header["Range"]}}
	if lines := r.Header["If-Range"]; len(lines) > 0 {
		partial.Header["If-Range"] = lines
	}
	modified, _ := policy.ParseDate(e.Get("Last-Modified"), now)
	delete(w.Header(), "Content-Length")
	http.ServeContent(w, partial, "", modified, bytes.NewReader(e.Body))
}

func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}
