package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// How the raw peer loads a server.
const (
	rawConns  = 2
	rawBatch  = 64 // requests in a write
	rawWindow = 8  // writes ahead of the responses, per connection
)

// rawPeer is no client but the limit of one: requests encoded beforehand, 64 in
// a write, over two connections, and responses of which only the first header
// of a batch is looked at. It shows what the server and the loopback carry when
// the client costs next to nothing.
type rawPeer struct{}

func (rawPeer) Name() string   { return rawLimit }
func (rawPeer) Module() string { return "" }

func (rawPeer) Open(servers []string, _ int) (Client, error) {
	return &rawClient{addr: servers[0]}, nil
}

// driver is a Client that runs a measurement by itself in place of callers.
type driver interface {
	drive(d *dataset, p *phase) (ops int64, err error)
}

type rawClient struct{ addr string }

func (*rawClient) Get(string) ([]byte, error)                    { return nil, errUnsupported }
func (*rawClient) Set(string, []byte) error                      { return errUnsupported }
func (*rawClient) GetMulti([]string, func(string, []byte)) error { return errUnsupported }
func (*rawClient) SetMulti(keys []string, values [][]byte) error { return errUnsupported }
func (*rawClient) Close() error                                  { return nil }

// drive keeps all connections busy until p stops.
func (r *rawClient) drive(d *dataset, p *phase) (int64, error) {
	var (
		wg   sync.WaitGroup
		ops  atomic.Int64
		errs [rawConns]error
	)
	for i := range rawConns {
		wg.Go(func() {
			n, err := r.driveConn(d, p, i)
			ops.Add(n)
			errs[i] = err
		})
	}
	wg.Wait()
	return ops.Load(), errors.Join(errs[:]...)
}

// driveConn writes batches in one goroutine and reads their responses in this
// one; tokens bound how far the writer runs ahead.
func (r *rawClient) driveConn(d *dataset, p *phase, index int) (ops int64, err error) {
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		return 0, err
	}
	tokens := make(chan struct{}, rawWindow)
	writeErr := make(chan error, 1)
	go func() {
		defer close(tokens)
		writeErr <- writeBatches(conn, rawBatches(d, index), tokens, p)
	}()
	ops, err = readBatches(conn, d, tokens, p)
	conn.Close()
	for range tokens { // lets a writer go that waits for room
	}
	return ops, errors.Join(err, <-writeErr)
}

// rawBatches encodes the data set's keys as writes of 64 GETs; index offsets
// the connections against each other.
func rawBatches(d *dataset, index int) [][]byte {
	batches := make([][]byte, 0, keyCount/rawBatch)
	for start := 0; start < keyCount; start += rawBatch {
		var b []byte
		for i := range rawBatch {
			const get = 0x00
			b = appendRawGet(b, get, d.keys[(start+i+index*keyCount/rawConns)%keyCount])
		}
		batches = append(batches, b)
	}
	return batches
}

// appendRawGet appends a request of an opcode for a key.
func appendRawGet(b []byte, op byte, key string) []byte {
	b = append(b, 0x80, op)
	b = binary.BigEndian.AppendUint16(b, uint16(len(key)))
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(len(key)))
	b = append(b, make([]byte, 12)...)
	return append(b, key...)
}

// writeBatches writes until p stops; each token is a batch that is on its way.
func writeBatches(w io.Writer, batches [][]byte, tokens chan<- struct{}, p *phase) error {
	for i := 0; p.now() != stopped; i++ {
		if _, err := w.Write(batches[i%len(batches)]); err != nil {
			return err
		}
		tokens <- struct{}{}
	}
	return nil
}

// readBatches takes the responses of one batch per token and counts those that
// came while measuring.
func readBatches(r io.Reader, d *dataset, tokens <-chan struct{}, p *phase) (ops int64, err error) {
	const header, flags = 24, 4
	frame := header + flags + d.size
	buffered := bufio.NewReaderSize(r, 64<<10)
	for range tokens {
		first, err := buffered.Peek(header)
		if err != nil {
			return ops, err
		}
		if first[0] != 0x81 || binary.BigEndian.Uint32(first[8:]) != uint32(flags+d.size) {
			return ops, fmt.Errorf("%w: frame starts % x", errWrongValue, first[:12])
		}
		if _, err := buffered.Discard(frame * rawBatch); err != nil {
			return ops, err
		}
		if p.now() == measuring {
			ops += rawBatch
		}
	}
	return ops, nil
}
