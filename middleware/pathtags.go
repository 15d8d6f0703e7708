package middleware

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// With Options.PathTags every response has tags besides those that it names: one for
// all, one for its host, and one for each directory of its path. They begin with a
// byte that no field can have.
const (
	tagAll  = "\x00all"
	tagPath = "\x00path "
	// deepestPath bounds the directories that have tags.
	deepestPath = 32
)

// errNoPathTags says that pages have no tags for their paths.
var errNoPathTags = errors.New("middleware: purging everything or by path needs Options.PathTags")

// PurgeAll makes everything unusable that caches with the same servers and prefix have
// stored with Options.PathTags, as PurgeTags does.
func (c *Cache) PurgeAll(ctx context.Context) error {
	if !c.opts.PathTags {
		return errNoPathTags
	}
	return c.purgeTags(ctx, EventPurged, ScopeAll, tagAll)
}

// PurgePath makes every stored response unusable, as PurgeTags does, whose URL has the
// host of r and a path that begins with that of r, which ends in a slash: /blog/ and
// all below. It needs Options.PathTags.
func (c *Cache) PurgePath(ctx context.Context, r *http.Request) error {
	tag, err := c.purgedPath(r)
	if err != nil {
		return err
	}
	return c.purgeTags(ctx, EventPurged, ScopePath, tag)
}

// purgedPath returns the tag of what is below the path of r.
func (c *Cache) purgedPath(r *http.Request) (tag string, err error) {
	if !c.opts.PathTags {
		return "", errNoPathTags
	}
	host, err := hostOf(r)
	if err != nil {
		return "", err
	}
	path := r.URL.Path
	switch {
	case !strings.HasPrefix(path, "/") || !strings.HasSuffix(path, "/"):
		return "", fmt.Errorf("middleware: purging by path: the path is %q, want one that begins and ends with a slash", path)
	case strings.Count(path, "/") > deepestPath:
		return "", fmt.Errorf("middleware: purging by path: the path has more than %d directories", deepestPath)
	}
	return tagPath + bareHost(host) + path, nil
}

// bareHost returns host without a port that a scheme implies.
func bareHost(host string) string {
	return plainHost(plainHost(host, origin{}), origin{tls: true})
}

// pathTags returns the tags of every response to r, or none without Options.PathTags.
func (c *Cache) pathTags(r *http.Request) []stored.TagName {
	if !c.opts.PathTags {
		return nil
	}
	tags := []stored.TagName{stored.NameTag(tagAll)}
	name := stored.NameTags(tagPath + bareHost(r.Host))
	for part := range strings.SplitAfterSeq(wholePath(r), "/") {
		if !strings.HasSuffix(part, "/") || len(tags) > deepestPath {
			break
		}
		tags = append(tags, name(part))
	}
	return tags
}

// wholePath returns the path of r, with what layers above have taken from it.
func wholePath(r *http.Request) string {
	mount := mountOf(r)
	if whole, ok := strings.CutPrefix(mount, "\x00"); ok {
		if u, err := url.ParseRequestURI(whole); err == nil {
			return u.Path
		}
		return r.URL.Path
	}
	if plain, err := url.PathUnescape(mount); err == nil {
		mount = plain
	}
	return mount + r.URL.Path
}
