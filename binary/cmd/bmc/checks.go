package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// check judges one thing about a server.
type check struct {
	name  string
	judge func(e *examination) finding
}

// checks are all of them, in the order of the report. Those of the first group
// can be judged when the server could not be asked, too.
func checks() (always, answering []check) {
	always = []check{
		{"connection", checkConnection},
		{"tls", checkTLS},
		{"certificate", checkCertificate},
		{"mechanisms", checkMechanisms},
		{"authentication", checkAuthentication},
	}
	answering = []check{
		{"version", checkVersion},
		{"uptime", checkUptime},
		{"item size", checkItemSize},
		{"cas", checkCAS},
		{"hit ratio", checkHitRatio},
		{"evictions", checkEvictions},
		{"out of memory", checkOutOfMemory},
		{"connections", checkConnections},
		{"rejected", checkRejected},
		{"threads", checkThreads},
		{"clock", checkClock},
		{"latency", checkLatency},
		{"flush", checkFlush},
		{"udp", checkUDP},
	}
	return always, answering
}

// diagnose runs the checks. A finding without a verdict says that there is
// nothing to tell.
func (e *examination) diagnose() diagnosis {
	d := diagnosis{Server: e.server, Verdict: ok}
	all, answering := checks()
	if e.err == nil {
		all = append(all, answering...)
	} else {
		d.err = &hintedError{e.err, e.hint}
	}
	for _, c := range all {
		f := c.judge(e)
		if f.Verdict == "" {
			continue
		}
		f.Check = c.name
		d.Findings = append(d.Findings, f)
		d.Verdict = worse(d.Verdict, f.Verdict)
	}
	return d
}

func good(format string, args ...any) finding {
	return finding{Verdict: ok, Found: fmt.Sprintf(format, args...)}
}

// but turns f into a verdict with advice.
func (f finding) but(v verdict, advice string) finding {
	f.Verdict, f.Advice = v, advice
	return f
}

// notTold is the finding where the server is silent, as managed ones may be.
func notTold() finding { return good("the server does not tell") }

// number returns a statistic, and whether it is there and a number.
func number(stats map[string]string, name string) (uint64, bool) {
	n, err := strconv.ParseUint(strings.TrimSpace(stats[name]), 10, 64)
	return n, err == nil
}

func checkVersion(e *examination) finding {
	f := good("memcached %s", e.version)
	version, told := parseVersion(e.version)
	if !told {
		return f
	}
	if slices.Compare(version, []int{1, 4, 33}) < 0 {
		// CVE-2016-8704, 8705 and 8706: the binary protocol and its SASL.
		return f.but(fail, "update: before 1.4.33 whoever reaches the port can run code on the server")
	}
	var later []string
	for _, fixed := range securityReleases {
		if slices.Compare(version, fixed[:]) < 0 {
			later = append(later, fmt.Sprintf("%d.%d.%d", fixed[0], fixed[1], fixed[2]))
		}
	}
	if len(later) > 0 {
		return f.but(warn, fmt.Sprintf("update: %s fixed faults in security after it; a distribution's package may have them in its older version", strings.Join(later, ", ")))
	}
	return f
}

// securityReleases are those that fixed faults with which strangers can crash a
// server, or worse (github.com/memcached/memcached/wiki/ReleaseNotes1642).
var securityReleases = [][3]int{{1, 6, 42}, {1, 6, 43}, {1, 6, 45}}

// parseVersion reads the numbers that a version begins with.
func parseVersion(text string) (version []int, ok bool) {
	for part := range strings.SplitSeq(text, ".") {
		end := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' })
		digits := part
		if end >= 0 {
			digits = part[:end]
		}
		n, err := strconv.Atoi(digits)
		if err != nil {
			break
		}
		if version = append(version, n); end >= 0 {
			break
		}
	}
	return version, len(version) >= 3
}

// youngUptime is how long after a start a cache is still filling.
const youngUptime = 10 * time.Minute

