package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/store"
)

// removes notes that something that removes a value begins, 1, or ends, -1. A Set
// beside it need not be what counts.
func (m *model) removes(key string, begins int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys[key].removals++
	m.keys[key].removing += begins
}

// change makes the values of a key old that are from before it.
func (m *model) change(key string, f func() error) {
	began := m.clock.Add(1)
	m.removes(key, 1)
	defer m.removes(key, -1)
	err := f()
	m.logf("change of %s, begun at %d: %v", key, began, err)
	if err == nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.keys[key].floor = max(m.keys[key].floor, began)
	}
}

// set sets a value, which may be from any time until it was acknowledged.
func (m *model) set(p *process, key string) {
	began := m.clock.Add(1)
	m.mu.Lock()
	removals, removing := m.keys[key].removals, m.keys[key].removing
	m.mu.Unlock()
	err := p.Set(m.t.Context(), key, fmt.Sprint("set ", began), libstore.WithExpiration(time.Hour), tagged("tag of "+key))
	m.logf("set %s = %d: %v", key, began, err)
	if err == nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.acknowledged[fmt.Sprint("set ", began)] = m.clock.Add(1)
		if k := m.keys[key]; began > k.set && removing == 0 {
			k.set, k.setIn = began, removals
		}
	}
}

func (m *model) clear(p *process) {
	if m.opts.Prefix == "" {
		m.excuse()
	}
	for key := range m.keys {
		m.change(key, func() error { return p.Clear(m.t.Context()) })
	}
	if m.opts.Prefix == "" {
		m.excuse()
	}
}

// excuse notes that memcached may have lost the locks of the loads that run.
func (m *model) excuse() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.keys {
		k.lost = time.Now()
	}
}

// floorOf returns what a call that begins may not go below, and whether that still
// holds when it ends.
func (m *model) floorOf(p *process, key string) func() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, faults := m.keys[key], p.faults.Load()
	floor, set, setIn := k.floor, k.set, k.setIn
	return func() int64 {
		m.mu.Lock()
		defer m.mu.Unlock()
		switch {
		case p.dies.Err() != nil || p.faults.Load() != faults:
			return 0
		case k.removals == setIn:
			return max(floor, set)
		default:
			return floor
		}
	}
}

// check compares what a call returned with its floor.
func (m *model) check(op, key, value string, floor int64) {
	from, err := strconv.ParseInt(value, 10, 64)
	if strings.HasPrefix(value, "set ") {
		m.mu.Lock()
		defer m.mu.Unlock()
		var known bool
		if from, known = m.acknowledged[value]; !known {
			return
		}
	} else if err != nil {
		m.t.Error(err)
	}
	if from < floor {
		m.t.Errorf("%s(%s) returned %q, which is from before %d", op, key, value, floor)
	}
}

func (m *model) get(p *process, key string) {
	floor := m.floorOf(p, key)
	got, err := p.Get(m.t.Context(), key)
	m.logf("%p Get(%s) = %v, %v", p, key, got, err)
	if err == nil {
		m.check("Get", key, got.(string), floor())
	}
}

func (m *model) getOrLoad(r *rand.Rand, p *process, key string) {
	ctx, within := m.t.Context(), modelBound
	if r.IntN(3) == 0 {
		within = time.Duration(10+r.IntN(3000)) * time.Millisecond
		limited, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		ctx = limited
	}
	ttl := time.Duration(1+r.IntN(20)) * time.Second
	load := m.loader(r.Uint64(), p, key)
	began, floor := time.Now(), m.floorOf(p, key)
	defer func() {
		if v := recover(); v != nil && !strings.Contains(fmt.Sprint(v), "as planned") {
			panic(v)
		}
	}()
	got, err := p.GetOrLoad(ctx, key, ttl, load, tagged("tag of "+key))
	// Delays do not end with the context, and a call can have some in a row.
	if took := time.Since(began); took > within+10*modelSlow {
		m.t.Errorf("GetOrLoad(%s) = %q, %v after %v, want an answer within %v", key, got, err, took, within)
	}
	m.logf("%p GetOrLoad(%s) = %q, %v", p, key, got, err)
	if err == nil {
		m.check("GetOrLoad", key, got, floor())
	}
}

// loader returns a load.
func (m *model) loader(seed uint64, p *process, key string) func(ctx context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		r := rand.New(rand.NewPCG(seed, 0))
		from := m.clock.Add(1)
		m.logf("%p loads %s from %d", p, key, from)
		defer m.logf("%p has loaded %s from %d", p, key, from)
		defer m.loading(p, key)()
		takes := time.Duration(r.IntN(200)) * time.Millisecond
		switch r.IntN(20) {
		case 0:
			takes = time.Duration(r.IntN(4000)) * time.Millisecond
		case 1:
			takes = time.Hour
		}
		select {
		case <-time.After(takes):
		case <-ctx.Done():
			return "", ctx.Err()
		case <-p.dies.Done():
			return "", memcached.ErrClosed
		}
		switch r.IntN(20) {
		case 0:
			panic("as planned")
		case 1:
			return "", store.ErrNotFound
		case 2, 3, 4:
			return "", errDatabase
		}
		return fmt.Sprint(from), nil
	}
}

// loading notes that a process loads a key, until what it returns is called.
func (m *model) loading(p *process, key string) (done func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.keys[key]
	for _, other := range k.running {
		// A lock is taken some operations before the load begins.
		if excused := k.lost.After(other.began.Add(-10 * modelSlow)); !excused && !m.faults && other.dies.Err() == nil && p.dies.Err() == nil {
			m.t.Errorf("two loads of %s at once", key)
		}
	}
	own := running{p, time.Now()}
	k.running = append(k.running, own)
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		i := slices.Index(k.running, own)
		k.running = slices.Delete(k.running, i, i+1)
	}
}

// disturb evicts items and kills processes.
func (m *model) disturb(stop <-chan struct{}) {
	r := rand.New(rand.NewPCG(m.seed, 999))
	evicts := connect(m.t, nil, m.servers...)
	for id := uint64(100); ; id++ {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(r.IntN(1000)) * time.Millisecond):
		}
		if r.IntN(20) == 0 {
			m.kill(r, id)
			continue
		}
		var all []string
		for _, s := range m.servers {
			all = append(all, s.Keys()...)
		}
		if len(all) == 0 {
			continue
		}
		victim := all[r.IntN(len(all))]
		m.logf("evict %s", victim)
		m.evicted(victim, 1)
		if err := evicts.Delete(m.t.Context(), victim); err != nil && !errors.Is(err, memcached.ErrCacheMiss) {
			m.t.Error(err)
		}
		m.evicted(victim, -1)
	}
}

// evicted notes that an item is evicted, once before it is and once after.
func (m *model) evicted(victim string, begins int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, k := range m.keys {
		switch {
		case victim == memcached.SafeKey(m.opts.Prefix, "\x00lock\x00"+key):
			k.lost = time.Now()
		case victim == key || strings.HasPrefix(victim, m.opts.Prefix) && strings.HasSuffix(victim, ":"+key), m.opts.Prefix != "":
			k.removals++
			k.removing += begins
		}
	}
}

// kill ends a process in the middle of what it does, and starts another one.
func (m *model) kill(r *rand.Rand, id uint64) {
	fresh := m.start(id)
	m.mu.Lock()
	i := r.IntN(len(m.processes))
	dying := m.processes[i]
	m.processes[i] = fresh
	m.mu.Unlock()
	m.logf("kill %p for %p", dying, fresh)
	dying.die()
	_ = dying.Close()
}
