package main

import (
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"
)

// An article is one of the magazine's. Its drawing can be bought as a print.
type article struct {
	Slug, Title, Summary string
	Sky                  string // the colours of its drawing: dawn, day, dusk, night or storm
	Minutes              int    // to read
	Price                int    // of the print, in euros
	Paragraphs           []string
}

// slowness is how long the site takes to make a page: a stand-in for the
// database and the services that a real page waits for.
const slowness = 120 * time.Millisecond

// articlePage is what the page of an article, or the list of all, shows.
type articlePage struct {
	Articles []article
	Article  article
	MadeAt   string
	Took     string
}

// listArticles shows all articles.
func (s *site) listArticles(c *gin.Context) {
	page, ok := makePage(c)
	if !ok {
		return
	}
	page.Articles = articles
	cacheable(c, "articles")
	s.render(c, http.StatusOK, "articles", "Stories of lighthouses", page)
}

// showArticle shows an article.
func (s *site) showArticle(c *gin.Context) {
	a, ok := articleOf(c.Param("slug"))
	if !ok {
		s.fail(c, http.StatusNotFound, "There is no such article.", nil)
		return
	}
	page, ok := makePage(c)
	if !ok {
		return
	}
	page.Article = a
	cacheable(c, "articles, article-"+a.Slug)
	s.render(c, http.StatusOK, "article", a.Title, page)
}

// makePage takes the time that making a page takes, unless the visitor leaves.
func makePage(c *gin.Context) (articlePage, bool) {
	begin := time.Now()
	select {
	case <-time.After(slowness):
	case <-c.Request.Context().Done():
		c.Abort()
		return articlePage{}, false
	}
	return articlePage{MadeAt: time.Now().Format("15:04:05.000"), Took: milliseconds(time.Since(begin))}, true
}

// cacheable says how the response may be kept: by browsers only to ask whether
// it has changed, by the cache in front of the handler for a minute.
func cacheable(c *gin.Context, tags string) {
	c.Header("Cache-Control", "no-cache")
	c.Header("CDN-Cache-Control", "max-age=60, stale-while-revalidate=30")
	c.Header("Cache-Tag", tags)
}

// purgeArticle makes the cache forget one article, and goes back to it.
func (s *site) purgeArticle(c *gin.Context) {
	a, ok := articleOf(c.Param("slug"))
	if !ok {
		s.fail(c, http.StatusNotFound, "There is no such article.", nil)
		return
	}
	path := "/articles/" + a.Slug
	stored := &http.Request{Method: http.MethodGet, Host: c.Request.Host, URL: &url.URL{Path: path}}
	if err := s.pages.Purge(c.Request.Context(), stored); err != nil {
		s.fail(c, http.StatusServiceUnavailable, "The page could not be purged: memcached does not answer.", err)
		return
	}
	c.Redirect(http.StatusSeeOther, path)
}

// purgeArticles makes the cache forget all articles and their list.
func (s *site) purgeArticles(c *gin.Context) {
	if err := s.pages.PurgeTags(c.Request.Context(), "articles"); err != nil {
		s.fail(c, http.StatusServiceUnavailable, "The pages could not be purged: memcached does not answer.", err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/status")
}

// articleOf returns the article of a slug.
func articleOf(slug string) (article, bool) {
	for _, a := range articles {
		if a.Slug == slug {
			return a, true
		}
	}
	return article{}, false
}