func checkUptime(e *examination) finding {
	seconds, told := number(e.general, "uptime")
	if !told {
		return notTold()
	}
	up := time.Duration(min(seconds, 1<<32)) * time.Second
	if f := good("%s", up); up < youngUptime {
		return f.but(warn, "it started a moment ago, empty: misses are to be expected. If nobody restarted it, look at its log and at the kernel's (out of memory)")
	}
	return good("%s", up)
}

const (
	// itemOverhead is what an item needs besides key and value at least.
	itemOverhead = 59
	// roomyOverhead is enough for items that are kept in several chunks, too,
	// as those above half a megabyte are.
	roomyOverhead = 1024
)

func checkItemSize(e *examination) finding {
	size, told := number(e.settings, "item_size_max")
	if !told {
		return notTold()
	}
	limit, client := uint64(e.limit), bytesText(uint64(e.limit))
	if limit == 0 {
		limit, client = 1<<20-itemOverhead, "what fits 1 MiB"
	}
	f := good("the server takes %s, this client %s", bytesText(size), client)
	switch {
	case limit+itemOverhead > size:
		return f.but(warn, fmt.Sprintf("a value between the two deletes the old one before the server refuses it: give --max-item-size %d, and programs the same limit, or memcached -I %d", size-min(size, roomyOverhead), limit+roomyOverhead))
	case limit+roomyOverhead < size:
		return f.but(warn, fmt.Sprintf("the client refuses values that the server would take: give --max-item-size %d, and programs the same limit", size-roomyOverhead))
	}
	return f
}

// bytesText writes a number of bytes as memcached -I takes it.
func bytesText(n uint64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return count(n, "byte")
}

func checkCAS(e *examination) finding {
	switch e.settings["cas_enabled"] {
	case "yes":
		return good("on")
	case "no":
		return good("off").but(warn, "compare-and-swap does not work, nor what builds on it: leave out memcached -C")
	}
	return notTold()
}

func checkThreads(e *examination) finding {
	n, told := number(e.settings, "num_threads")
	if !told {
		if n, told = number(e.general, "threads"); !told {
			return notTold()
		}
	}
	return good("%s", count(n, "thread"))
}

// maxSkew is how far a server's clock, which counts whole seconds, may be off.
const maxSkew = 2 * time.Second

func checkClock(e *examination) finding {
	seconds, told := number(e.general, "time")
	if !told || seconds > 1<<40 {
		return notTold()
	}
	// The server's time lies in the second that it names, at some moment
	// between the question and the answer.
	server := time.Unix(int64(seconds), int64(time.Second/2))
	took := e.answered.Sub(e.asked)
	skew := server.Sub(e.asked.Add(took / 2))
	tolerance := maxSkew + took/2
	switch {
	case skew.Abs() <= tolerance:
		return good("agrees with this machine's")
	case skew > 0:
		return good("%s ahead of this machine's", skew.Round(time.Second)).but(warn, clockAdvice)
	default:
		return good("%s behind this machine's", -skew.Round(time.Second)).but(warn, clockAdvice)
	}
}

const clockAdvice = "times to live above 30 days are sent as a date and end too early or too late: have both machines' clocks set by NTP"

// slow is when an answer is far away for a cache.
const slow = 10 * time.Millisecond

func checkLatency(e *examination) finding {
	if len(e.pings) == 0 {
		return notTold()
	}
	sorted := slices.Sorted(slices.Values(e.pings))
	p50, p99 := percentile(sorted, 50), percentile(sorted, 99)
	f := good("p50 %.3f ms, p99 %.3f ms of %s", milliseconds(p50), milliseconds(p99), count(uint64(len(sorted)), "round trip"))
	switch {
	case p50 > slow:
		return f.but(warn, "a cache should be in the same data centre; ask for many keys at a time (bmc get KEY KEY …), which takes one round trip")
	case p99 > defaultClientTimeout/4:
		return f.but(warn, "some answers take a good part of the second after which programs give up by default: look at the load of both machines and the network between")
	}
	return f
}

// defaultClientTimeout is when programs give up that set no timeout.
const defaultClientTimeout = time.Second

// percentile returns the value that percent of the sorted ones do not exceed.
func percentile(sorted []time.Duration, percent int) time.Duration {
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}
