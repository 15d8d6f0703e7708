package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"time"

	chenyahui "github.com/chenyahui/gin-cache"
	"github.com/chenyahui/gin-cache/persist"
	contribredis "github.com/gin-contrib/sessions/redis"
	"github.com/go-redis/redis/v8"
)

func init() {
	sessionApps[ginContribRedis] = sessionRedis
	pageApps[ginCacheRedis] = pageRedis
}

// sessionRedis is gin-contrib/sessions over Redis as its documentation shows it,
// with a pool as large as the load.
func sessionRedis(addr string) (*webApp, error) {
	store, err := contribredis.NewStore(webConns, "tcp", addr, "", "", sessionKey)
	if err != nil {
		return nil, err
	}
	return newSessionApp(store, func() error { return nil }), nil
}

// pageRedis is chenyahui/gin-cache over Redis as its documentation shows it, with
// a pool as large as the load.
func pageRedis(addr string) (*webApp, error) {
	client := redis.NewClient(&redis.Options{Network: "tcp", Addr: addr, PoolSize: webConns})
	app := newPage(client.Close)
	app.engine.GET(app.path, chenyahui.CacheByRequestURI(persist.NewRedisStore(client), time.Hour), makePage(app.runs))
	return app, nil
}

// errNoRedis is what rows over Redis end with where there is none.
var errNoRedis = errors.New("bench: rows over Redis need redis-server on PATH (Debian: apt-get install redis-server)")

// redis returns a Redis, on all processors but the first if it is to leave that
// one alone.
func (e *env) redis(own bool) (*server, error) {
	slot, on := &e.redisAnywhere, anywhere
	if own {
		if !canPin() {
			return nil, errNoCPU
		}
		slot, on = &e.redisAside, otherCPUs()
	}
	if *slot != nil {
		return *slot, nil
	}
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, errNoRedis
	}
	*slot, err = startRedis(e.ctx, on, path)
	return *slot, err
}

// startRedis runs Redis on a free port of the loopback, without a disk. Threads
// for input and output need more processors than this measures on.
func startRedis(ctx context.Context, on cpus, path string) (*server, error) {
	addrs, err := freeAddrs(1)
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(addrs[0])
	args := []string{"--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no"}
	var output bytes.Buffer
	cmd := on.command(append([]string{path}, args...)...)
	cmd.Stdout = &output
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("bench: starting Redis: %w", err)
	}
	s := &server{addrs: addrs, command: "redis-server --save '' --appendonly no", stop: func() error { return endProcess(cmd) }}
	if err := awaitRedis(ctx, addrs[0]); err != nil {
		return nil, errors.Join(fmt.Errorf("bench: Redis does not answer: %w: %s", err, output.String()), s.stop())
	}
	return s, nil
}

// redisVersion returns what redis-server says of itself.
func redisVersion() string {
	out, _ := exec.Command("redis-server", "--version").Output()
	for field := range strings.FieldsSeq(string(out)) {
		if version, ok := strings.CutPrefix(field, "v="); ok {
			return version
		}
	}
	return "version unknown"
}

func awaitRedis(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		err := pingRedis(ctx, addr)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func pingRedis(ctx context.Context, addr string) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "PING\r\n"); err != nil {
		return err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && !strings.HasPrefix(answer, "+PONG") {
		err = fmt.Errorf("bench: unexpected answer %q", answer)
	}
	return err
}
