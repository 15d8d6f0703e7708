package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/placement"
)

func TestPlace_IsWhereKeysAreStored(t *testing.T) {
	t.Parallel()
	servers := map[string]*memcachedtest.Server{}
	var addrs []string
	var s shell
	for range 3 {
		var server *memcachedtest.Server
		server, s = secured(t, nil)
		servers[server.Addr()] = server
		addrs = append(addrs, server.Addr())
	}
	s.env["MEMCACHED_SERVERS"] = strings.Join(addrs, ",")
	weight := []string{"--weight", addrs[1] + "=5"}
	used := map[string]int{}
	for _, name := range distributionNames() {
		for i := range 20 {
			key := fmt.Sprintf("%s:%d", name, i)
			s.run(append(weight, "set", key, "x", "--distribution", name)...).want(0, "stored "+key+"\n")
			var holder string
			for addr, server := range servers {
				if slices.Contains(server.Keys(), key) {
					holder = addr
				}
			}
			used[holder]++
			s.run(append(weight, "place", key, "--distribution", strings.ToUpper(name))...).want(0, key+" "+holder+"\n")
			if all := s.run(append(weight, "place", key)...).stdout; !strings.Contains(all, fmt.Sprintf("\n  %-19s  %s\n", name, holder)) {
				t.Errorf("bmc place %s printed\n%swant %s: %s", key, all, name, holder)
			}
		}
	}
	if len(used) != 3 {
		t.Errorf("the keys are on %v, want some on each server", used)
	}
}

func TestPlace_BMemcachedHashesTheCredentials(t *testing.T) {
	t.Parallel()
	servers := []memcached.Server{{Addr: "cache-1:11211", Weight: 1}, {Addr: "cache-2:11211", Weight: 1}, {Addr: "cache-3:11211", Weight: 1}}
	pick := placement.BMemcached(username, password)(servers)
	s := shell{t: t, env: map[string]string{
		"MEMCACHED_SERVERS": "cache-1,cache-2,cache-3", "MEMCACHED_USERNAME": username, "MEMCACHED_PASSWORD": password,
	}}
	var keys []string
	want := ""
	for i := range 20 {
		key := fmt.Sprintf("key:%d", i)
		keys = append(keys, key)
		want += key + " " + strings.TrimSuffix(servers[pick(key)].Addr, ":11211") + "\n"
	}
	s.run(append([]string{"place", "--distribution", "bmemcached"}, keys...)...).want(0, want)
}

func TestPlace_SendsNothing(t *testing.T) {
	t.Parallel()
	s := shell{t: t}
	s.run("place", "key", "--servers", "cache-1,cache-2:11212", "--distribution", "ketama").wantError(0)
	s.run("place", "key").wantError(exitUsage, "MEMCACHED_SERVERS")
	s.env = map[string]string{"MEMCACHED_SERVERS": "cache-1,cache-2", "MEMCACHED_USERNAME": username}
	s.run("place", "key").wantError(0, "warning", "password")
	s.run("place", "key", "--distribution", "dalli").wantError(0)
}
