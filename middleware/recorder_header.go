package middleware

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// canonicalize spells names that somebody put into the map as he likes the way
// everyone else looks for them.
func canonicalize(h http.Header) {
	for name, values := range h {
		if canonical := http.CanonicalHeaderKey(name); canonical != name {
			delete(h, name)
			h[canonical] = append(h[canonical], values...)
		}
	}
}

// compare is called before the writer below is. What changed the header since its last
// call was not it.
func (w *recorder) compare() {
	if w.records() && w.sent != nil && !sameButLength(w.Header(), w.sent) {
		w.altered = true
	}
}

// handedOn is called after the writer below was. It may have changed the header: put
// into it the cookie of a visitor, or how it compresses.
func (w *recorder) handedOn() {
	first := w.sent == nil
	if !first && (!w.records() || sameButLength(w.Header(), w.sent)) {
		return
	}
	w.sent = w.Header().Clone()
	if w.lateCookie() || w.latePrivate() {
		w.drop()
	}
}

// guess notes, before the first flush, of how much of the body net/http guesses the type
// that the handler does not say. It would see more of a response that is sent at once.
func (w *recorder) guess() {
	if w.unguessed || w.guessed != "" || w.size >= sniffed {
		return
	}
	if w.size == 0 {
		w.unguessed = true
		return
	}
	_, typed := w.header["Content-Type"]
	if !typed && len(w.header["Content-Encoding"]) == 0 && bodyAllowed(w.status) && w.records() && connected(w.below) {
		w.guessed = w.recording.typeSoFar()
	}
}

// withdraw takes back what the handler put into the header, because the client gets
// another response. Cookies are the visitor's in any case.
func (w *recorder) withdraw(cookies bool) {
	h := w.Header()
	lines := h["Set-Cookie"]
	clear(h)
	maps.Copy(h, w.before.Clone())
	if cookies && len(lines) > 0 {
		h["Set-Cookie"] = lines
	}
}

// headerStands reports whether the header is still what was judged: nobody has set a
// visitor's cookie or a trailer since the commit, and where a writer below holds the
// response back, so that it can still change, it has not.
func (w *recorder) headerStands() bool {
	if w.lateCookie() || w.latePrivate() {
		return false
	}
	if (w.unsent || w.act.status != 0) && !connected(w.below) {
		return false // layers that wait for its first byte may set a cookie, and have seen none
	}
	for name := range w.Header() {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			return false
		}
	}
	w.compare()
	return !w.altered || !w.heldBack()
}

// sameButLength reports whether two headers are equal, apart from the length of the
// body, which hits state by themselves.
func sameButLength(a, b http.Header) bool {
	n := len(a)
	if _, ok := a["Content-Length"]; ok {
		n--
	}
	for name, values := range b {
		if name == "Content-Length" {
			continue
		}
		if other, ok := a[name]; !ok || !slices.Equal(other, values) {
			return false
		}
		n--
	}
	return n == 0
}

// lateCookie reports whether somebody has set a visitor's cookie since the commit.
func (w *recorder) lateCookie() bool {
	for _, line := range w.Header()["Set-Cookie"] {
		if !slices.Contains(w.header["Set-Cookie"], line) && w.setsCookie([]string{line}) {
			return true
		}
	}
	return false
}

// latePrivate reports whether somebody has forbidden since the commit to give the
// response to others: layers above do at the first byte.
func (w *recorder) latePrivate() bool {
	return w.forbids != nil && w.forbids(w.Header()) && !w.forbids(w.header)
}

// heldBack reports whether a writer below may hold the header back still, although it
// was given the response.
func (w *recorder) heldBack() bool {
	if below, ok := w.below.(interface{ Written() bool }); ok && !below.Written() {
		return true
	}
	return !connected(w.below)
}

// connected reports whether what is written to w goes to the client as it is: w is the
// server's own writer, which alone has the deadlines of the connection, or gin's own on
// top of that. Any other may hold a response back, or change it.
func connected(w http.ResponseWriter) bool {
	if own, ok := w.(interface {
		WriteHeaderNow()
		Unwrap() http.ResponseWriter
	}); ok {
		w = own.Unwrap()
	}
	_, ok := w.(interface{ SetReadDeadline(time.Time) error })
	return ok
}
