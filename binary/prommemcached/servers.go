package prommemcached

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bmemcached/bmemcached-go/binary"
)

// ServerClient is what a ServerCollector needs of a client.
type ServerClient interface {
	ServerStats(ctx context.Context, group string) (map[string]map[string]string, error)
}

var _ ServerClient = (*memcached.Client)(nil)

// scrapeTimeout limits what one scrape asks of the servers.
const scrapeTimeout = 5 * time.Second

// ServerCollector is a prometheus.Collector of what the servers themselves count,
// under the names of Prometheus's memcached_exporter. That one cannot log in; this
// one uses the client's connections, so that SASL and TLS are no obstacle.
//
// Each scrape asks every server four times. One program for all servers is enough,
// such as one that does nothing else.
type ServerCollector struct {
	client  ServerClient
	metrics []serverMetric
	up      *prometheus.Desc
	version *prometheus.Desc
}

var _ prometheus.Collector = (*ServerCollector)(nil)

// serverMetric is one statistic under its name in Prometheus.
type serverMetric struct {
	group  string // of STAT
	stat   string // its name there; behind "items:N:" in that group
	kind   prometheus.ValueType
	desc   *prometheus.Desc
	labels []string // besides server, and slab in the group items
	parse  func(stats map[string]string, stat string) (float64, bool)
}

// NewServerCollector returns a ServerCollector of the client's servers, to be
// registered. Of the options it uses Labels. Nil options are defaults; a nil client
// panics.
func NewServerCollector(client ServerClient, opts *Options) *ServerCollector {
	if client == nil || client == (*memcached.Client)(nil) {
		panic("prommemcached: NewServerCollector: client is nil")
	}
	labels := opts.withDefaults().Labels
	desc := func(name, help string, more ...string) *prometheus.Desc {
		return prometheus.NewDesc("memcached_"+name, help, append([]string{"server"}, more...), labels)
	}
	c := &ServerCollector{
		client:  client,
		up:      desc("up", "1 if the server told its statistics, else 0."),
		version: desc("version", "1, with the server's version as a label.", "version"),
	}
	for _, s := range statistics {
		c.add(s, desc(s.name, s.help, s.labelNames()...))
	}
	commands := desc("commands_total", "Requests by command and by what came of them.", "command", "status")
	for _, command := range []string{"get", "delete", "incr", "decr", "cas", "touch"} {
		c.addCommand(commands, command+"_hits", command, "hit")
		c.addCommand(commands, command+"_misses", command, "miss")
	}
	c.addCommand(commands, "cas_badval", "cas", "badval")
	c.addCommand(commands, "cmd_flush", "flush", "hit")
	c.metrics = append(c.metrics, serverMetric{
		stat: "cmd_set", kind: prometheus.CounterValue, desc: commands, labels: []string{"set", "hit"}, parse: setsAlone,
	})
	return c
}

func (c *ServerCollector) add(s statistic, desc *prometheus.Desc) {
	kind := prometheus.GaugeValue
	if strings.HasSuffix(s.name, "_total") {
		kind = prometheus.CounterValue
	}
	c.metrics = append(c.metrics, serverMetric{group: s.group, stat: s.stat, kind: kind, desc: desc, parse: numberOf})
}

func (c *ServerCollector) addCommand(desc *prometheus.Desc, stat, command, status string) {
	c.metrics = append(c.metrics, serverMetric{
		stat: stat, kind: prometheus.CounterValue, desc: desc, labels: []string{command, status}, parse: numberOf,
	})
}

// Describe sends the descriptions of all metrics.
func (c *ServerCollector) Describe(to chan<- *prometheus.Desc) {
	to <- c.up
	to <- c.version
	sent := map[*prometheus.Desc]bool{}
	for _, m := range c.metrics {
		if !sent[m.desc] {
			sent[m.desc] = true
			to <- m.desc
		}
	}
}

// Collect asks the servers, and sends what they tell.
func (c *ServerCollector) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	groups := []string{"", "settings", "items", "slabs"}
	answers := make([]map[string]map[string]string, len(groups))
	errs := make([]error, len(groups))
	var wg sync.WaitGroup
	for i, group := range groups {
		wg.Go(func() { answers[i], errs[i] = c.client.ServerStats(ctx, group) })
	}
	wg.Wait()
	for server, stats := range answers[0] {
		to <- prometheus.MustNewConstMetric(c.up, prometheus.GaugeValue, 1, server)
		if version := stats["version"]; version != "" {
			to <- prometheus.MustNewConstMetric(c.version, prometheus.GaugeValue, 1, server, strings.ToValidUTF8(version, "?"))
		}
	}
	for server := range failedServers(errs[0]) {
		if answers[0][server] == nil {
			to <- prometheus.MustNewConstMetric(c.up, prometheus.GaugeValue, 0, server)
		}
	}
	for i, group := range groups {
		for server, stats := range answers[i] {
			c.send(to, group, server, stats)
		}
	}
}

// failedServers returns the servers that gave no statistics.
func failedServers(err error) map[string]error {
	if multi, ok := err.(*memcached.MultiError); ok {
		return multi.Errors
	}
	return nil
}

// send sends the metrics of one group of one server.
func (c *ServerCollector) send(to chan<- prometheus.Metric, group, server string, stats map[string]string) {
	slabs := map[string]map[string]string{"": stats}
	if group == "items" {
		slabs = bySlab(stats)
	}
	for slab, stats := range slabs {
		labels := []string{server}
		if group == "items" {
			labels = append(labels, slab)
		}
		for _, m := range c.metrics {
			if m.group != group {
				continue
			}
			if n, ok := m.parse(stats, m.stat); ok {
				to <- prometheus.MustNewConstMetric(m.desc, m.kind, n, append(labels[:len(labels):len(labels)], m.labels...)...)
			}
		}
	}
}

// bySlab sorts statistics named "items:SLAB:NAME" by slab.
func bySlab(stats map[string]string) map[string]map[string]string {
	slabs := map[string]map[string]string{}
	for name, value := range stats {
		rest, ok := strings.CutPrefix(name, "items:")
		slab, stat, found := strings.Cut(rest, ":")
		if _, err := strconv.ParseUint(slab, 10, 16); !ok || !found || err != nil {
			continue
		}
		if slabs[slab] == nil {
			slabs[slab] = map[string]string{}
		}
		slabs[slab][stat] = value
	}
	return slabs
}

// numberOf returns a statistic, if it is there and a number. Times of the
// processor are seconds with a fraction.
func numberOf(stats map[string]string, stat string) (float64, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(stats[stat]), 64)
	return n, err == nil
}

// setsAlone returns SET without the compare-and-swap operations that memcached
// counts there, too.
func setsAlone(stats map[string]string, stat string) (float64, bool) {
	n, ok := numberOf(stats, stat)
	for _, cas := range []string{"cas_hits", "cas_misses", "cas_badval"} {
		swapped, told := numberOf(stats, cas)
		n, ok = n-swapped, ok && told
	}
	return max(n, 0), ok
}
