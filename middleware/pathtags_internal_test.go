package middleware

import (
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// TestPathTags_OfALongPathAreMadeAtOnce: a client may send a path of a megabyte, with all
// its slashes at the end.
func TestPathTags_OfALongPathAreMadeAtOnce(t *testing.T) {
	long := "/" + strings.Repeat("a", 1<<20)
	r := &http.Request{Host: "Site.example:80", URL: &url.URL{Path: long + strings.Repeat("/b", 40)}}
	c := &Cache{opts: Options{PathTags: true}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	tags := c.pathTags(r)
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
		t.Errorf("the tags of a path of 1 MiB took %d KiB", took>>10)
	}
	want := []stored.TagName{stored.NameTag(tagAll), stored.NameTag(tagPath + "site.example/")}
	for i := range deepestPath - 1 {
		want = append(want, stored.NameTag(tagPath+"site.example"+long+strings.Repeat("/b", i)+"/"))
	}
	if !slices.Equal(tags, want) {
		t.Errorf("%d tags, want %d, which PurgePath names", len(tags), len(want))
	}
}
