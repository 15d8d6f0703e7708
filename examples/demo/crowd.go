package main

import (
	"context"
	"crypto/rand"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/store"
)

// A crowd is visitors who want the same at the same moment: the light of a tower
// as far as it reaches, which is slow to look up. They come to two processes of the
// site, which are two stores on one memcached here.
type crowd struct {
	processes [2]*store.Typed[lightReport]
}

// A lightReport is what they want.
type lightReport struct {
	Miles int
}

const (
	crowdSize   = 200
	queryTakes  = 4 * slowness
	reportLives = time.Minute
)

func newCrowd(client *memcached.Client) (*crowd, error) {
	c := new(crowd)
	for i := range c.processes {
		var err error
		if c.processes[i], err = store.NewTyped[lightReport](client, &store.Options{Prefix: "demo:light:"}); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *crowd) close() {
	for _, process := range c.processes {
		process.Close()
	}
}

// crowdPage is what the page of the crowd shows.
type crowdPage struct {
	Visitors, Processes int
	Query               string
	Ran                 bool
	Loads, Served       int64
	Slowest, Without    string
}

func newCrowdPage() crowdPage {
	return crowdPage{Visitors: crowdSize, Processes: len(crowd{}.processes), Query: milliseconds(queryTakes)}
}

// gather lets a crowd ask for a report that is not in the cache.
func (c *crowd) gather(ctx context.Context) crowdPage {
	var loads, served atomic.Int64
	query := func(ctx context.Context) (lightReport, error) {
		loads.Add(1)
		select {
		case <-time.After(queryTakes):
			return lightReport{Miles: 24}, nil
		case <-ctx.Done():
			return lightReport{}, ctx.Err()
		}
	}
	key := rand.Text() // what nobody has asked for before
	begin := time.Now()
	var wg sync.WaitGroup
	for visitor := range crowdSize {
		process := c.processes[visitor%len(c.processes)]
		wg.Go(func() {
			if report, err := process.GetOrLoad(ctx, key, reportLives, query); err == nil && report.Miles > 0 {
				served.Add(1)
			}
		})
	}
	wg.Wait()
	page := newCrowdPage()
	page.Ran, page.Loads, page.Served = true, loads.Load(), served.Load()
	page.Slowest, page.Without = milliseconds(time.Since(begin)), milliseconds(crowdSize*queryTakes)
	return page
}

// showCrowd shows what a crowd is.
func (s *site) showCrowd(c *gin.Context) {
	s.render(c, http.StatusOK, "crowd", "A crowd at the light", newCrowdPage())
}

// sendCrowd sends one, and shows how it fared.
func (s *site) sendCrowd(c *gin.Context) {
	s.render(c, http.StatusOK, "crowd", "A crowd at the light", s.crowd.gather(c.Request.Context()))
}
