package middleware

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// sessionKey is what package session sets, in gin's context or the request's, when
// somebody touches a session: to true, or, when he has only looked for sessions of which
// the request has no cookie, to their names.
const sessionKey = "github.com/bmemcached/bmemcached-go/session.touched"

// withoutSession begins what package session then puts into Cache-Control in place of
// private. The names follow.
const withoutSession = "private, without-session="

// sessionTouched reports whether somebody has touched a session that makes the response
// its visitor's. Looking for one that is not there does not, where those who have one
// bypass the cache.
func (c *Cache) sessionTouched(v visit, requests ...*http.Request) bool {
	if c.isSession(v.mark()) {
		return true
	}
	for _, r := range requests {
		if c.isSession(r.Context().Value(sessionKey)) {
			return true
		}
	}
	return false
}

// isSession reports whether a mark is that of a session.
func (c *Cache) isSession(mark any) bool {
	switch mark := mark.(type) {
	case bool:
		return mark
	case []string:
		return !c.bypassAll(mark)
	}
	return false
}

// bypassAll reports whether requests with a session of any of these names bypass the
// cache.
func (c *Cache) bypassAll(names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return !c.isPersonal(name) })
}

// withoutAbsences returns h without the lines of Cache-Control that say no more than that
// this visitor has no session. They forbid other caches to store the response, which
// might give it to visitors who have one; from this cache those get nothing.
func (c *Cache) withoutAbsences(h http.Header) http.Header {
	if len(c.opts.PersonalCookies) == 0 || !slices.ContainsFunc(h["Cache-Control"], c.isAbsence) {
		return h
	}
	h = maps.Clone(h)
	h["Cache-Control"] = slices.DeleteFunc(slices.Clone(h["Cache-Control"]), c.isAbsence)
	return h
}

// isAbsence reports whether a line of Cache-Control says that sessions are absent whose
// visitors bypass the cache.
func (c *Cache) isAbsence(line string) bool {
	names, ok := strings.CutPrefix(line, withoutSession)
	fields := strings.Fields(strings.Trim(names, `"`))
	return ok && len(fields) > 0 && c.bypassAll(fields)
}

// lateAbsence returns what package session said above the cache, at the first byte, of
// sessions for which somebody looked while the response was made. Nobody looks on a hit.
func (f *fill) lateAbsence() []string {
	var late []string
	for _, line := range f.rec.Header()["Cache-Control"] {
		if f.cache.isAbsence(line) && !slices.Contains(f.rec.header["Cache-Control"], line) {
			late = append(late, line)
		}
	}
	return late
}

// touched is sessionTouched for the request and what the handlers have made of it.
func (f *fill) touched() bool {
	if f.last != nil && f.cache.sessionTouched(f.visit, f.last) {
		return true
	}
	return f.cache.sessionTouched(f.visit, f.original, f.request, f.visit.request())
}
