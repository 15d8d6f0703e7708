package main

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// startTest returns an environment with a real memcached. It outlives t's context,
// which ends before the environment is closed: that would kill its processes.
func startTest(t *testing.T) *env {
	t.Helper()
	e, err := newEnv(context.WithoutCancel(t.Context()), serverOptions{image: "memcached:1.6"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// The adapters must do what they claim, or ratios compare different work.
func TestPeers_StoreAndFetch(t *testing.T) {
	e := startTest(t)
	for _, peer := range peers {
		if isRaw(peer.Name()) {
			continue
		}
		t.Run(peer.Name(), func(t *testing.T) {
			s, err := e.serverOf(peer)
			if err != nil {
				t.Fatal(err)
			}
			c, err := peer.Open(s.addrs, 2)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			key, want := "bench:test:"+peer.Name(), []byte("value of "+peer.Name())
			if err := c.Set(key, want); err != nil {
				t.Fatal(err)
			}
			if got, err := c.Get(key); err != nil || !bytes.Equal(got, want) {
				t.Errorf("Get(%q) = %q, %v, want %q", key, got, err, want)
			}
			if _, err := c.Get("bench:test:absent"); err == nil {
				t.Error("Get of a missing key gives no error, want a miss")
			}
			if slices.Contains(multiClients, peer.Name()) {
				testMulti(t, c, peer.Name())
			}
		})
	}
}

func testMulti(t *testing.T, c Client, name string) {
	keys := []string{"bench:test:1:" + name, "bench:test:2:" + name, "bench:test:3:" + name}
	values := [][]byte{[]byte("one"), []byte("two"), []byte("three")}
	if err := c.SetMulti(keys, values); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	err := c.GetMulti(append(keys, "bench:test:absent"), func(key string, value []byte) { found[key] = string(value) })
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range keys {
		if found[key] != string(values[i]) {
			t.Errorf("GetMulti found %q under %q, want %q", found[key], key, values[i])
		}
	}
	if len(found) != len(keys) {
		t.Errorf("GetMulti found %d keys, want %d", len(found), len(keys))
	}
}

// Every default row runs for each contestant on a real server.
func TestClientRows_Run(t *testing.T) {
	e := startTest(t)
	for _, name := range []string{
		"get2", "get512", "get8awake", "get8delay1ms", "set64", "mixed64", "large64", "getmulti1", "setmulti16", "servers4",
		"storeget64", "storeset64", "storetag16", "storechurn1", "storecpu1", "storegettag64", "storeinvalidate1", "storeload64",
	} {
		rows, err := selectRows(defaultRows(), name, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, peer := range rows[0].Peers {
			m, err := measureSomething(e, rows[0], peer)
			if err != nil {
				t.Errorf("%s, %s: %v", name, peer, err)
				continue
			}
			if m[metricRate] <= 0 || m[metricCPU] <= 0 || !isRaw(peer) && (m[metricP50] <= 0 || m[metricP99] < m[metricP50]) {
				t.Errorf("%s, %s: metrics %v make no sense", name, peer, m)
			}
		}
	}
}

// isRaw tells whether a contestant is no client: nobody times its calls.
func isRaw(peer string) bool { return peer == rawLimit || peer == rawMulti }

// measureSomething measures for longer and longer until a call was timed: on a
// busy machine a batch may take more than a short measurement.
func measureSomething(e *env, r row, peer string) (m map[string]float64, err error) {
	for d := 50 * time.Millisecond; d < 5*time.Second; d *= 4 {
		m, err = r.measure(e, peer, timing{warmup: 10 * time.Millisecond, duration: d})
		if err != nil || m[metricRate] > 0 && (isRaw(peer) || m[metricP50] > 0) {
			break
		}
	}
	return m, err
}

// liar is a client that answers every Get with the value of one key.
type liar struct {
	Client
	value []byte
}

func (l *liar) Get(string) ([]byte, error) { return l.value, nil }
func (*liar) Close() error                 { return nil }

type liarPeer struct {
	Peer
	value []byte
}

func (l liarPeer) Open([]string, int) (Client, error) { return &liar{value: l.value}, nil }

func TestMeasureLoad_NoticesWrongValues(t *testing.T) {
	data := newDataset(100, keyCount)
	value := data.buffer()
	data.fill(value, data.keys[0])
	quick := timing{warmup: 10 * time.Millisecond, duration: 50 * time.Millisecond}
	_, err := measureLoad(liarPeer{value: value}, nil, workloads[0], data, 2, quick)
	if !errors.Is(err, errWrongValue) {
		t.Errorf("measureLoad of a client that lies = %v, want errWrongValue", err)
	}
	if err := data.check(data.keys[0], value[:50]); !errors.Is(err, errWrongValue) {
		t.Errorf("check of half a value = %v, want errWrongValue", err)
	}
}
