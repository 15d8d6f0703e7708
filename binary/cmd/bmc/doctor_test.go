package main

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// line returns what doctor says about one thing, of the first server: its
// verdict, and the text with the advice.
func (o outcome) line(check string) (v, text string) {
	o.t.Helper()
	lines := strings.Split(o.stdout, "\n")
	i := slices.IndexFunc(lines, func(line string) bool {
		return len(line) > 8 && strings.HasPrefix(line[8:], check+"  ")
	})
	if i < 0 {
		return "", ""
	}
	text = strings.TrimSpace(lines[i][8+len(check):])
	for _, more := range lines[i+1:] {
		if !strings.HasPrefix(more, "          ") {
			break
		}
		text += " " + strings.TrimSpace(more)
	}
	return strings.Fields(lines[i])[0], text
}

// wantLine checks what doctor says about one thing; no verdict: nothing.
func (o outcome) wantLine(check, v, word string) {
	o.t.Helper()
	got, text := o.line(check)
	if got != v || !strings.Contains(text, word) {
		o.t.Errorf("bmc %q: %s: %s %q, want %s with %q\n%s", o.args, check, got, text, v, word, o.stdout)
	}
}

func TestDoctor_ServerWithSASL(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	o := s.run("doctor").wantError(0)
	if !strings.HasPrefix(o.stdout, server.Addr()+": WARN\n") { // it has just started
		t.Errorf("bmc doctor printed\n%s", o.stdout)
	}
	o.wantLine("connection", "OK", "ms")
	o.wantLine("tls", "OK", "this machine")
	o.wantLine("certificate", "", "")
	o.wantLine("mechanisms", "OK", "SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN")
	o.wantLine("authentication", "OK", "as app with SCRAM-SHA-256")
	o.wantLine("version", "WARN", "1.6.18")
	o.wantLine("uptime", "WARN", "→")
	o.wantLine("item size", "OK", "1 MiB")
	o.wantLine("cas", "OK", "on")
	o.wantLine("clock", "OK", "agrees")
	o.wantLine("flush", "OK", "allowed")
	o.wantLine("latency", o.verdictOf("latency"), "of 50 round trips")
	if keys := server.Keys(); len(keys) != 0 {
		t.Errorf("doctor stored %q", keys)
	}
	s.run("doctor", "--strict").wantError(exitUnhealthy, server.Addr())
	s.run("doctor", "--pings", "3", "--mechanism", "plain").wantLine("authentication", "OK", "with PLAIN")
}

func (o outcome) verdictOf(check string) string {
	v, _ := o.line(check)
	return v
}

func TestDoctor_EveryCheckHasALine(t *testing.T) {
	t.Parallel()
	c, s := encrypted(t, inYears(1))
	o := s.run("doctor", "--ca", c.file).wantError(0)
	always, answering := checks()
	for _, check := range append(always, answering...) {
		if o.verdictOf(check.name) == "" {
			t.Errorf("bmc doctor says nothing about %s:\n%s", check.name, o.stdout)
		}
	}
}

func TestDoctor_Settings(t *testing.T) {
	t.Parallel()
	_, s := secured(t, &memcachedtest.Options{
		DisableCAS: true, DisableFlush: true, MaxItemSize: 4 << 20, Mechanisms: []string{"PLAIN"},
	})
	o := s.run("doctor")
	o.wantLine("cas", "WARN", "-C")
	o.wantLine("flush", "OK", "forbidden")
	o.wantLine("item size", "WARN", "4193280")
	o.wantLine("mechanisms", "OK", "PLAIN") // on this machine
	s.run("doctor", "--max-item-size", "4193280").wantLine("item size", "OK", "4 MiB")
	s.run("doctor", "--max-item-size", "5m").wantLine("item size", "WARN", "deletes")
}

func TestDoctor_Clock(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	server.Advance(time.Hour)
	o := s.run("doctor")
	o.wantLine("clock", "WARN", "ahead")
	o.wantLine("uptime", "OK", "1h0m")
}

