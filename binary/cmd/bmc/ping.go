package main

import (
	"context"
	"flag"
	"sync"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

func pingCommand() command {
	return command{
		name: "ping", summary: "ask every server for an answer",
		details: "Shows how long connecting (TLS and authentication included) and one answer " +
			"after that took.",
		setup: func(*flag.FlagSet) action { return ping },
	}
}

type pingResult struct {
	Servers []pingOfServer `json:"servers"`
}

type pingOfServer struct {
	Server    string  `json:"server"`
	OK        bool    `json:"ok"`
	ConnectMS float64 `json:"connect_ms,omitempty"`
	AnswerMS  float64 `json:"answer_ms,omitempty"`
}

func ping(ctx context.Context, t *tool, _ []string) (result, error) {
	servers, err := t.serverList()
	if err != nil {
		return nil, err
	}
	opts, err := t.options(ctx)
	if err != nil {
		return nil, err
	}
	watch := &stopwatch{took: map[string][]time.Duration{}}
	opts.Tracer = watch
	client, err := memcached.New(servers, opts)
	if err != nil {
		return nil, usagef("%w", err)
	}
	defer client.Close()
	err = client.Ping(ctx)
	if ctx.Err() == nil && len(watch.took) > 0 {
		_ = client.Ping(ctx) // those that failed did so above
	}
	found := &pingResult{}
	for _, server := range servers {
		one := pingOfServer{Server: server}
		if took := watch.took[server]; len(took) == 2 {
			one.OK, one.ConnectMS, one.AnswerMS = true, milliseconds(took[0]), milliseconds(took[1])
		}
		found.Servers = append(found.Servers, one)
	}
	return found, err
}

func (p *pingResult) text(out *printer) {
	for _, s := range p.Servers {
		if s.OK {
			out.line("%s answers in %.3f ms, connected in %.3f ms", s.Server, s.AnswerMS, s.ConnectMS)
		}
	}
}

// stopwatch is a Tracer that notes how long the operations on each server took
// that succeeded.
type stopwatch struct {
	mu   sync.Mutex // guards took
	took map[string][]time.Duration
}

type startKey struct{}

// OpStart notes the time.
func (*stopwatch) OpStart(ctx context.Context, _ memcached.Op) context.Context {
	return context.WithValue(ctx, startKey{}, time.Now())
}

// OpEnd notes how long it took.
func (w *stopwatch) OpEnd(ctx context.Context, op memcached.Op, err error) {
	if start, ok := ctx.Value(startKey{}).(time.Time); ok && err == nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.took[op.Server] = append(w.took[op.Server], time.Since(start))
	}
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond)) / float64(time.Millisecond)
}
