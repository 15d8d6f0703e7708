package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// loadEnv makes this program measure one contestant, so that it can have its own
// GOMAXPROCS, or be a program that was built otherwise.
const loadEnv = "BENCH_LOAD"

// loadOrder says what is to be measured. The server holds the data already.
type loadOrder struct {
	Peer, Server     string
	Load             string // a workload
	Callers          int
	Warmup, Duration time.Duration
}

// loadAnswer is what came out.
type loadAnswer struct {
	Metrics map[string]float64
	Error   string
	Wrong   bool // the error is of a wrong value
}

// runLoad measures a contestant in a process of program.
func runLoad(ctx context.Context, program []string, order loadOrder, env ...string) (map[string]float64, error) {
	c, err := startChild(ctx, anywhere, program, loadEnv, order, env...)
	if err != nil {
		return nil, err
	}
	var answer loadAnswer
	if err := c.announced(&answer); err != nil {
		return nil, err
	}
	err = c.stop()
	switch {
	case answer.Wrong:
		return nil, fmt.Errorf("%w: %s", errWrongValue, answer.Error)
	case answer.Error != "":
		return nil, errors.New(answer.Error)
	}
	return answer.Metrics, err
}

// serveLoad is that process.
func serveLoad(text string, _ io.Reader, stdout io.Writer) error {
	var order loadOrder
	if err := json.Unmarshal([]byte(text), &order); err != nil {
		return fmt.Errorf("bench: order of a load: %w", err)
	}
	w, ok := workloadByName(order.Load)
	peer := peerByName(order.Peer)
	if !ok || peer == nil {
		return fmt.Errorf("bench: no workload %q of %q", order.Load, order.Peer)
	}
	data := newDataset(w.size, cmp.Or(w.keys, keyCount))
	t := timing{warmup: order.Warmup, duration: order.Duration}
	metrics, err := measureLoad(peer, []string{order.Server}, w, data, order.Callers, t)
	answer := loadAnswer{Metrics: metrics}
	if err != nil {
		answer.Error, answer.Wrong = err.Error(), errors.Is(err, errWrongValue)
	}
	return json.NewEncoder(stdout).Encode(answer)
}
