package main

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
)

// A serverStatus is what the status page shows of a server: first what the
// client knows, then what the server says.
type serverStatus struct {
	Number      int    `json:"number"`
	Addr        string `json:"addr"`
	State       string `json:"state"` // up, down or stopped
	Conns       int    `json:"conns"` // of this client
	Ops         uint64 `json:"ops"`
	Errors      uint64 `json:"errors"`
	Version     string `json:"version"`
	Items       uint64 `json:"items"`
	Bytes       uint64 `json:"bytes"`
	Evictions   uint64 `json:"evictions"`
	Uptime      uint64 `json:"uptime"` // in seconds
	Controlled  bool   `json:"-"`      // it can be stopped and restarted here
	Unreachable string `json:"unreachable,omitzero"`
}

// statusPage is what the status page shows, and its script reads.
type statusPage struct {
	Servers  []serverStatus `json:"servers"`
	Gets     uint64         `json:"gets"`
	Hits     uint64         `json:"hits"`
	Ops      uint64         `json:"ops"`
	Errors   uint64         `json:"errors"`
	Retries  uint64         `json:"retries"`
	Samples  []sample       `json:"samples"`
	Embedded bool           `json:"embedded"`
}

// HitRatio is in percent.
func (p statusPage) HitRatio() string {
	if p.Gets == 0 {
		return "–"
	}
	return strconv.FormatFloat(100*float64(p.Hits)/float64(p.Gets), 'f', 1, 64) + " %"
}

// showStatus shows how memcached is doing.
func (s *site) showStatus(c *gin.Context) {
	s.render(c, http.StatusOK, "status", "Status", s.status(c.Request.Context()))
}

// statusJSON is the status for the script of the page.
func (s *site) statusJSON(c *gin.Context) {
	c.JSON(http.StatusOK, s.status(c.Request.Context()))
}

// status asks the client and the servers.
func (s *site) status(ctx context.Context) statusPage {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	answers, err := s.client.ServerStats(ctx, "") // with what the others say when one fails
	known := s.client.Stats()
	page := statusPage{
		Gets: known.Gets, Hits: known.Hits, Ops: known.Ops, Errors: known.Errors, Retries: known.Retries,
		Samples: s.meter.history(), Embedded: s.backend.embedded != nil,
	}
	stopped := s.stopped()
	for i, addr := range s.backend.addrs {
		mine := known.Servers[addr]
		status := serverStatus{
			Number: i, Addr: addr, State: "up", Controlled: page.Embedded,
			Conns: mine.Conns, Ops: mine.Ops, Errors: mine.Errors,
		}
		says, answered := answers[addr]
		switch {
		case stopped != nil && stopped[i]:
			status.State = "stopped"
		case !answered:
			status.State, status.Unreachable = "down", failureOf(err, addr)
		}
		status.take(says)
		page.Servers = append(page.Servers, status)
	}
	return page
}

// take fills in what the server says about itself.
func (s *serverStatus) take(says map[string]string) {
	number := func(name string) uint64 {
		n, _ := strconv.ParseUint(says[name], 10, 64)
		return n
	}
	s.Version = says["version"]
	s.Items, s.Bytes = number("curr_items"), number("bytes")
	s.Evictions, s.Uptime = number("evictions"), number("uptime")
}

// away says how much of memcached does not answer: "all", "part" or "". It is
// what the client knows, which has not asked every server lately, and what was
// stopped here; failed says that a server has just failed, whichever.
func (s *site) away(failed bool) string {
	known, stopped := s.client.Stats().Servers, s.stopped()
	count := 0
	for i, addr := range s.backend.addrs {
		if known[addr].Down || stopped != nil && stopped[i] {
			count++
		}
	}
	if failed {
		count = max(count, 1)
	}
	switch count {
	case 0:
		return ""
	case len(s.backend.addrs):
		return "all"
	default:
		return "part"
	}
}
