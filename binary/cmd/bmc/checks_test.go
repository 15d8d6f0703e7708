package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// stats are statistics as "name value" pairs.
func stats(pairs ...string) map[string]string {
	m := map[string]string{}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, " ")
		m[name] = value
	}
	return m
}

func TestChecks(t *testing.T) {
	t.Parallel()
	const second = int64(1_700_000_000)
	at := time.Unix(second, 0)
	at = at.Add(500 * time.Millisecond)
	clock := func(offset int64, took time.Duration) *examination {
		return &examination{
			general: stats(fmt.Sprintf("time %d", second+offset)),
			asked:   at.Add(-took / 2), answered: at.Add(took / 2),
		}
	}
	pings := func(ms ...int) *examination {
		e := &examination{}
		for _, n := range ms {
			e.pings = append(e.pings, time.Duration(n)*time.Millisecond)
		}
		return e
	}
	general := func(pairs ...string) *examination { return &examination{general: stats(pairs...)} }
	settings := func(pairs ...string) *examination { return &examination{settings: stats(pairs...)} }
	for _, test := range []struct {
		check func(*examination) finding
		e     *examination
		want  verdict
		word  string
	}{
		{checkVersion, &examination{version: "1.6.18"}, warn, "1.6.42, 1.6.43, 1.6.45"},
		{checkVersion, &examination{version: "1.6.42"}, warn, "update: 1.6.43, 1.6.45"},
		{checkVersion, &examination{version: "1.6.44"}, warn, "update: 1.6.45"},
		{checkVersion, &examination{version: "1.6.45"}, ok, "1.6.45"},
		{checkVersion, &examination{version: "1.6.100"}, ok, "1.6.100"},
		{checkVersion, &examination{version: "1.7.0"}, ok, "1.7.0"},
		{checkVersion, &examination{version: "1.4.33"}, warn, "1.6.42"},
		{checkVersion, &examination{version: "1.4.32"}, fail, "update"},
		{checkVersion, &examination{version: "1.4.4-14-g9c660c0"}, fail, "update"},
		{checkVersion, &examination{version: "managed"}, ok, "managed"},
		{checkVersion, &examination{version: "2"}, ok, "2"},

		{checkUptime, general("uptime 599"), warn, "9m59s"},
		{checkUptime, general("uptime 600"), ok, "10m0s"},
		{checkUptime, general("uptime 18446744073709551615"), ok, "h"},
		{checkUptime, general(), ok, "does not tell"},

		{checkItemSize, settings("item_size_max 1048576"), ok, "the server takes 1 MiB, this client what fits 1 MiB"},
		{checkItemSize, settings("item_size_max 524288"), warn, "512 KiB"},
		{checkItemSize, settings("item_size_max 2097152"), warn, "give --max-item-size 2096128"},
		{checkItemSize, &examination{limit: 2096128, settings: stats("item_size_max 2097152")}, ok, ""},
		{checkItemSize, &examination{limit: 2097152, settings: stats("item_size_max 2097152")}, warn, "deletes the old one"},
		{checkItemSize, settings("item_size_max 1"), warn, "1 byte"},
		{checkItemSize, settings(), ok, "does not tell"},

		{checkCAS, settings("cas_enabled yes"), ok, "on"},
		{checkCAS, settings("cas_enabled no"), warn, "-C"},
		{checkCAS, settings("cas_enabled perhaps"), ok, "does not tell"},

		{checkHitRatio, general("cmd_get 0", "get_hits 0"), ok, "nothing was read"},
		{checkHitRatio, general("cmd_get 999", "get_hits 1"), ok, "0.1 %"},
		{checkHitRatio, general("cmd_get 1000", "get_hits 499"), warn, "49.9 % of 1000 reads"},
		{checkHitRatio, general("cmd_get 1000", "get_hits 500"), ok, "50.0 %"},
		{checkHitRatio, general("cmd_get 1000"), ok, "does not tell"},

		{checkEvictions, general("evictions 0", "total_items 5", "bytes 512", "limit_maxbytes 1024"), ok, "none; 50.0 % of 1 KiB in use"},
		{checkEvictions, general("evictions 9", "total_items 1000"), ok, "9 of 1000 items"},
		{checkEvictions, general("evictions 10", "total_items 1000"), warn, "more memory"},
		{checkEvictions, general("total_items 1000"), ok, "does not tell"},

		{checkOutOfMemory, &examination{items: stats()}, ok, "never"},
		{checkOutOfMemory, &examination{items: stats("items:1:number 5", "items:1:outofmemory 0")}, ok, "never"},
		{checkOutOfMemory, &examination{items: stats("items:1:outofmemory 1", "items:39:outofmemory 2")}, warn, "3 writes refused"},
		{checkOutOfMemory, &examination{items: stats("items:1:outofmemory 1"), settings: stats("evictions off")}, warn, "-M"},
		{checkOutOfMemory, &examination{}, ok, "does not tell"},

		{checkConnections, general("curr_connections 79", "max_connections 100"), ok, "79 of 100"},
		{checkConnections, general("curr_connections 80", "max_connections 100"), warn, "-c"},
		{checkConnections, general("curr_connections 100", "max_connections 100", "accepting_conns 0"), fail, "no more"},
		{checkConnections, &examination{general: stats("curr_connections 5"), settings: stats("maxconns 6")}, warn, "5 of 6"},
		{checkConnections, general("curr_connections 5"), ok, "5"},
		{checkConnections, general(), ok, "does not tell"},

		{checkRejected, general("rejected_connections 0", "listen_disabled_num 0"), ok, "no connection"},
		{checkRejected, general("rejected_connections 3", "listen_disabled_num 0"), warn, "3 connections"},
		{checkRejected, general("listen_disabled_num 1"), warn, "1 time"},
		{checkRejected, general(), ok, "does not tell"},

		{checkThreads, settings("num_threads 4"), ok, "4 threads"},
		{checkThreads, general("threads 1"), ok, "1 thread"},
		{checkThreads, general(), ok, "does not tell"},

		{checkClock, clock(0, 0), ok, "agrees"},
		{checkClock, clock(2, 0), ok, "agrees"},
		{checkClock, clock(-2, 0), ok, "agrees"},
		{checkClock, clock(3, 0), warn, "3s ahead"},
		{checkClock, clock(-3, 0), warn, "3s behind"},
		{checkClock, clock(3, 2*time.Second), ok, "agrees"},
		{checkClock, clock(4, 2*time.Second), warn, "4s ahead"},
		{checkClock, general("time 9999999999999999999"), ok, "does not tell"},
		{checkClock, general(), ok, "does not tell"},

		{checkLatency, pings(1, 1, 1, 1), ok, "p50 1.000 ms, p99 1.000 ms of 4 round trips"},
		{checkLatency, pings(1, 2, 300), warn, "p50 2.000 ms, p99 300.000 ms"},
		{checkLatency, pings(11, 11, 1), warn, "data centre"},
		{checkLatency, pings(), ok, "does not tell"},

		{checkFlush, settings("flush_enabled yes"), ok, "allowed"},
		{checkFlush, settings("flush_enabled no"), ok, "forbidden"},
		{checkFlush, settings(), ok, "does not tell"},
		{checkUDP, settings("udpport 0"), ok, "off"},
		{checkUDP, settings("udpport 11211"), warn, "-U 0"},
		{checkUDP, settings(), "", ""},
	} {
		wantFinding(t, test.check(test.e), test.want, test.word)
	}
}

