package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"time"
)

// loadEnv makes this program a generator of HTTP load when it is set: the
// measured application and its load are processes of their own, so that the
// processor time of one is not counted for the other.
const loadEnv = "BENCH_HTTP_LOAD"

// loadOrder is what the generator is asked for.
type loadOrder struct {
	Addr     string
	Request  string // a whole request, sent again and again
	Body     string // what every response must carry
	Conns    int
	Warmup   time.Duration
	Duration time.Duration
}

// loadReport is what it answers with once it is through.
type loadReport struct {
	Requests int64
	Elapsed  time.Duration
	P50, P99 time.Duration
	Error    string
}

// The generator announces the start and the end of measuring, so that the
// application's side can look at its own processor time.
const (
	loadStarts = "start"
	loadEnds   = "end"
)

// isLoad tells whether this process is to be a generator.
func isLoad() bool { return os.Getenv(loadEnv) != "" }

// serveLoad is the generator: an order on stdin, announcements and a report on
// stdout.
func serveLoad(stdin io.Reader, stdout io.Writer) error {
	var order loadOrder
	if err := json.NewDecoder(stdin).Decode(&order); err != nil {
		return fmt.Errorf("bench: load order: %w", err)
	}
	report := order.run(func(word string) { fmt.Fprintln(stdout, word) })
	return json.NewEncoder(stdout).Encode(report)
}

// run sends requests over all connections, one at a time on each.
func (o *loadOrder) run(announce func(string)) loadReport {
	var (
		p       phase
		wg      sync.WaitGroup
		failing sync.Once
		first   error
		failed  = make(chan struct{})
		callers = make([]*httpCaller, o.Conns)
	)
	for i := range callers {
		callers[i] = &httpCaller{order: o}
		wg.Go(func() {
			if err := callers[i].repeat(&p); err != nil {
				failing.Do(func() { first = err; close(failed) })
			}
		})
	}
	var r loadReport
	if sleep(o.Warmup, failed) {
		announce(loadStarts)
		start := time.Now()
		p.v.Store(measuring)
		sleep(o.Duration, failed)
		r.Elapsed = time.Since(start)
		announce(loadEnds)
	}
	p.v.Store(stopped)
	wg.Wait()
	if first != nil {
		r.Error = first.Error()
	}
	var samples []time.Duration
	for _, c := range callers {
		r.Requests += c.requests
		samples = append(samples, c.samples...)
	}
	slices.Sort(samples)
	r.P50, r.P99 = percentile(samples, 0.50), percentile(samples, 0.99)
	return r
}

// httpCaller is one connection.
type httpCaller struct {
	order    *loadOrder
	requests int64
	samples  []time.Duration
}

// repeat sends the request until p stops.
func (c *httpCaller) repeat(p *phase) error {
	conn, err := net.Dial("tcp", c.order.Addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	var (
		request  = []byte(c.order.Request)
		want     = []byte(c.order.Body)
		buffered = bufio.NewReaderSize(conn, 16<<10)
		base     = time.Now()
	)
	for {
		now := p.now()
		if now == stopped {
			return nil
		}
		start := time.Since(base)
		if _, err := conn.Write(request); err != nil {
			return err
		}
		if err := readResponse(buffered, want); err != nil {
			return err
		}
		if now == measuring {
			c.requests++
			c.samples = append(c.samples, time.Since(base)-start)
		}
	}
}

// readResponse takes a response with a Content-Length off r and compares its
// body with want.
func readResponse(r *bufio.Reader, want []byte) error {
	status, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("bench: the application answered %q", status)
	}
	length := -1
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if value, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if length != len(want) {
		return fmt.Errorf("%w: a body of %d bytes, want %d", errWrongValue, length, len(want))
	}
	body, err := r.Peek(length)
	if err != nil {
		return err
	}
	if !bytes.Equal(body, want) {
		return fmt.Errorf("%w: a body of the right length with other bytes", errWrongValue)
	}
	_, err = r.Discard(length)
	return err
}

// applyLoad runs a generator as a process beside this one and looks at this
// process's own use of the processor and memory meanwhile.
func applyLoad(o loadOrder) (map[string]float64, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	order, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), loadEnv+"=1", "GOGC=400")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(order), os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	report, win, err := followLoad(stdout)
	if err := errors.Join(err, cmd.Wait()); err != nil {
		return nil, err
	}
	if report.Error != "" {
		return nil, errors.New(report.Error)
	}
	win.elapsed = report.Elapsed
	m := perOp(win, report.Requests)
	m[metricP50], m[metricP99] = micros(report.P50), micros(report.P99)
	return m, nil
}

// followLoad reads what a generator says until its report.
func followLoad(stdout io.Reader) (report loadReport, win window, err error) {
	lines := bufio.NewScanner(stdout)
	var before usage
	for lines.Scan() {
		switch lines.Text() {
		case loadStarts:
			before = usageNow()
		case loadEnds:
			win = usageNow().since(before)
		default:
			err := json.Unmarshal(lines.Bytes(), &report)
			return report, win, err
		}
	}
	return report, win, errors.Join(errors.New("bench: the load generator said nothing"), lines.Err())
}