func TestDoctor_Certificate(t *testing.T) {
	t.Parallel()
	c, s := encrypted(t, time.Now().Add(5*24*time.Hour+time.Hour))
	o := s.run("doctor", "--ca", c.file).wantError(0)
	o.wantLine("tls", "OK", "TLS 1.3")
	o.wantLine("certificate", "WARN", "(5 days)")
	o.wantLine("authentication", "OK", "SCRAM-SHA-256")

	c, s = encrypted(t, time.Now().Add(-time.Hour))
	o = s.run("doctor", "--ca", c.file).wantError(exitUnavailable, "expired")
	o.wantLine("connection", "FAIL", "expired")
	o = s.run("doctor", "--insecure").wantError(exitUnhealthy, "warning")
	o.wantLine("tls", "WARN", "--insecure")
	o.wantLine("certificate", "FAIL", "expired")
	s.run("doctor", "--tls").wantLine("connection", "FAIL", "TLS")
}

func TestDoctor_RefusedAndMissingCredentials(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	s.env["MEMCACHED_PASSWORD"] = wrong
	o := s.run("doctor").wantError(exitAuth, server.Addr(), "hint: check the user name")
	o.wantLine("connection", "OK", "")
	o.wantLine("mechanisms", "OK", "SCRAM-SHA-256")
	o.wantLine("authentication", "FAIL", "check the user name")
	o.wantLine("version", "", "")

	o = (shell{t: t}).run("doctor", "--servers", server.Addr()).wantError(exitAuth)
	o.wantLine("mechanisms", "OK", "SCRAM-SHA-256") // learnt without credentials
	o.wantLine("authentication", "FAIL", "set --username")

	free, _ := open(t, nil)
	o = s.run("doctor", "--servers", free.Addr()).wantError(exitAuth)
	o.wantLine("mechanisms", "OK", "SASL is off")
	o.wantLine("authentication", "FAIL", "leave out --username")
	o = (shell{t: t}).run("doctor", "--servers", free.Addr()).wantError(0)
	o.wantLine("authentication", "OK", "nobody has to")
}

func TestDoctor_SeveralServers(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	other, _ := secured(t, &memcachedtest.Options{Mechanisms: []string{"CRAM-MD5"}})
	dead, _ := secured(t, nil)
	dead.Stop()
	s.env["MEMCACHED_SERVERS"] = strings.Join([]string{dead.Addr(), server.Addr(), other.Addr()}, ",")
	o := s.run("doctor", "--weight", server.Addr()+"=3").wantError(exitUnavailable, dead.Addr())
	o.wantLine("connection", "FAIL", "refused")
	sections := strings.Split(o.stdout, "\n\n")
	if len(sections) != 3 || !strings.HasPrefix(sections[0], dead.Addr()+": FAIL") ||
		!strings.HasPrefix(sections[1], server.Addr()+": ") || !strings.Contains(sections[1], "with SCRAM-SHA-256") ||
		!strings.HasPrefix(sections[2], other.Addr()+": ") || !strings.Contains(sections[2], "with CRAM-MD5") {
		t.Errorf("bmc doctor printed\n%s", o.stdout)
	}
	var r reply
	if s.run("doctor", "--json").decode(&r); r.Exit != exitUnavailable || r.Result.Verdict != "FAIL" || len(r.Result.Servers) != 3 ||
		r.Result.Servers[0].Verdict != "FAIL" || r.Result.Servers[1].Verdict == "FAIL" || len(r.Result.Servers[1].Findings) < 15 {
		t.Errorf("bmc doctor --json reads %+v", r)
	}
}

func TestDoctor_ServerThatTellsLittle(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		if r.Key == "settings" || r.Key == "items" {
			return memcachedtest.Action{Status: memcached.StatusUnknownCommand}
		}
		return memcachedtest.Action{}
	})
	o := s.run("doctor").wantError(0)
	o.wantLine("item size", "OK", "does not tell")
	o.wantLine("out of memory", "OK", "does not tell")
	o.wantLine("hit ratio", "OK", "")
}

func TestDoctor_ServerThatEndsWhileItIsExamined(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		return memcachedtest.Action{Close: r.Key == "settings", Skip: r.Key == "settings"}
	})
	o := s.run("doctor", "--timeout", "2s").wantError(exitUnavailable, server.Addr())
	o.wantLine("connection", "FAIL", "")
}

func TestDoctor_OldTLSIsRefused(t *testing.T) {
	t.Parallel()
	c := newCertificate(t, inYears(1))
	_, s := secured(t, &memcachedtest.Options{TLS: &tls.Config{
		Certificates: []tls.Certificate{c.pair}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11,
	}})
	s.run("doctor", "--ca", c.file).wantError(exitUnavailable).wantLine("connection", "FAIL", "version")
}
