package middleware

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
)

// A layer above may give each response a nonce (Content-Security-Policy), which the page
// repeats beside its scripts. A hit would come with another, and run none of them.

// noncesIn returns the nonces of a header.
func noncesIn(h http.Header) (nonces []string) {
	for _, name := range []string{"Content-Security-Policy", "Content-Security-Policy-Report-Only"} {
		for _, line := range h[name] {
			for {
				_, rest, found := strings.Cut(line, "'nonce-")
				if !found {
					break
				}
				nonce, after, _ := strings.Cut(rest, "'")
				nonces, line = append(nonces, nonce), after
			}
		}
	}
	return nonces
}

// repeatsNonce reports whether the body, which is complete, may have a nonce that a layer
// above has made.
func (w *recorder) repeatsNonce() bool {
	nonces := noncesIn(w.Header())
	if len(nonces) == 0 {
		return false
	}
	before, own := noncesIn(w.before), noncesIn(w.header)
	return slices.ContainsFunc(nonces, func(nonce string) bool {
		if slices.Contains(own, nonce) && !slices.Contains(before, nonce) {
			return false // stored with the page
		}
		return len(w.header["Content-Encoding"]) > len(w.before["Content-Encoding"]) || hasNonce(w.body, nonce)
	})
}

// hasNonce looks for a nonce as it is, and as html/template writes it.
func hasNonce(body []byte, nonce string) bool {
	return nonce != "" && (bytes.Contains(body, []byte(nonce)) ||
		bytes.Contains(body, []byte(strings.ReplaceAll(nonce, "+", "&#43;"))))
}
