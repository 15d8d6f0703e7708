package composition_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"
)

// page is a kind of handler.
type page struct {
	name  string
	serve func(v *view)

	shared  bool // it says that everybody may have it, whoever asked
	session bool // it uses the session of its visitor
	looks   bool // it uses what a layer saw there
}

// pages has the simplest first: to these a failure is shrunk.
var pages = slices.Concat(plainPages, statusPages, writerPages, validatorPages, visitorPages)

func (v *view) set(lines ...string) {
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		v.w.Header().Set(name, value)
	}
}

func (v *view) write(s string) { _, _ = io.WriteString(v.w, s) }

// string is how a framework sends text with a status.
func (v *view) string(status int, s string) {
	switch {
	case v.gin != nil:
		v.gin.String(status, "%s", s)
	case v.echo != nil:
		v.err = v.echo.String(status, s)
	default:
		v.set("Content-Type: text/plain; charset=utf-8")
		v.w.WriteHeader(status)
		v.write(s)
	}
}

var plainPages = []page{
	{name: "text", serve: func(v *view) { v.string(http.StatusOK, v.text()) }},
	{name: "long text", serve: func(v *view) { v.string(http.StatusOK, v.long()) }},
	{name: "text without a type", serve: func(v *view) { v.write(v.text()) }},
	{name: "HTML without a type, long", serve: func(v *view) { v.write("<!doctype html><p>" + v.long()) }},
	{name: "HTML with a type", serve: func(v *view) {
		v.set("Content-Type: text/html; charset=utf-8")
		v.write("<p>" + v.long())
	}},
	{name: "no type by decision", serve: func(v *view) {
		v.w.Header()["Content-Type"] = nil
		v.write(v.text())
	}},
	{name: "JSON", serve: func(v *view) {
		switch {
		case v.gin != nil:
			v.gin.JSON(http.StatusOK, gin.H{"text": v.text()})
		case v.echo != nil:
			v.err = v.echo.JSON(http.StatusOK, map[string]string{"text": v.text()})
		default:
			v.set("Content-Type: application/json")
			fmt.Fprintf(v.w, "{%q:%q}", "text", v.text())
		}
	}},
	{name: "a length that is stated", serve: func(v *view) {
		v.set("Content-Type: text/plain", fmt.Sprintf("Content-Length: %d", len(v.long())))
		v.write(v.long())
	}},
	{name: "a reader", serve: func(v *view) {
		if v.gin != nil {
			v.gin.DataFromReader(http.StatusOK, int64(len(v.long())), "text/plain", strings.NewReader(v.long()), map[string]string{"X-Page": "1"})
			return
		}
		v.set("Content-Type: text/plain", "X-Page: 1")
		_, _ = io.Copy(v.w, strings.NewReader(v.long()))
	}},
	{name: "many writes", serve: func(v *view) {
		for part := range slices.Chunk([]byte(v.long()), 100) {
			_, _ = v.w.Write(part)
		}
	}},
	{name: "an empty write", serve: func(v *view) {
		v.set("X-Page: 1")
		_, _ = v.w.Write(nil)
	}},
	{name: "fields with several lines", serve: func(v *view) {
		h := v.w.Header()
		h.Add("Link", "</a.js>; rel=preload")
		h.Add("Link", "</b.js>; rel=preload")
		h.Add("X-Page", "1")
		h.Add("X-Page", "2")
		v.string(http.StatusOK, v.text())
	}},
	{name: "fields of above, changed", serve: func(v *view) {
		h := v.w.Header()
		h.Add("X-Above", "2")
		h.Del("Link")
		h.Set("X-Frame-Options", "SAMEORIGIN")
		v.string(http.StatusOK, v.text())
	}},
	{name: "tags", serve: func(v *view) {
		v.w.Header().Add("Cache-Tag", "page")
		v.set("Surrogate-Key: a b")
		v.string(http.StatusOK, v.text())
	}},
	{name: "what was asked for", serve: func(v *view) {
		v.string(http.StatusOK, fmt.Sprint(v.r.Host, v.r.URL, v.r.Form, v.text()))
	}},
	{name: "nothing", serve: func(v *view) { v.set("X-Page: 1") }},
}

var statusPages = []page{
	{name: "204", serve: func(v *view) { v.w.WriteHeader(http.StatusNoContent) }},
	{name: "204 with a body", serve: func(v *view) {
		v.w.WriteHeader(http.StatusNoContent)
		v.write("not to be sent")
	}},
	{name: "200 without a body", serve: func(v *view) { v.w.WriteHeader(http.StatusOK) }},
	{name: "404 with text", serve: func(v *view) { v.string(http.StatusNotFound, v.long()) }},
	{name: "http.NotFound", serve: func(v *view) { http.NotFound(v.w, v.r) }},
	{name: "410 without a body", serve: func(v *view) { v.w.WriteHeader(http.StatusGone) }},
	{name: "500", serve: func(v *view) { v.string(http.StatusInternalServerError, "sorry") }},
	{name: "503 that may be kept", serve: func(v *view) {
		v.set("Cache-Control: max-age=60", "Retry-After: 60")
		v.string(http.StatusServiceUnavailable, v.text())
	}},
	{name: "301", serve: func(v *view) { http.Redirect(v.w, v.r, "/elsewhere", http.StatusMovedPermanently) }},
	{name: "302 that may be kept", serve: func(v *view) {
		v.set("Cache-Control: max-age=60")
		if v.gin != nil {
			v.gin.Redirect(http.StatusFound, "elsewhere")
			return
		}
		http.Redirect(v.w, v.r, "elsewhere", http.StatusFound)
	}},
	{name: "an error of the framework", serve: func(v *view) {
		switch {
		case v.gin != nil:
			_ = v.gin.Error(fmt.Errorf("wrong"))
			v.gin.JSON(http.StatusOK, gin.H{"ok": false})
		case v.echo != nil:
			v.set("X-Page: 1")
			v.err = echo.ErrNotFound
		default:
			http.Error(v.w, "wrong", http.StatusBadRequest)
		}
	}},
	{name: "abort with a status", serve: func(v *view) {
		if v.gin == nil {
			v.w.WriteHeader(http.StatusForbidden)
			return
		}
		v.gin.AbortWithStatus(http.StatusForbidden)
	}},
	{name: "a panic", serve: func(v *view) {
		v.set("X-Page: 1")
		panic("on purpose")
	}},
	{name: "a panic half way", serve: func(v *view) {
		v.write(v.text())
		panic("on purpose")
	}},
}

