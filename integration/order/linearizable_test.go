package order_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/integration/faultproxy"
)

const (
	fewCallers        = 5
	manyCallers       = 12  // share connections, and are there before the second is
	historyOperations = 120 // of all callers: what comes of more takes too long to check
	checkLimit        = 20 * time.Second
)

// Concurrent histories on few keys, through a network that delays, holds,
// swallows, cuts and resets: there must be an order of the operations that
// explains all answers and agrees with the times at which they were given.
// Writes that failed may have been carried out at any time since, unless their
// errors say that they were not.
func TestFaults_HistoriesAreLinearizable(t *testing.T) {
	onEveryServer(t, histories)
}

func histories(t *testing.T, addr string) {
	seed := seeded(t)
	end := time.Now().Add(lasting(t))
	var rounds, operations, unknown int
	for ; time.Now().Before(end) && !t.Failed(); rounds++ {
		h := newHistory(t, addr, seed, rounds)
		h.run()
		history := h.operations
		operations += len(history)
		for _, o := range history {
			if o.Output.(output).unknown {
				unknown++
			}
		}
		result, info := porcupine.CheckOperationsVerbose(model, history, checkLimit)
		switch result {
		case porcupine.Illegal:
			path := t.ArtifactDir() + "/history.html"
			if err := porcupine.VisualizePath(model, info, path); err != nil {
				t.Error(err)
			}
			t.Errorf("round %d: no order explains the answers; see %s", rounds, path)
		case porcupine.Unknown:
			t.Logf("round %d could not be checked within %v", rounds, checkLimit)
		}
	}
	t.Logf("%d rounds, %d operations, %d of them unknown", rounds, operations, unknown)
	if unknown == 0 {
		t.Error("every operation was answered: the test tests nothing")
	}
}

// history is one round: fresh keys, a fresh client and a network of its own.
type history struct {
	t       *testing.T
	seed    uint64
	round   int
	callers int
	proxy   *faultproxy.Proxy
	client  *memcached.Client
	start   time.Time

	mu         sync.Mutex // guards operations
	operations []porcupine.Operation
}

func newHistory(t *testing.T, addr string, seed uint64, round int) *history {
	h := &history{t: t, seed: seed, round: round, proxy: faultproxy.Start(t, addr)}
	random := h.random(0xfe)
	h.callers = fewCallers + random.IntN(manyCallers-fewCallers+1)
	h.client = open(t, h.proxy.Addr(), memcached.Options{
		Timeout: 40 * time.Millisecond, RetryAfter: 4 * time.Millisecond, MaxConns: [...]int{1, 3, 8}[random.IntN(3)],
	})
	h.start = time.Now()
	return h
}

// run makes the callers operate while the network changes, and returns when
// everything that was on its way has come.
func (h *history) run() {
	stop := make(chan struct{})
	var network, callers sync.WaitGroup
	network.Go(func() { h.disturb(stop) })
	for i := range h.callers {
		callers.Go(func() { h.operate(i) })
	}
	callers.Wait()
	close(stop)
	network.Wait()
	h.client.Close()
	h.proxy.Close()
}

func (h *history) random(stream int) *rand.Rand {
	return rand.New(rand.NewPCG(h.seed, uint64(h.round<<8+stream)))
}

// disturb changes the network until stop is closed, and releases what it held.
func (h *history) disturb(stop <-chan struct{}) {
	random := h.random(0xff)
	var held []chan struct{}
	release := func() {
		for _, c := range held {
			close(c)
		}
		held = nil
	}
	defer release()
	defer h.proxy.Use(faultproxy.Faults{})
	for {
		var d faultproxy.Direction
		switch random.IntN(7) {
		case 0:
			d.Delay = time.Duration(random.IntN(5000)) * time.Microsecond
		case 1, 2:
			c := make(chan struct{})
			held = append(held, c)
			d.Hold = c
		case 3:
			d.Swallow = true
		case 4:
			d.Cut, d.After, d.Reset = true, random.IntN(300), random.IntN(2) == 0
		case 5:
			h.proxy.CutClients(random.IntN(2) == 0)
		}
		if random.IntN(2) == 0 {
			h.proxy.Use(faultproxy.Faults{Requests: d})
		} else {
			h.proxy.Use(faultproxy.Faults{Responses: d})
		}
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(random.IntN(20)) * time.Millisecond): // how long it lasts
		}
		if random.IntN(3) == 0 {
			h.proxy.Use(faultproxy.Faults{})
			time.Sleep(time.Duration(random.IntN(5)) * time.Millisecond) // a good moment
		}
		if random.IntN(4) == 0 {
			release()
		}
	}
}

