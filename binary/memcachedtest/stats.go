package memcachedtest

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// stat answers STAT (proto_bin.c, process_bin_stat): a frame per statistic and
// an empty one at the end, or a single failure. The names are memcached's; of
// its numbers those are there that have a meaning here.
func (c *conn) stat(req *request) {
	var list statList
	group := string(req.key)
	switch {
	case group == "":
		c.server.generalStats(&list)
	case strings.HasPrefix(group, "settings"):
		c.server.settingStats(&list)
	case strings.HasPrefix(group, "reset"):
		c.server.resetStats()
	case group == "items":
		c.server.itemStats(&list)
	case group == "slabs":
		c.server.slabStats(&list)
	case group == "sizes":
		list.add("sizes_status", "disabled")
	case strings.HasPrefix(group, "detail dump"):
		list.add("detailed", "END\r\n")
	case strings.HasPrefix(group, "detail on"), strings.HasPrefix(group, "detail off"):
	default:
		c.fail(req, wire.StatusKeyNotFound)
		return
	}
	for _, s := range list {
		c.answer(req, wire.StatusOK, 0, nil, []byte(s.name), []byte(s.value))
	}
	c.answer(req, wire.StatusOK, 0, nil, nil, nil)
}

// What memcached has without options. They limit nothing here.
const (
	maxConnections = 1024
	threads        = 4
)

type statList []struct{ name, value string }

func (l *statList) add(name string, value any) {
	*l = append(*l, struct{ name, value string }{name, fmt.Sprint(value)})
}

func (s *Server) generalStats(l *statList) {
	s.mu.Lock()
	conns, total := len(s.conns), s.lastConn
	s.mu.Unlock()
	st := s.storage
	st.mu.Lock()
	defer st.mu.Unlock()
	n := &st.counts
	l.add("pid", os.Getpid())
	l.add("uptime", uint32(s.clock.now()-startAge))
	l.add("time", s.clock.time().Unix())
	l.add("version", version)
	l.add("pointer_size", strconv.IntSize)
	l.add("max_connections", maxConnections)
	l.add("curr_connections", conns)
	l.add("total_connections", total)
	l.add("rejected_connections", 0)
	l.add("cmd_get", n.cmdGet)
	l.add("cmd_set", n.cmdSet)
	l.add("cmd_flush", n.cmdFlush)
	l.add("cmd_touch", n.cmdTouch)
	l.add("get_hits", n.getHits)
	l.add("get_misses", n.getMisses)
	l.add("get_expired", n.getExpired)
	l.add("get_flushed", n.getFlushed)
	l.add("delete_misses", n.deleteMisses)
	l.add("delete_hits", n.deleteHits)
	l.add("incr_misses", n.incrMisses)
	l.add("incr_hits", n.incrHits)
	l.add("decr_misses", n.decrMisses)
	l.add("decr_hits", n.decrHits)
	l.add("cas_misses", n.casMisses)
	l.add("cas_hits", n.casHits)
	l.add("cas_badval", n.casBadval)
	l.add("touch_hits", n.touchHits)
	l.add("touch_misses", n.touchMisses)
	l.add("store_too_large", 0) // only the text protocol counts them
	l.add("auth_cmds", s.auths.Load())
	l.add("auth_errors", s.authErrors.Load())
	l.add("bytes_read", s.bytesRead.Load())
	l.add("bytes_written", s.bytesWritten.Load())
	l.add("limit_maxbytes", s.opts.MaxMemory)
	l.add("accepting_conns", 1)
	l.add("threads", threads)
	l.add("bytes", st.bytes)
	l.add("curr_items", len(st.items))
	l.add("total_items", n.totalItems)
	l.add("evictions", n.evictions)
}

func (s *Server) settingStats(l *statList) {
	host, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		host, port = s.addr, "0"
	}
	l.add("maxbytes", s.opts.MaxMemory)
	l.add("maxconns", maxConnections)
	l.add("tcpport", port)
	l.add("udpport", 0)
	l.add("inter", host)
	l.add("verbosity", 0)
	l.add("evictions", "on")
	l.add("domain_socket", "NULL")
	l.add("num_threads", threads)
	l.add("cas_enabled", yes(!s.opts.DisableCAS))
	l.add("binding_protocol", "binary")
	l.add("auth_enabled_sasl", yes(s.secured()))
	l.add("auth_enabled_ascii", "no")
	l.add("item_size_max", s.opts.MaxItemSize)
	l.add("slab_chunk_max", maxChunk)
	l.add("flush_enabled", yes(!s.opts.DisableFlush))
	l.add("idle_timeout", 0)
	l.add("ssl_enabled", yes(s.opts.TLS != nil))
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// itemStats puts all items into one class.
func (s *Server) itemStats(l *statList) {
	st := s.storage
	st.mu.Lock()
	defer st.mu.Unlock()
	if len(st.items) == 0 {
		return
	}
	l.add("items:1:number", len(st.items))
	l.add("items:1:mem_requested", st.bytes)
	l.add("items:1:evicted", st.counts.evictions)
}

func (s *Server) slabStats(l *statList) {
	st := s.storage
	st.mu.Lock()
	defer st.mu.Unlock()
	classes := 0
	if len(st.items) > 0 {
		classes = 1
		l.add("1:used_chunks", len(st.items))
		l.add("1:get_hits", st.counts.getHits)
		l.add("1:cmd_set", st.counts.cmdSet)
	}
	l.add("active_slabs", classes)
	l.add("total_malloced", st.bytes)
}

func (s *Server) resetStats() {
	s.auths.Store(0)
	s.authErrors.Store(0)
	s.bytesRead.Store(0)
	s.bytesWritten.Store(0)
	st := s.storage
	st.mu.Lock()
	defer st.mu.Unlock()
	st.counts = counts{}
}
