package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/session"
)

// Metrics of the row of sealing, in µs for each session.
const (
	metricSeal = "seal"
	metricOpen = "open"
)

// sealSize is how many bytes a session's values take.
const sealSize = 1 << 10

// sealRow is what keeping sessions from those who can read memcached costs:
// from a token to keys and name of the record, and sealing or opening it.
func sealRow() row {
	return row{
		Name: "seal1k", Group: groupHTTP,
		Title:   "session of 1 KB sealed and opened, with deriving its keys (SCSStore over a client that only keeps it)",
		Peers:   []string{ours},
		measure: func(_ *env, _ string, t timing) (map[string]float64, error) { return measureSeal(t) },
	}
}

func measureSeal(t timing) (map[string]float64, error) {
	ctx, kept := context.Background(), &keptItem{}
	store, err := session.NewSCS(kept, nil, sessionKey)
	if err != nil {
		return nil, err
	}
	data := bytes.Repeat([]byte("value "), sealSize/6+1)[:sealSize]
	token, expiry := strings.Repeat("t", 43), time.Now().Add(time.Hour)
	steps := []struct {
		metric string
		do     func() error
	}{
		{metricSeal, func() error { return store.CommitCtx(ctx, token, data, expiry) }},
		{metricOpen, func() error {
			got, _, err := store.FindCtx(ctx, token)
			if err == nil && !bytes.Equal(got, data) {
				err = fmt.Errorf("%w: %d bytes of a session", errWrongValue, len(got))
			}
			return err
		}},
	}
	metrics := map[string]float64{}
	for _, s := range steps {
		if _, err := costOf(s.do, t.warmup/2); err != nil {
			return nil, err
		}
		cost, err := costOf(s.do, t.duration/2)
		if err != nil {
			return nil, err
		}
		metrics[s.metric] = float64(cost) / float64(time.Microsecond)
		kept.shown = true
	}
	return metrics, nil
}

// costOf returns what one call takes: the median of batches, each so short that
// few are interrupted.
func costOf(do func() error, duration time.Duration) (time.Duration, error) {
	const batch = 50
	var took []time.Duration
	for end := time.Now().Add(duration); len(took) == 0 || time.Now().Before(end); {
		start := time.Now()
		for range batch {
			if err := do(); err != nil {
				return 0, err
			}
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return took[len(took)/2] / batch, nil
}

// keptItem is a client that keeps the last item, and shows it when told to. Like
// a real one it hands out values that belong to the caller.
type keptItem struct {
	session.Client
	item  memcached.Item
	shown bool
}

func (k *keptItem) Get(context.Context, string) (*memcached.Item, error) {
	if !k.shown {
		return nil, memcached.ErrCacheMiss
	}
	item := k.item
	item.Value = bytes.Clone(k.item.Value)
	return &item, nil
}

func (k *keptItem) Add(_ context.Context, item *memcached.Item) error {
	k.item = *item
	return nil
}
