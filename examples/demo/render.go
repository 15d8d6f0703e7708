package main

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"

	"github.com/gin-gonic/gin"
)

// A view is what every template gets.
type view struct {
	Title string
	Page  any // what the page itself shows
}

// pageNames are the templates, each drawn inside layout.html.
var pageNames = []string{"articles", "article", "tides", "crowd", "login", "cart", "status", "error"}

func parseTemplates() (map[string]*template.Template, error) {
	layout, err := template.ParseFS(files, "templates/layout.html", "templates/drawing.html")
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	templates := make(map[string]*template.Template, len(pageNames))
	for _, name := range pageNames {
		t, err := layout.Clone()
		if err == nil {
			t, err = t.ParseFS(files, "templates/"+name+".html")
		}
		if err != nil {
			return nil, fmt.Errorf("demo: %w", err)
		}
		templates[name] = t
	}
	return templates, nil
}

// render answers with a page, which is complete or not sent at all.
func (s *site) render(c *gin.Context, status int, name, title string, page any) {
	var body bytes.Buffer
	if err := s.templates[name].ExecuteTemplate(&body, "layout.html", view{Title: title, Page: page}); err != nil {
		s.log.Error("a page cannot be drawn", "page", name, "err", err)
		c.Header("Cache-Control", "no-store")
		c.String(http.StatusInternalServerError, "The page cannot be drawn.\n")
		return
	}
	c.Data(status, "text/html; charset=utf-8", body.Bytes())
}

// failure is what the page of an error shows.
type failure struct {
	Status  int
	Message string
	Cause   string
}

// fail answers that something did not work. A demonstration shows the cause; a
// real site would only log it.
func (s *site) fail(c *gin.Context, status int, message string, cause error) {
	f := failure{Status: status, Message: message}
	if cause != nil {
		f.Cause = cause.Error()
		s.log.Warn("a request failed", "path", c.FullPath(), "status", status, "err", cause)
	}
	c.Header("Cache-Control", "no-store")
	s.render(c, status, "error", http.StatusText(status), f)
}

// recovered answers a request whose handler panicked.
func (s *site) recovered(c *gin.Context, reason any) {
	s.log.Error("a handler panicked", "path", c.FullPath(), "reason", reason)
	s.fail(c, http.StatusInternalServerError, "Something went wrong here.", nil)
	c.Abort()
}
