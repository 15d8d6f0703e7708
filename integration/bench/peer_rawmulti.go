package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// rawMultiPeer is the limit of a GetMulti: batches of quiet gets encoded
// beforehand, of which the last is not quiet, over a connection for each caller.
// Each batch is written at once, and its responses are read before the next. It
// shows what the server and the loopback carry when the client costs next to
// nothing.
type rawMultiPeer struct{}

func (rawMultiPeer) Name() string   { return rawMulti }
func (rawMultiPeer) Module() string { return "" }

func (rawMultiPeer) Open(servers []string, callers int) (Client, error) {
	return &rawMultiClient{rawClient{addr: servers[0]}, callers}, nil
}

type rawMultiClient struct {
	rawClient
	conns int
}

// drive keeps all connections busy until p stops. It counts keys.
func (r *rawMultiClient) drive(d *dataset, p *phase) (int64, error) {
	var (
		wg   sync.WaitGroup
		ops  atomic.Int64
		errs = make([]error, r.conns)
	)
	batches := rawMultiBatches(d)
	for i := range r.conns {
		wg.Go(func() {
			n, err := r.driveMulti(d, p, batches, i*len(batches)/r.conns)
			ops.Add(n)
			errs[i] = err
		})
	}
	wg.Wait()
	return ops.Load(), errors.Join(errs...)
}

// driveMulti is one connection's turn through the batches, from one of them on.
func (r *rawMultiClient) driveMulti(d *dataset, p *phase, batches [][]byte, from int) (ops int64, err error) {
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	const head = 24 + 4 // with the flags
	answer := make([]byte, batchSize*(head+d.size))
	for i := from; ; i++ {
		now := p.now()
		if now == stopped {
			return ops, nil
		}
		if _, err := conn.Write(batches[i%len(batches)]); err != nil {
			return ops, err
		}
		if _, err := io.ReadFull(conn, answer); err != nil {
			return ops, err
		}
		for _, at := range []int{0, len(answer) - head - d.size} {
			if h := answer[at:]; h[0] != 0x81 || binary.BigEndian.Uint16(h[6:]) != 0 || binary.BigEndian.Uint32(h[8:]) != uint32(4+d.size) {
				return ops, fmt.Errorf("%w: response header % x", errWrongValue, h[:24])
			}
		}
		if now == measuring {
			ops += batchSize
		}
	}
}

// rawMultiBatches encodes the data set's keys as batches: GETQ for all but the
// last key, and GET for that.
func rawMultiBatches(d *dataset) [][]byte {
	var batches [][]byte
	for start := 0; start+batchSize <= len(d.keys); start += batchSize {
		var b []byte
		for i := range batchSize {
			const get, getq = 0x00, 0x09
			op := byte(getq)
			if i == batchSize-1 {
				op = get
			}
			b = appendRawGet(b, op, d.keys[start+i])
		}
		batches = append(batches, b)
	}
	return batches
}
