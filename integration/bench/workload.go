package main

import (
	"fmt"
	"time"
)

// batchSize is the number of keys of a multi operation.
const batchSize = 100

// Values of 1 MiB are as long as memcached's default -I lets them be. There are
// as many as its memory holds beside everything else.
const (
	largeSize = 1<<20 - 1<<10
	largeKeys = 128
)

// workload is one kind of work that callers repeat.
type workload struct {
	name   string
	title  string
	size   int // bytes of a value
	keys   int // a power of two; 0: keyCount
	ops    int // what one call counts for
	sample int // every how many calls one is timed
	do     func(c Client, w *worker) error
}

// workloads lists what the client rows are made of. Timing a call costs about
// two clock reads, so of the short ones only every eighth is timed, the same
// for all peers.
var workloads = []workload{
	{name: "get", title: "Get 100 B", size: 100, ops: 1, sample: 8, do: doGet},
	{name: "set", title: "Set 100 B", size: 100, ops: 1, sample: 8, do: doSet},
	{name: "mixed", title: "90 % Get, 10 % Set, 4 KiB", size: 4096, ops: 1, sample: 8, do: doMixed},
	{name: "large", title: "90 % Get, 10 % Set, 1 MiB", size: largeSize, keys: largeKeys, ops: 1, sample: 1, do: doMixed},
	{name: "getmulti", title: "GetMulti of 100 keys", size: 100, ops: batchSize, sample: 1, do: doGetMulti},
	{name: "setmulti", title: "SetMulti of 100 keys", size: 100, ops: batchSize, sample: 1, do: doSetMulti},
}

// workloadByName returns the workload of that name; ok is false for none.
func workloadByName(name string) (w workload, ok bool) {
	for _, w := range workloads {
		if w.name == name {
			return w, true
		}
	}
	return workload{}, false
}

// worker is the state of one caller.
type worker struct {
	data   *dataset
	random uint64
	value  []byte   // a buffer for the value of a Set
	keys   []string // buffers for the keys and values of a batch
	values [][]byte

	calls   int64 // of those that started while measuring
	samples []time.Duration
}

// newWorker returns caller number id of load over data.
func newWorker(load workload, data *dataset, id int) *worker {
	w := &worker{
		data:    data,
		random:  uint64(id+1) * 0x9e3779b97f4a7c15,
		value:   data.buffer(),
		samples: make([]time.Duration, 0, 1024),
	}
	if load.ops == 1 {
		return w
	}
	w.keys = make([]string, load.ops)
	for range load.ops {
		w.values = append(w.values, data.buffer())
	}
	return w
}

// next returns a random number (xorshift64).
func (w *worker) next() uint64 {
	w.random ^= w.random << 13
	w.random ^= w.random >> 7
	w.random ^= w.random << 17
	return w.random
}

// pick returns a random key.
func (w *worker) pick() string { return w.data.keys[w.next()&uint64(len(w.data.keys)-1)] }

// pickBatch fills w.keys with distinct keys, from a random place on.
func (w *worker) pickBatch() {
	start := w.next()
	for i := range w.keys {
		w.keys[i] = w.data.keys[(start+uint64(i))&(keyCount-1)]
	}
}

func doGet(c Client, w *worker) error {
	key := w.pick()
	value, err := c.Get(key)
	if err != nil {
		return err
	}
	return w.data.check(key, value)
}

func doSet(c Client, w *worker) error {
	key := w.pick()
	w.data.fill(w.value, key)
	return c.Set(key, w.value)
}

func doMixed(c Client, w *worker) error {
	if w.next()%10 == 0 {
		return doSet(c, w)
	}
	return doGet(c, w)
}

func doGetMulti(c Client, w *worker) error {
	w.pickBatch()
	found, wrong := 0, error(nil)
	err := c.GetMulti(w.keys, func(key string, value []byte) {
		found++
		if err := w.data.check(key, value); err != nil {
			wrong = err
		}
	})
	if err != nil {
		return err
	}
	if wrong == nil && found != len(w.keys) {
		wrong = fmt.Errorf("%w: %d of %d keys came back", errWrongValue, found, len(w.keys))
	}
	return wrong
}

func doSetMulti(c Client, w *worker) error {
	w.pickBatch()
	for i, key := range w.keys {
		w.data.fill(w.values[i], key)
	}
	return c.SetMulti(w.keys, w.values)
}
