package main

import (
	"fmt"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Metrics of the scale rows.
const (
	metricBuild  = "build"  // ms
	metricResult = "result" // bytes of live heap that the result holds
	metricPeak   = "peak"   // bytes by which the heap grew at most during the call
	metricBeyond = "beyond" // peak less result
	metricTook   = "took"   // ms
)

// bigBatch is the number of keys of the largest multi-get.
const bigBatch = 100_000

// scaleRows are the rows about many servers and many keys.
func scaleRows() []row {
	var rows []row
	for _, callers := range []int{1, 64} {
		for _, n := range []int{1, 4, 16, clusterSize} {
			rows = append(rows, serversRow(n, callers))
		}
	}
	return append(rows, ringRow(), row{
		Name: "multiget100k", Group: groupScale, Once: true,
		Title: "GetMulti of 100,000 keys in one call",
		Peers: []string{ours, gomemcache}, // gomemcached writes all before it reads: it never comes back
		measure: func(e *env, peer string, _ timing) (map[string]float64, error) {
			data, err := e.load(e.server, 100, bigBatch)
			if err != nil {
				return nil, err
			}
			return measureBigBatch(peerByName(peer), e.server.addrs[:1], data)
		},
	})
}

// serversRow is Get over n servers, which are addresses of one memcached: the
// server's work stays the same, only the client's grows.
func serversRow(n, callers int) row {
	load := workloads[0]
	name := fmt.Sprintf("servers%d", n)
	if callers > 1 {
		name = fmt.Sprintf("servers%dx%d", n, callers)
	}
	return row{
		Name: name, Group: groupScale, Callers: callers, Unit: "ops/s", Baseline: gomemcache, Slices: loadSlices,
		Title: fmt.Sprintf("Get 100 B, %s, %s", counted(n, "server"), counted(callers, "caller")),
		Peers: []string{ours, gomemcache},
		measure: func(e *env, peer string, t timing) (map[string]float64, error) {
			s, err := e.cluster()
			if err != nil {
				return nil, err
			}
			data, err := e.load(s, load.size, keyCount)
			if err != nil {
				return nil, err
			}
			return measureLoad(peerByName(peer), s.addrs[:n], load, data, callers, t)
		},
	}
}

// measureBigBatch watches the heap during one large multi-get. The collector
// runs often meanwhile, so that the peak shows what is in use and not what
// waits to be collected.
func measureBigBatch(peer Peer, servers []string, data *dataset) (map[string]float64, error) {
	client, err := peer.Open(servers, 1)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	if _, err := client.Get(data.keys[0]); err != nil { // connects
		return nil, err
	}
	defer debug.SetGCPercent(debug.SetGCPercent(5))

	var (
		found        int
		took         time.Duration
		most, result uint64
	)
	before := liveMemory().HeapAlloc
	peak := watchHeap()
	start := time.Now()
	err = client.GetMulti(data.keys, func(key string, value []byte) {
		if found == 0 { // the library is done
			took, most = time.Since(start), peak()
		}
		if data.check(key, value) == nil {
			found++
		}
		if found == len(data.keys) { // and its result still held
			result = liveMemory().HeapAlloc - before
		}
	})
	if err == nil && found != len(data.keys) {
		err = fmt.Errorf("%w: %d of %d keys came back", errWrongValue, found, len(data.keys))
	}
	if err != nil {
		return nil, err
	}
	grew := float64(most) - float64(before)
	return map[string]float64{
		metricResult: float64(result),
		metricPeak:   grew,
		metricBeyond: grew - float64(result),
		metricTook:   float64(took) / float64(time.Millisecond),
	}, nil
}

// watchHeap looks at the heap every millisecond until the returned function is
// called, which tells the most that it saw.
func watchHeap() (stop func() uint64) {
	done, most := make(chan struct{}), make(chan uint64)
	go func() {
		look := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		var peak uint64
		for {
			metrics.Read(look)
			peak = max(peak, look[0].Value.Uint64())
			select {
			case <-ticker.C:
			case <-done:
				most <- peak
				return
			}
		}
	}()
	return func() uint64 { close(done); return <-most }
}