func wantFinding(t *testing.T, got finding, want verdict, word string) {
	t.Helper()
	if got.Verdict != want || !strings.Contains(got.Found+" "+got.Advice, word) {
		t.Errorf("found %+v, want %s with %q", got, want, word)
	}
	if (got.Verdict == warn) != (got.Advice != "") && got.Verdict != fail {
		t.Errorf("found %+v: advice is for what is not in order, which has some", got)
	}
}

func TestChecks_OfAccess(t *testing.T) {
	t.Parallel()
	refused := fmt.Errorf("%w: no", memcached.ErrAuth)
	away := fmt.Errorf("%w: no", memcached.ErrUnavailable)
	encrypted := &tls.ConnectionState{Version: tls.VersionTLS13, CipherSuite: tls.TLS_AES_128_GCM_SHA256}
	expiring := func(left ...time.Duration) *examination {
		state := &tls.ConnectionState{}
		for _, d := range left {
			state.PeerCertificates = append(state.PeerCertificates, &x509.Certificate{NotAfter: time.Now().Add(d)})
		}
		return &examination{tls: state}
	}
	const day = 24 * time.Hour
	for _, test := range []struct {
		check func(*examination) finding
		e     *examination
		want  verdict
		word  string
	}{
		{checkConnection, &examination{connect: time.Millisecond}, ok, "1.000 ms"},
		{checkConnection, &examination{err: refused}, ok, ""},
		{checkConnection, &examination{err: away, hint: "do this"}, fail, "do this"},

		{checkTLS, &examination{tls: encrypted}, ok, "TLS 1.3, TLS_AES_128_GCM_SHA256"},
		{checkTLS, &examination{tls: encrypted, insecure: true}, warn, "--insecure"},
		{checkTLS, &examination{local: true}, ok, "this machine"},
		{checkTLS, &examination{}, warn, "-Z"},
		{checkTLS, &examination{err: away}, "", ""},

		{checkCertificate, expiring(100*day + time.Hour), ok, "(100 days)"},
		{checkCertificate, expiring(29 * day), warn, "renew"},
		{checkCertificate, expiring(100*day, day+time.Hour), warn, "(1 day)"},
		{checkCertificate, expiring(-day), fail, "expired"},
		{checkCertificate, expiring(), "", ""},
		{checkCertificate, &examination{}, "", ""},

		{checkMechanisms, &examination{}, ok, "SASL is off"},
		{checkMechanisms, &examination{err: away}, "", ""},
		{checkMechanisms, &examination{sasl: meeting{asked: true, offered: []string{"PLAIN", "scram-sha-256"}}}, ok, "PLAIN scram-sha-256"},
		{checkMechanisms, &examination{sasl: meeting{asked: true, offered: []string{"PLAIN", "CRAM-MD5"}}}, warn, "TLS"},
		{checkMechanisms, &examination{sasl: meeting{asked: true, secure: true, offered: []string{"PLAIN"}}}, ok, "PLAIN"},
		{checkMechanisms, &examination{sasl: meeting{asked: true}}, fail, "libsasl2-modules"},

		{checkAuthentication, &examination{err: refused, hint: "do this"}, fail, "do this"},
		{checkAuthentication, &examination{err: away}, "", ""},
		{checkAuthentication, &examination{username: "app", sasl: meeting{used: "PLAIN"}}, ok, "as app with PLAIN"},
		{checkAuthentication, &examination{local: true}, ok, "this machine"},
		{checkAuthentication, &examination{}, warn, "-S"},
		{checkAuthentication, &examination{tls: encrypted, settings: stats("ssl_verify_mode 3")}, ok, "client certificate"},
		{checkAuthentication, &examination{tls: encrypted, settings: stats("ssl_verify_mode 1")}, warn, "-S"},
	} {
		wantFinding(t, test.check(test.e), test.want, test.word)
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(i+1))
	}
	for _, test := range []struct {
		sorted  []time.Duration
		percent int
		want    time.Duration
	}{
		{hundred, 50, 50}, {hundred, 99, 99}, {hundred[:1], 50, 1}, {hundred[:1], 99, 1}, {hundred[:3], 50, 2}, {hundred[:50], 99, 50},
	} {
		if got := percentile(test.sorted, test.percent); got != test.want {
			t.Errorf("percentile %d of %d = %d, want %d", test.percent, len(test.sorted), got, test.want)
		}
	}
}
