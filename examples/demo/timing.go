package main

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// serverTiming repeats Cache-Status in a Server-Timing field, which is what the
// script of a page can read of the response that the page came with.
func serverTiming(c *gin.Context) {
	w := &timingWriter{ResponseWriter: c.Writer}
	c.Writer = w
	c.Next()
}

// A timingWriter sets Server-Timing just before the first byte, when the cache
// has said what it did.
type timingWriter struct {
	gin.ResponseWriter
}

func (w *timingWriter) Write(b []byte) (int, error) {
	w.set()
	return w.ResponseWriter.Write(b)
}

func (w *timingWriter) WriteString(s string) (int, error) {
	w.set()
	return w.ResponseWriter.WriteString(s)
}

func (w *timingWriter) WriteHeaderNow() {
	w.set()
	w.ResponseWriter.WriteHeaderNow()
}

func (w *timingWriter) Flush() {
	w.set()
	w.ResponseWriter.Flush()
}

// Unwrap is for http.ResponseController.
func (w *timingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *timingWriter) set() {
	if w.Written() {
		return
	}
	if status := w.Header().Get("Cache-Status"); status != "" {
		w.Header().Set("Server-Timing", `cache;desc="`+strings.ReplaceAll(status, `"`, "")+`"`)
	}
}
