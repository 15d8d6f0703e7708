package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/store"
)

const (
	modelTimeout = 5 * time.Second // Options.LoadTimeout
	// modelSlow is the longest delay of an operation.
	modelSlow = 400 * time.Millisecond
	// modelBound is how long a call without a deadline takes at most, while others
	// change what it wants.
	modelBound = 2 * time.Minute
)

// model is a fleet in which everything happens at random. What a value is from is a
// number of one sequence, which counts all that happens.
type model struct {
	t       *testing.T
	seed    uint64
	opts    store.Options
	servers []*memcachedtest.Server
	faults  bool // operations fail
	clock   atomic.Int64

	mu        sync.Mutex // guards the fields below
	processes []*process
	keys      map[string]*modelKey

	acknowledged map[string]int64 // values that were set, and when that was done
}

// modelKey is what the model knows of a key.
type modelKey struct {
	floor    int64     // nothing from before it may be returned
	set      int64     // the same of a Set, while memcached has its value
	setIn    int       // removals before that
	removals int       // of the value: evictions and changes, each when it begins and when it ends
	removing int       // those that have begun and not ended
	running  []running // loads of it
	lost     time.Time // when memcached may last have lost the lock
}

// running is a load.
type running struct {
	*process
	began time.Time
}

// process is one of the fleet.
type process struct {
	*store.Typed[string]
	dies   context.Context
	die    context.CancelFunc
	faults atomic.Int64
}

// TestFleetModel runs fleets at random: STORE_MODEL_SEEDS is how many, and
// STORE_MODEL_SEED is the first, or the only one.
//
//   - Who calls after a change gets nothing whose load began before it.
//   - No two processes load a key at once.
//   - Every caller gets an answer in time.
func TestFleetModel(t *testing.T) {
	seeds, first := 10, rand.Uint64N(1e9)
	if n, err := strconv.Atoi(os.Getenv("STORE_MODEL_SEEDS")); err == nil {
		seeds = n
	}
	if n, err := strconv.ParseUint(os.Getenv("STORE_MODEL_SEED"), 10, 64); err == nil {
		first = n
	}
	for i := range uint64(seeds) {
		t.Run(fmt.Sprint(first+i), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newModel(t, first+i).run() })
		})
		if t.Failed() {
			return
		}
	}
}

func newModel(t *testing.T, seed uint64) *model {
	r := rand.New(rand.NewPCG(seed, 0))
	m := &model{t: t, seed: seed, keys: map[string]*modelKey{}, acknowledged: map[string]int64{}, faults: r.IntN(3) == 0}
	m.opts = store.Options{
		LoadTimeout:  modelTimeout,
		KeepStale:    []time.Duration{0, 0, time.Minute}[r.IntN(3)],
		RefreshAhead: []time.Duration{0, -1, time.Second}[r.IntN(3)],
		Prefix:       []string{"", "p:"}[r.IntN(2)],
	}
	for range 1 + r.IntN(2) {
		m.servers = append(m.servers, memcachedtest.Start(t, nil))
	}
	for i := range 2 + r.IntN(2) {
		m.processes = append(m.processes, m.start(uint64(i)))
	}
	for i := range 2 {
		m.keys[fmt.Sprint("k", i)] = new(modelKey)
	}
	return m
}

// start starts a process.
func (m *model) start(id uint64) *process {
	p := new(process)
	p.dies, p.die = context.WithCancel(context.Background())
	var mu sync.Mutex // guards r
	r := rand.New(rand.NewPCG(m.seed, 1000+id))
	chance := func(n int) int { mu.Lock(); defer mu.Unlock(); return r.IntN(n) }
	pause := func() {
		switch chance(20) {
		case 0, 1, 2:
			time.Sleep(time.Duration(chance(20)) * time.Millisecond)
		case 3:
			time.Sleep(time.Duration(chance(int(modelSlow/time.Millisecond))) * time.Millisecond)
		}
	}
	h := &hooked{
		Client: connect(m.t, &memcached.Options{Timeout: time.Second}, m.servers...),
		before: func(op string, _ ...string) error {
			pause()
			switch {
			case p.dies.Err() != nil:
				return memcached.ErrClosed
			case m.faults && chance(30) == 0:
				p.faults.Add(1)
				return &memcached.OpError{Op: op, Err: memcached.ErrUnavailable}
			}
			return nil
		},
		after: func(string, ...string) { pause() },
	}
	p.Typed = newTyped[string](m.t, h, &m.opts)
	return p
}

// pick returns a process and a key.
func (m *model) pick(r *rand.Rand) (*process, string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.processes[r.IntN(len(m.processes))], fmt.Sprint("k", r.IntN(len(m.keys)))
}

func (m *model) run() {
	var wg sync.WaitGroup
	for actor := range uint64(8) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(m.seed, 1+actor))
			for range 40 {
				m.act(r)
				time.Sleep(time.Duration(r.IntN(200)) * time.Millisecond)
			}
		})
	}
	stop := make(chan struct{})
	var chaos sync.WaitGroup
	chaos.Go(func() { m.disturb(stop) })
	wg.Wait()
	close(stop)
	chaos.Wait()
	for _, p := range m.processes {
		if err := p.Close(); err != nil {
			m.t.Errorf("Close = %v", err)
		}
	}
}

// act does something, as a user of a process.
func (m *model) act(r *rand.Rand) {
	p, key := m.pick(r)
	ctx := m.t.Context()
	n := r.IntN(100)
	switch {
	case n < 60:
		m.getOrLoad(r, p, key)
	case n < 75:
		m.get(p, key)
	case n < 81:
		m.change(key, func() error { return p.Delete(ctx, key) })
	case n < 84:
		m.change(key, func() error { return p.DeleteMulti(ctx, []string{"other", key}) })
	case n < 91:
		m.change(key, func() error {
			return p.Invalidate(ctx, libstore.WithInvalidateTags([]string{"tag of " + key}))
		})
	case n < 97:
		m.set(p, key)
	default:
		m.clear(p)
	}
}

// logf is for who looks for a reason: it says what happened with STORE_MODEL_LOG.
func (m *model) logf(format string, args ...any) {
	if os.Getenv("STORE_MODEL_LOG") != "" {
		m.t.Logf("%s %d: %s", time.Now().Format("05.000"), m.clock.Load(), fmt.Sprintf(format, args...))
	}
}

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
