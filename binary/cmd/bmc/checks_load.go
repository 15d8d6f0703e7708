package main

import (
	"fmt"
	"strings"
)

// fewGets is how many reads say nothing about a hit ratio yet.
const fewGets = 1000

func checkHitRatio(e *examination) finding {
	hits, told := number(e.general, "get_hits")
	gets, toldAll := number(e.general, "cmd_get")
	switch {
	case !told || !toldAll:
		return notTold()
	case gets == 0:
		return good("nothing was read yet")
	}
	f := good("%.1f %% of %s", percent(hits, gets), count(gets, "read"))
	if gets >= fewGets && percent(hits, gets) < 50 {
		return f.but(warn, "most reads find nothing: look for keys that are read and never stored, times to live that are too short, and evictions")
	}
	return f
}

func percent(part, whole uint64) float64 { return 100 * float64(part) / float64(max(whole, 1)) }

// manyEvicted is the share of what was stored, in percent, that may be removed
// before its time.
const manyEvicted = 1

func checkEvictions(e *examination) finding {
	evicted, told := number(e.general, "evictions")
	stored, toldAll := number(e.general, "total_items")
	if !told || !toldAll {
		return notTold()
	}
	if evicted == 0 {
		return good("none%s", memoryText(e))
	}
	f := good("%d of %s stored (%.2f %%)%s", evicted, count(stored, "item"), percent(evicted, stored), memoryText(e))
	if percent(evicted, stored) >= manyEvicted {
		return f.but(warn, "items leave before their time is over: give memcached more memory (-m), or store less or for a shorter time")
	}
	return f
}

// memoryText tells how full the server is, if it tells.
func memoryText(e *examination) string {
	used, told := number(e.general, "bytes")
	limit, toldLimit := number(e.general, "limit_maxbytes")
	if !told || !toldLimit || limit == 0 {
		return ""
	}
	return fmt.Sprintf("; %.1f %% of %s in use", percent(used, limit), bytesText(limit))
}

func checkOutOfMemory(e *examination) finding {
	if e.items == nil {
		return notTold()
	}
	var refused uint64
	for name := range e.items {
		if strings.HasSuffix(name, ":outofmemory") {
			n, _ := number(e.items, name)
			refused += n
		}
	}
	if refused == 0 {
		return good("never")
	}
	f := good("%s refused", count(refused, "write"))
	if e.settings["evictions"] == "off" {
		return f.but(warn, "memcached -M refuses writes when memory is full: leave it out, or give it more memory (-m)")
	}
	return f.but(warn, "there was no memory of the size that was needed: give memcached more (-m), or restart it if the sizes of values have changed")
}

func checkConnections(e *examination) finding {
	current, told := number(e.general, "curr_connections")
	limit, toldLimit := number(e.general, "max_connections")
	if !toldLimit {
		limit, toldLimit = number(e.settings, "maxconns")
	}
	switch {
	case !told:
		return notTold()
	case !toldLimit:
		return good("%d", current)
	}
	f := good("%d of %d", current, limit)
	switch {
	case e.general["accepting_conns"] == "0":
		return f.but(fail, "the server takes no more: raise memcached -c, or have programs make fewer connections")
	case percent(current, limit) >= 80:
		return f.but(warn, "raise memcached -c, or have programs make fewer connections")
	}
	return f
}

func checkRejected(e *examination) finding {
	rejected, told := number(e.general, "rejected_connections")
	full, toldFull := number(e.general, "listen_disabled_num")
	switch {
	case !told && !toldFull:
		return notTold()
	case rejected == 0 && full == 0:
		return good("no connection since the start")
	}
	return good("%s, and the limit was reached %s", count(rejected, "connection"), count(full, "time")).
		but(warn, "since its start the server had more clients than memcached -c lets in: raise it, or have programs make fewer connections")
}
