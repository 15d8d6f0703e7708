package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/eko/gocache/lib/v4/cache"
	libstore "github.com/eko/gocache/lib/v4/store"
	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/store"
)

// A wave is one of the regular motions that a tide is the sum of.
type wave struct {
	hours  float64 // its period
	height float64 // in metres
	delay  float64 // in hours
}

// A harbour has waves of its own. These are made up, with the real periods.
type harbour struct {
	Name, Title string
	waves       []wave
}

// Periods in hours, by the names that oceanographers give the waves.
const m2, s2, n2, k1, o1 = 12.4206012, 12, 12.65834751, 23.93447213, 25.81933871

var harbours = []harbour{
	{"north", "North Quay", []wave{{m2, 1.9, 3.1}, {s2, .6, 4.4}, {n2, .4, 2.2}, {k1, .1, 9}, {o1, .1, 2}}},
	{"mill", "Mill Creek", []wave{{m2, .7, 8.4}, {s2, .3, 1.1}, {n2, .1, 5.9}, {k1, .4, 13}, {o1, .3, 17}}},
	{"lamp", "Lamp Island", []wave{{m2, 3.4, .6}, {s2, 1.2, 10}, {n2, .7, 7.7}, {k1, .1, 20}, {o1, .1, 11}}},
}

// A tideTable is the tide at a harbour over a day.
type tideTable struct {
	Heights    []float64     // in metres, every quarter of an hour from midnight (UTC)
	ComputedAt time.Time     // tells a value of the cache from one just computed
	Took       time.Duration // to compute
	Unasked    bool          `json:"-"` // memcached could not be asked for it
}

const (
	tideTag = "tides"
	tideTTL = time.Minute
)

// newTides returns a cache of tide tables by the name of the harbour. What it
// does not have it computes, once at a time, and stores.
func newTides(client *memcached.Client) (*cache.LoadableCache[tideTable], error) {
	tables, err := store.NewTyped[tideTable](client, &store.Options{Prefix: "demo:tide:"})
	if err != nil {
		return nil, err
	}
	return cache.NewLoadable(computeTide, askedCache{cache.New[tideTable](tables)}), nil
}

// An askedCache notes in a lookup whether the cache could be asked: gocache
// computes the value in either case, and keeps the error to itself.
type askedCache struct {
	*cache.Cache[tideTable]
}

// A lookup is one of a table, in the context of its request.
type lookup struct{ failed bool }

type lookupKey struct{}

// Get is that of the cache.
func (a askedCache) Get(ctx context.Context, key any) (tideTable, error) {
	table, err := a.Cache.Get(ctx, key)
	if l, ok := ctx.Value(lookupKey{}).(*lookup); ok && err != nil && !errors.Is(err, memcached.ErrCacheMiss) {
		l.failed = true
	}
	return table, err
}

// computeTide computes the table of a harbour, in the time of a slow machine.
func computeTide(ctx context.Context, key any) (tideTable, []libstore.Option, error) {
	name, _ := key.(string)
	at, ok := harbourOf(name)
	if !ok {
		return tideTable{}, nil, fmt.Errorf("demo: no harbour %q", name)
	}
	begin := time.Now()
	midnight := begin.UTC().Truncate(24 * time.Hour)
	table := tideTable{Heights: make([]float64, 97)}
	for i := range table.Heights {
		hours := float64(midnight.Unix())/3600 + float64(i)/4
		for _, w := range at.waves {
			table.Heights[i] += w.height * math.Cos(2*math.Pi*(hours-w.delay)/w.hours)
		}
	}
	select {
	case <-time.After(2 * slowness):
	case <-ctx.Done():
		return tideTable{}, nil, ctx.Err()
	}
	table.ComputedAt, table.Took = time.Now(), time.Since(begin)
	if l, ok := ctx.Value(lookupKey{}).(*lookup); ok {
		table.Unasked = l.failed
	}
	return table, []libstore.Option{libstore.WithExpiration(tideTTL), libstore.WithTags([]string{tideTag})}, nil
}

// tidePage is what the page of tides shows.
type tidePage struct {
	Harbours        []harbour
	Harbour         harbour
	Curve           string // points of a polyline, 960 by 240
	High, Low       string
	Cached, Unasked bool
	Took, Computing string
	Age, TTL        int // in seconds
}

// showTides shows the tide at a harbour.
func (s *site) showTides(c *gin.Context) {
	at, ok := harbourOf(c.DefaultQuery("harbour", harbours[0].Name))
	if !ok {
		s.fail(c, http.StatusNotFound, "There is no such harbour.", nil)
		return
	}
	begin := time.Now()
	// Visitors who ask for the same table share the work, so that it must not
	// end with the one who came first.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request.Context()), 5*time.Second)
	defer cancel()
	table, err := s.tides.Get(context.WithValue(ctx, lookupKey{}, new(lookup)), at.Name)
	if err != nil {
		s.fail(c, http.StatusServiceUnavailable, "The tide could not be computed.", err)
		return
	}
	page := tidePage{
		Harbours: harbours, Harbour: at, Curve: curve(table.Heights),
		Cached:    table.ComputedAt.Before(begin),
		Unasked:   table.Unasked,
		Took:      milliseconds(time.Since(begin)),
		Computing: milliseconds(table.Took),
		Age:       int(time.Since(table.ComputedAt).Seconds()),
		TTL:       int(tideTTL.Seconds()),
	}
	page.High, page.Low = extremes(table.Heights)
	s.render(c, http.StatusOK, "tides", "Tides at "+at.Title, page)
}

// purgeTides makes the cache forget all tables, and goes back to the page.
func (s *site) purgeTides(c *gin.Context) {
	err := s.tides.Invalidate(c.Request.Context(), libstore.WithInvalidateTags([]string{tideTag}))
	if err != nil {
		s.fail(c, http.StatusServiceUnavailable, "The tables could not be purged: memcached does not answer.", err)
		return
	}
	back := "/tides"
	if at, ok := harbourOf(c.PostForm("harbour")); ok {
		back += "?harbour=" + at.Name
	}
	c.Redirect(http.StatusSeeOther, back)
}

func harbourOf(name string) (harbour, bool) {
	for _, h := range harbours {
		if h.Name == name {
			return h, true
		}
	}
	return harbour{}, false
}

// curve returns heights of up to 6 m above and below the mean as a polyline.
func curve(heights []float64) string {
	var points strings.Builder
	for i, height := range heights {
		fmt.Fprintf(&points, "%d,%.1f ", i*10, 120-max(-6, min(6, height))*19)
	}
	return strings.TrimSpace(points.String())
}

// extremes returns when the water is highest and lowest.
func extremes(heights []float64) (high, low string) {
	highest, lowest := 0, 0
	for i, height := range heights {
		if height > heights[highest] {
			highest = i
		}
		if height < heights[lowest] {
			lowest = i
		}
	}
	when := func(i int) string {
		metres := strings.ReplaceAll(fmt.Sprintf("%+.1f", heights[i]), "-", "−")
		return fmt.Sprintf("%s m at %02d:%02d UTC", metres, i/4, i%4*15)
	}
	return when(highest), when(lowest)
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}
