package languages_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
)

// answerLimit is how long a driver may take for an answer. It includes the start
// of its interpreter.
const answerLimit = 30 * time.Second

// A driver is a program in another language that does with its memcached client
// what it is asked for, and answers, in lines of JSON. One test at a time uses it.
type driver struct {
	name    string
	program program
	answers *json.Decoder
	silent  bool // it has failed to answer once
	out     *io.PipeReader
	in      *io.PipeWriter
	wg      sync.WaitGroup

	mu     sync.Mutex // guards stderr
	stderr bytes.Buffer
}

// A program is a driver's own process: its standard input, the time until which it
// may be silent, and its end.
type program interface {
	io.Writer
	SetDeadline(t time.Time) error
	Close()
}

// newDriver returns a driver for a program, whose output read must be given.
func newDriver(command []string, p program) *driver {
	out, in := io.Pipe()
	return &driver{name: command[len(command)-1], program: p, out: out, in: in, answers: json.NewDecoder(out)}
}

// read has from copy the program's answers until it ends.
func (d *driver) read(from func(answers io.Writer) error) {
	d.wg.Go(func() {
		d.in.CloseWithError(errors.Join(from(d.in), io.ErrUnexpectedEOF))
	})
}

// attached is a program in the container.
type attached struct{ stream client.HijackedResponse }

func (a attached) Write(p []byte) (int, error)   { return a.stream.Conn.Write(p) }
func (a attached) SetDeadline(t time.Time) error { return a.stream.Conn.SetDeadline(t) }
func (a attached) Close()                        { a.stream.Close() }

// run starts a driver in the container.
func (m *machine) run(command []string) (*driver, error) {
	ctx, cancel := context.WithTimeout(context.Background(), answerLimit) // it outlives the test
	defer cancel()
	created, err := m.provider.Client().ExecCreate(ctx, m.container.GetContainerID(), client.ExecCreateOptions{
		Cmd: command, AttachStdin: true, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return nil, err
	}
	started, err := m.provider.Client().ExecAttach(ctx, created.ID, client.ExecAttachOptions{})
	if err != nil {
		return nil, err
	}
	stream := started.HijackedResponse
	d := newDriver(command, attached{stream})
	d.read(func(answers io.Writer) error {
		_, err := stdcopy.StdCopy(answers, complaints{d}, stream.Reader)
		return err
	})
	return d, nil
}

// stop ends the program, by ending its input.
func (d *driver) stop() {
	d.program.Close()
	d.out.Close()
	d.wg.Wait()
}

// complaints is a driver's standard error as an io.Writer.
type complaints struct{ d *driver }

func (c complaints) Write(p []byte) (int, error) {
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	return c.d.stderr.Write(p)
}

// complain shows what the program has complained about since the last time.
func (d *driver) complain(t *testing.T) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if t.Failed() && d.stderr.Len() > 0 {
		t.Logf("%s: %s", d.name, d.stderr.Bytes())
	}
	d.stderr.Reset()
}

// args are what an operation needs.
type args map[string]any

// ask has the driver do op and sets result, which may be nil, to its answer. The
// error is what the other language's client said.
func (d *driver) ask(t *testing.T, op string, with args, result any) error {
	t.Helper()
	request := maps.Clone(with)
	if request == nil {
		request = args{}
	}
	request["op"] = op
	line, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.program.SetDeadline(time.Now().Add(answerLimit)); err != nil {
		t.Fatal(err)
	}
	d.silent = true
	if _, err := d.program.Write(append(line, '\n')); err != nil {
		t.Fatalf("%s: %s: %v", d.name, op, err)
	}
	var answer struct {
		Result json.RawMessage
		Error  string
	}
	if err := d.answers.Decode(&answer); err != nil {
		t.Fatalf("%s: %s: no answer: %v", d.name, op, err)
	}
	d.silent = false
	if err := d.program.SetDeadline(time.Time{}); err != nil { // until the next question
		t.Fatal(err)
	}
	if answer.Error != "" {
		return fmt.Errorf("%s: %s: %s", d.name, op, answer.Error)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Result, result); err != nil {
		t.Fatalf("%s: %s answered %.200s: %v", d.name, op, answer.Result, err)
	}
	return nil
}

// must is ask for what has to succeed.
func (d *driver) must(t *testing.T, op string, with args, result any) {
	t.Helper()
	if err := d.ask(t, op, with, result); err != nil {
		t.Fatal(err)
	}
}

// done is must for an operation that answers whether it did what it says.
func (d *driver) done(t *testing.T, op string, with args) (done bool) {
	t.Helper()
	d.must(t, op, with, &done)
	return done
}

// set stores a value until it is evicted.
func (d *driver) set(t *testing.T, key string, v value) {
	t.Helper()
	if !d.done(t, "set", args{"key": key, "value": v}) {
		t.Fatalf("%s: set(%q) was refused", d.name, key)
	}
}

// get returns what it reads, nil for a miss.
func (d *driver) get(t *testing.T, key string) (v *value) {
	t.Helper()
	d.must(t, "get", args{"key": key}, &v)
	return v
}

// number has the driver do incr or decr.
func (d *driver) number(t *testing.T, op, key string, by, initial int) (digits string) {
	t.Helper()
	d.must(t, op, args{"key": key, "by": by, "initial": initial}, &digits)
	return digits
}
