package middleware

import (
	"fmt"
	"slices"
	"strings"
)

// cookieNames are names of cookies in the options. One that ends in "*" stands for all
// that begin so.
type cookieNames []string

// has reports whether a cookie is one of these.
func (ns cookieNames) has(name string) bool {
	return slices.ContainsFunc(ns, func(n string) bool {
		prefix, open := strings.CutSuffix(n, "*")
		return n == name || open && strings.HasPrefix(name, prefix)
	})
}

// hasPiece reports whether a cookie is one of these, or a piece of one that was too long
// for a browser.
func (ns cookieNames) hasPiece(name string) bool {
	if ns.has(name) {
		return true
	}
	whole := pieceOf(name)
	return whole != name && ns.has(whole)
}

// pieceOf returns the name of the cookie of which one with this name may be a piece, as
// session_0, session.1 and sessionC2 are of session, or the name itself.
func pieceOf(name string) string {
	whole := strings.TrimRight(name, "0123456789")
	if whole == name {
		return name
	}
	if cut := strings.TrimRight(whole, "._-"); cut != whole {
		return cut
	}
	if cut, ok := strings.CutSuffix(whole, "C"); ok {
		return cut
	}
	return name
}

// isPersonal reports whether a cookie makes a request personal.
func (c *Cache) isPersonal(name string) bool {
	return cookieNames(c.opts.PersonalCookies).hasPiece(name)
}

// isNeutral reports whether a cookie says nothing about the page. What makes a request
// personal does.
func (c *Cache) isNeutral(name string) bool {
	return cookieNames(c.opts.NeutralCookies).has(name) && !c.isPersonal(name)
}

// checkNeutral refuses to have all cookies say nothing: sessions have cookies.
func checkNeutral(names []string) error {
	if slices.Contains(names, "*") {
		return fmt.Errorf("middleware: Options.NeutralCookies has %q, which is every cookie: want names, or beginnings of names", "*")
	}
	return nil
}
