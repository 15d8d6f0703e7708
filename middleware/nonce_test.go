package middleware_test

import (
	"html/template"
	"net/http"
	"strconv"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// TestNonce_OfALayerAboveIsNotStored with the page that repeats it: its scripts would not
// run on a hit, which has another. Pages without it are stored, and so is one with its own.
func TestNonce_OfALayerAboveIsNotStored(t *testing.T) {
	page := template.Must(template.New("").Parse(`<script nonce="{{.}}">1</script>`))
	tests := map[string]struct {
		handler gin.HandlerFunc
		stored  bool
	}{
		"in the page":     {func(c *gin.Context) { c.String(http.StatusOK, "<script nonce=%q>", c.GetString("nonce")) }, false},
		"in a template":   {func(c *gin.Context) { _ = page.Execute(c.Writer, c.GetString("nonce")) }, false},
		"perhaps, zipped": {func(c *gin.Context) { c.Header("Content-Encoding", "gzip"); c.String(http.StatusOK, "zipped") }, false},
		"nowhere":         {text("<p>x"), true},
		"not the site's": {func(c *gin.Context) {
			c.Header("Content-Security-Policy", "script-src 'nonce-mine'")
			c.String(http.StatusOK, "<script nonce=mine>")
		}, true},
		"beside the site's": {func(c *gin.Context) {
			c.Writer.Header().Add("Content-Security-Policy", "script-src 'nonce-mine'")
			c.String(http.StatusOK, "<script nonce=%q>", c.GetString("nonce"))
		}, false},
		"taken away": {func(c *gin.Context) {
			c.Writer.Header().Del("Content-Security-Policy")
			c.Writer.Header().Del("Content-Security-Policy-Report-Only")
			c.String(http.StatusOK, "<script nonce=%q>", c.GetString("nonce"))
		}, true},
	}
	for _, field := range []string{"Content-Security-Policy", "Content-Security-Policy-Report-Only"} {
		for name, test := range tests {
			t.Run(field+"/"+name, func(t *testing.T) {
				n := 0
				above := func(c *gin.Context) {
					n++
					nonce := "a+b/c=" + strconv.Itoa(n)
					c.Set("nonce", nonce)
					c.Header(field, "default-src 'self'; script-src 'self' 'nonce-"+nonce+"'; style-src 'nonce-style'")
				}
				s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), above, test.handler)
				s.get("/a")
				r := s.get("/a")
				if r.hit() != test.stored {
					t.Errorf("then %q (%s), want a hit: %v", r.body, r.cacheStatus(), test.stored)
				}
			})
		}
	}
}
