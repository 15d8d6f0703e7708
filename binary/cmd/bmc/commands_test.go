package main

import (
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

func TestSet_FromArgumentInputAndFile(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	wantItem := func(value string) {
		t.Helper()
		if item, _ := server.Item("key"); item == nil || string(item.Value) != value {
			t.Errorf("stored %+v, want the value %q", item, value)
		}
	}
	s.run("set", "key", "one").want(0, "stored key\n")
	wantItem("one")
	s.stdin = strings.NewReader("two\n")
	s.run("set", "key").want(0, "stored key\n")
	wantItem("two\n")
	s.stdin = strings.NewReader("\x00\xff")
	s.run("set", "key", "-").want(0, "stored key\n")
	wantItem("\x00\xff")
	s.run("set", "key", "--file", write(t, []byte("four"), 0o600)).want(0, "stored key\n")
	wantItem("four")
	s.run("set", "key", "--", "--file").want(0, "stored key\n")
	wantItem("--file")
	s.run("set", "key", "").want(0, "stored key\n")
	wantItem("")
}

func TestSet_FlagsAndTTL(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	s.run("set", "key", "value", "--ttl", "1h", "--flags", "0x10").want(0, "stored key\n")
	item, _ := server.Item("key")
	if item == nil || item.Flags != 16 || item.TTL < 59*time.Minute || item.TTL > time.Hour {
		t.Errorf("stored %+v, want flags 16 and an hour to live", item)
	}
	s.run("touch", "--ttl", "7d", "key").want(0, "touched key\n")
	if item, _ := server.Item("key"); item == nil || item.TTL < 6*24*time.Hour || item.TTL > 7*24*time.Hour {
		t.Errorf("touched to %+v, want seven days to live", item)
	}
}

func TestSet_Conditions(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	s.run("set", "--replace", "key", "value").wantError(exitMiss, "not stored", "key")
	s.run("set", "--add", "key", "value").want(0, "stored key\n")
	s.run("set", "--add", "key", "other").wantError(exitMiss, "not stored", "key")
	s.run("set", "--replace", "key", "second").want(0, "stored key\n")
	s.run("set", "--cas", "9999", "key", "other").wantError(exitMiss, "conflict", "key")
	s.run("set", "--cas", "9999", "nothing", "other").wantError(exitMiss, "miss", "nothing")

	var found struct{ Result getResult }
	s.run("--json", "get", "key").decode(&found)
	cas := found.Result.Items[0].CAS
	s.run("set", "key", "third", "--cas", decimal(cas)).want(0, "stored key\n")
	if item, _ := server.Item("key"); string(item.Value) != "third" {
		t.Errorf("stored %q, want %q", item.Value, "third")
	}
	s.run("delete", "key", "--cas", decimal(cas)).wantError(exitMiss, "conflict", "key")
}

func TestGet_OneKeyIsTheValueAlone(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	server.SetItem(&memcached.Item{Key: "key", Value: []byte("a\x1b[31m\xff\n"), Flags: 3})
	s.run("get", "key").want(0, "a\x1b[31m\xff\n")
	s.run("get", "nothing").want(exitMiss, "").wantError(exitMiss, "cache miss: nothing")
	item, _ := server.Item("key")
	s.run("get", "--meta", "key").want(0, "key: 8 bytes, flags 3, cas "+decimal(item.CAS)+"\na\x1b[31m\xff\n\n")
}

func TestGet_SeveralKeys(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	server.SetItem(&memcached.Item{Key: "one", Value: []byte("1")})
	server.SetItem(&memcached.Item{Key: "two", Value: []byte("22")})
	one, _ := server.Item("one")
	two, _ := server.Item("two")
	want := "one: 1 byte, flags 0, cas " + decimal(one.CAS) + "\n1\n" + "two: 2 bytes, flags 0, cas " + decimal(two.CAS) + "\n22\n"
	s.run("get", "one", "two", "one").want(0, want)
	s.run("get", "one", "nothing", "two").want(exitMiss, want).wantError(exitMiss, "nothing")
	s.run("get", "--raw", "two", "one").want(0, "221")
}

func TestGet_TerminalIsNotTakenOver(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	server.SetItem(&memcached.Item{Key: "key", Value: []byte("a\x1b]0;title\x07\r\u009b31m\u202eb\tc\nd\xff\x7f")})
	s.terminal = true
	s.run("get", "key").want(0, `a\x1b]0;title\a\r\u009b31m\u202eb`+"\tc\nd\\xff\\x7f\n")
	s.run("get", "key", "--raw").want(0, "a\x1b]0;title\x07\r\u009b31m\u202eb\tc\nd\xff\x7f")
}

func TestAppendAndPrepend(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	s.run("append", "key", "x").wantError(exitMiss, "not stored", "key")
	s.run("set", "key", "b").want(0, "stored key\n")
	s.run("append", "key", "c").want(0, "stored key\n")
	s.stdin = strings.NewReader("a")
	s.run("prepend", "key").want(0, "stored key\n")
	if item, _ := server.Item("key"); string(item.Value) != "abc" {
		t.Errorf("stored %q, want abc", item.Value)
	}
}

func TestDelete_SeveralKeys(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	for _, key := range []string{"a", "b", "c"} {
		server.SetItem(&memcached.Item{Key: key})
	}
	s.run("delete", "a", "nothing", "b").want(exitMiss, "deleted a\ndeleted b\n").wantError(exitMiss, "nothing")
	if keys := server.Keys(); len(keys) != 1 || keys[0] != "c" {
		t.Errorf("left %q, want c", keys)
	}
	s.run("touch", "--ttl", "60", "c", "a").want(exitMiss, "touched c\n")
}

func TestCounters(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	s.run("incr", "n").wantError(exitMiss, "n")
	s.run("incr", "n", "--initial", "5", "--ttl", "60").want(0, "5\n")
	if item, _ := server.Item("n"); item.TTL <= 0 || item.TTL > time.Minute {
		t.Errorf("n lives for %v, want a minute", item.TTL)
	}
	s.run("incr", "n").want(0, "6\n")
	s.run("incr", "n", "18446744073709551609").want(0, "18446744073709551615\n")
	s.run("decr", "n", "18446744073709551600").want(0, "15\n")
	s.run("decr", "n", "100").want(0, "0\n")
	s.run("decr", "m", "--initial", "9").want(0, "9\n")
}

func TestFlush_AsksForYes(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	server.SetItem(&memcached.Item{Key: "key"})
	s.run("flush").wantError(exitUsage, server.Addr(), "--yes")
	s.run("stats", "reset").wantError(exitUsage, "--yes")
	if len(server.Keys()) != 1 {
		t.Error("flush removed the key without --yes")
	}
	s.run("flush", "--yes", "--after", "1h").want(0, "flushed "+server.Addr()+"\n")
	if len(server.Keys()) != 1 {
		t.Error("flush --after 1h removed the key at once")
	}
	s.run("flush", "--yes").want(0, "flushed "+server.Addr()+"\n")
	if keys := server.Keys(); len(keys) != 0 {
		t.Errorf("flush left %q", keys)
	}
}

func TestServers_AnswersOfTheHealthyArePrinted(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	dead, _ := secured(t, nil)
	dead.Stop()
	s.env["MEMCACHED_SERVERS"] += " , " + dead.Addr()
	s.run("versions").want(exitUnavailable, server.Addr()+" 1.6.18\n").wantError(exitUnavailable, dead.Addr())
	s.run("flush", "--yes").want(exitUnavailable, "flushed "+server.Addr()+"\n")
	for _, args := range [][]string{{"ping"}, {"stats"}, {"stats", "settings"}} {
		o := s.run(args...).wantError(exitUnavailable, dead.Addr())
		if !strings.HasPrefix(o.stdout, server.Addr()) || strings.Contains(o.stdout, dead.Addr()) {
			t.Errorf("bmc %q printed %q, want what %s answered", args, o.stdout, server.Addr())
		}
	}
}

func TestStats(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	if o := s.run("stats"); !strings.Contains(o.stdout, "\n  version") {
		t.Errorf("bmc stats printed %q, want a version", o.stdout)
	}
	var found struct {
		Result struct {
			Servers []struct {
				Server string
				Stats  map[string]string
			}
		}
	}
	s.run("stats", "settings", "--json").decode(&found)
	if r := found.Result.Servers; len(r) != 1 || r[0].Server != server.Addr() || r[0].Stats["item_size_max"] != "1048576" {
		t.Errorf("bmc stats settings --json = %+v", found)
	}
	s.run("stats", "nonsense").wantError(exitRefused, "nonsense")
	s.run("stats", "reset", "--yes").want(0, server.Addr()+"\n")
}

func TestCommands_OverTLS(t *testing.T) {
	t.Parallel()
	c, s := encrypted(t, inYears(1))
	s.run("set", "key", "value", "--ca", c.file).want(0, "stored key\n")
	s.run("--ca", c.file, "get", "key").want(0, "value")
	s.run("--insecure", "get", "key").want(0, "value").wantError(0, "warning", "not checked")
	s.run("--tls", "get", "key").wantError(exitUnavailable, "certificate", "hint: ", "--ca")
	s.run("--ca", c.file, "--server-name", "cache.test", "get", "key").want(0, "value")
	s.run("--ca", c.file, "--server-name", "other.test", "get", "key").wantError(exitUnavailable, "--server-name")
	s.run("get", "key", "--timeout", "2s").wantError(exitUnavailable, "TLS", "--tls")
	for _, value := range []string{c.file, "ON"} {
		s.env["MEMCACHED_TLS"] = value
		if o := s.run("get", "key", "--server-name", "cache.test"); (o.code == 0) != (value == c.file) {
			t.Errorf("MEMCACHED_TLS=%s: exit %d, %s", value, o.code, o.stderr)
		}
	}
}

func TestCommands_ClientCertificate(t *testing.T) {
	t.Parallel()
	c := newCertificate(t, inYears(1))
	config := c.serverConfig()
	_, s := secured(t, &memcachedtest.Options{TLS: config})
	s.run("ping", "--ca", c.file).wantError(exitUnavailable, "certificate")
	s.run("set", "key", "value", "--ca", c.file, "--cert", c.file, "--key", c.key).want(0, "stored key\n")
	s.run("get", "key", "--ca", c.file, "--cert", c.both).want(0, "value")
}

func TestTLS_ServerWithout(t *testing.T) {
	t.Parallel()
	_, s := secured(t, nil)
	s.run("get", "key", "--tls", "--timeout", "2s").wantError(exitUnavailable, "TLS")
}

func TestTLS_FlagOverridesTheEnvironment(t *testing.T) {
	t.Parallel()
	c := newCertificate(t, inYears(1))
	_, s := secured(t, nil)
	for _, value := range []string{"on", c.file} {
		s.env["MEMCACHED_TLS"] = value
		s.run("get", "key", "--tls=false").wantError(exitMiss)
		s.run("--tls=false", "get", "key").wantError(exitMiss)
		s.run("get", "key", "--timeout", "2s").wantError(exitUnavailable, "TLS")
		s.run("--tls=false", "get", "key", "--tls", "--timeout", "2s").wantError(exitUnavailable, "TLS") // the last one counts
	}
	for _, other := range []string{"--ca=" + c.file, "--cert=" + c.both, "--server-name=cache.test", "--insecure"} {
		s.run("get", "key", "--tls=false", other).wantError(exitUsage, "--tls=false", strings.SplitN(other, "=", 2)[0])
	}
	s.run("get", "key", "--tls=perhaps").wantError(exitUsage, "perhaps")
}

func TestMechanism_IsTheOneThatWasChosen(t *testing.T) {
	t.Parallel()
	for _, mechanism := range []string{"PLAIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"} {
		_, s := secured(t, &memcachedtest.Options{Mechanisms: []string{mechanism}})
		s.run("set", "key", "value", "--mechanism", strings.ToLower(mechanism)).want(0, "stored key\n")
		s.run("get", "key", "--mechanism", "auto").want(0, "value")
		for _, other := range []string{"plain", "cram-md5", "scram-sha-1", "scram-sha-256"} {
			if other != strings.ToLower(mechanism) {
				s.run("get", "key", "--mechanism", other).wantError(exitAuth, mechanism, "--mechanism")
			}
		}
	}
}
