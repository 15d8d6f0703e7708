package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
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