var writerPages = []page{
	{name: "a field after the first byte", serve: func(v *view) {
		v.write(v.text())
		v.set("X-Late: 1")
	}},
	{name: "half a page, and http.Error", serve: func(v *view) {
		v.write("half " + v.text())
		http.Error(v.w, "sorry", http.StatusInternalServerError)
	}},
	{name: "half a page, and a status", serve: func(v *view) {
		v.write("half " + v.text())
		v.w.WriteHeader(http.StatusInternalServerError)
	}},
	{name: "flushed", serve: func(v *view) {
		v.set("Content-Type: text/plain")
		v.write(v.text())
		if f, ok := v.w.(http.Flusher); ok {
			f.Flush()
		}
		v.write(" and more")
	}},
	{name: "a trailer", serve: func(v *view) {
		v.write(v.text())
		v.w.Header().Set(http.TrailerPrefix+"X-Sum", "1")
	}},
	{name: "early hints", serve: func(v *view) {
		v.set("Link: </style.css>; rel=preload")
		v.w.WriteHeader(http.StatusEarlyHints)
		v.string(http.StatusOK, v.text())
	}},
	{name: "a field through a captured writer", serve: func(v *view) {
		if v.gin != nil {
			if w, ok := v.gin.Get(capturedKey); ok {
				w.(gin.ResponseWriter).Header().Set("X-Captured", "1")
			}
		}
		v.string(http.StatusOK, v.text())
	}},
	{name: "coded by itself", serve: func(v *view) {
		v.w.Header().Add("Vary", "Accept-Encoding")
		v.set("Content-Type: text/plain")
		if !strings.Contains(v.r.Header.Get("Accept-Encoding"), "gzip") {
			v.write(v.long())
			return
		}
		v.set("Content-Encoding: gzip")
		z := gzip.NewWriter(v.w)
		_, _ = io.WriteString(z, v.long())
		_ = z.Close()
	}},
	{name: "HEAD on its own", serve: func(v *view) {
		v.set("Content-Type: text/plain", fmt.Sprintf("Content-Length: %d", len(v.text())))
		if v.r.Method == http.MethodHead {
			v.w.WriteHeader(http.StatusOK)
			return
		}
		v.write(v.text())
	}},
}

var validatorPages = []page{
	{name: "a file", serve: func(v *view) {
		modified := time.Unix(1_700_000_000+int64(v.version()), 0)
		http.ServeContent(v.w, v.r, "page.txt", modified, strings.NewReader(v.long()))
	}},
	{name: "a file with ETag, always validated", serve: func(v *view) {
		v.set("Cache-Control: no-cache", fmt.Sprintf("ETag: \"v%d\"", v.version()))
		http.ServeContent(v.w, v.r, "page.txt", time.Time{}, strings.NewReader(v.long()))
	}},
	{name: "max-age and ETag", serve: func(v *view) { v.confirmable("Cache-Control: max-age=60") }, shared: false},
	{name: "max-age=0 and ETag", serve: func(v *view) { v.confirmable("Cache-Control: max-age=0") }},
	{name: "a weak ETag", serve: func(v *view) {
		v.set(fmt.Sprintf("ETag: W/\"v%d\"", v.version()))
		v.string(http.StatusOK, v.text())
	}},
	{name: "stale, to be revalidated while it is sent", serve: func(v *view) {
		v.set("Cache-Control: max-age=0, stale-while-revalidate=60")
		v.string(http.StatusOK, v.text())
	}},
	{name: "Expires", serve: func(v *view) {
		v.set("Expires: Fri, 01 Jan 2100 00:00:00 GMT")
		v.string(http.StatusOK, v.text())
	}},
	{name: "no-store", serve: func(v *view) {
		v.set("Cache-Control: no-store")
		v.string(http.StatusOK, v.text())
	}},
	{name: "public", shared: true, serve: func(v *view) {
		v.set("Cache-Control: public, max-age=60")
		v.string(http.StatusOK, v.text())
	}},
	{name: "s-maxage", shared: true, serve: func(v *view) {
		v.set("Cache-Control: s-maxage=60, max-age=0")
		v.string(http.StatusOK, v.text())
	}},
}

// confirmable answers 304 where that is right.
func (v *view) confirmable(lines ...string) {
	tag := fmt.Sprintf("\"v%d\"", v.version())
	v.set(lines...)
	v.set("ETag: "+tag, "X-Page: 1")
	if v.r.Header.Get("If-None-Match") == tag {
		v.w.WriteHeader(http.StatusNotModified)
		return
	}
	v.string(http.StatusOK, v.text())
}