// operate does one caller's part of the history.
func (h *history) operate(caller int) {
	random := h.random(caller)
	for n := range historyOperations / h.callers {
		in := input{key: fmt.Sprintf("order-%d-%d-%d", h.seed, h.round, random.IntN(3))}
		in.op = [...]string{"get", "get", "get", "get", "set", "set", "set", "add", "append", "delete", "remove"}[random.IntN(11)]
		in.multi = random.IntN(3) == 0
		in.value = fmt.Sprintf("<%d.%d>", caller, n)
		if random.IntN(4) == 0 {
			in.key, in.value = in.key+"-counter", strconv.Itoa(1000*n)
			in.op = [...]string{"get", "add", "increment", "increment"}[random.IntN(4)]
		}
		limit := time.Second
		if random.IntN(3) == 0 {
			limit = time.Duration(random.IntN(3000)) * time.Microsecond
		}
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		call := int64(time.Since(h.start))
		out, err := do(ctx, h.client, in)
		h.note(caller, in, out, call, err)
		cancel()
	}
}

// do carries out an operation.
func do(ctx context.Context, client *memcached.Client, in input) (out output, err error) {
	item := &memcached.Item{Key: in.key, Value: []byte(in.value)}
	other := &memcached.Item{Key: in.key + "-other"}
	switch in.op {
	case "get":
		if in.multi {
			item, err = getMulti(ctx, client, other.Key, in.key)
		} else {
			item, err = client.Get(ctx, in.key)
		}
		if err == nil {
			out.value = string(item.Value)
		}
	case "set":
		if in.multi {
			err = of(client.SetMulti(ctx, []*memcached.Item{item, other}), in.key)
		} else {
			err = client.Set(ctx, item)
		}
	case "add":
		err = client.Add(ctx, item)
	case "append":
		err = client.Append(ctx, in.key, item.Value)
	case "delete":
		err = client.Delete(ctx, in.key)
	case "remove":
		err = of(client.DeleteMulti(ctx, []string{other.Key, in.key}), in.key)
	case "increment":
		var n uint64
		if n, err = client.Increment(ctx, in.key, 1); err == nil {
			out.value = strconv.FormatUint(n, 10)
		}
	}
	if err == memcached.ErrCacheMiss || err == memcached.ErrNotStored {
		return output{missed: true}, nil
	}
	return out, err
}

// getMulti is Get by GetMulti.
func getMulti(ctx context.Context, client *memcached.Client, other, key string) (*memcached.Item, error) {
	items, err := client.GetMulti(ctx, []string{other, key})
	if item := items[key]; item != nil {
		return item, nil
	}
	if err = of(err, key); err != nil {
		return nil, err
	}
	return nil, memcached.ErrCacheMiss
}

// of returns the part of err that concerns key.
func of(err error, key string) error {
	if multi, ok := errors.AsType[*memcached.MultiError](err); ok {
		return multi.Errors[key]
	}
	return err
}

// note adds an operation to the history, unless it certainly had no effect.
func (h *history) note(caller int, in input, out output, call int64, err error) {
	o := porcupine.Operation{ClientId: caller, Input: in, Output: out, Call: call, Return: int64(time.Since(h.start))}
	if err != nil {
		fault, ok := errors.AsType[*memcached.OpError](err)
		switch {
		case !ok:
			h.t.Errorf("%s = %v, want an answer or an OpError", in.op, err)
			return
		case fault.SafeToRetry():
			return
		}
		o.Output, o.Return = output{unknown: true}, math.MaxInt64
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.operations = append(h.operations, o)
}
