package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// wrkScript makes wrk print what it measured as JSON.
//
//go:embed wrk.lua
var wrkScript string

// wrkReport is that JSON.
type wrkReport struct {
	Requests     int64
	Microseconds int64
	Bytes        int64 // of all responses, with their headers
	Failed       int64 // connections, reads, writes, statuses above 399, timeouts
	P50, P99     float64
}

// webLoad is what wrk measured.
type webLoad struct {
	requests int64
	elapsed  time.Duration
	p50, p99 time.Duration
}

// errNoWrk ends the web rows where wrk is missing.
var errNoWrk = errors.New("bench: the rows of HTTP need wrk on PATH (Debian and Ubuntu: apt-get install wrk)")

// runWrk puts load on an application from as many connections for as many whole
// seconds as come closest to d, one at least.
func runWrk(ctx context.Context, on cpus, page appPage, conns int, d time.Duration) (webLoad, error) {
	program, err := exec.LookPath("wrk")
	if err != nil {
		return webLoad{}, errNoWrk
	}
	folder, err := os.MkdirTemp("", "wrk")
	if err != nil {
		return webLoad{}, err
	}
	defer os.RemoveAll(folder)
	script := filepath.Join(folder, "wrk.lua")
	if err := os.WriteFile(script, []byte(wrkScript), 0o600); err != nil {
		return webLoad{}, err
	}
	seconds := max(1, int(math.Round(d.Seconds())))
	args := []string{program, "-t", strconv.Itoa(min(2, conns)), "-c", strconv.Itoa(conns), "-d", strconv.Itoa(seconds) + "s", "-s", script}
	if page.Cookies != "" {
		args = append(args, "-H", "Cookie: "+page.Cookies)
	}
	cmd := on.commandContext(ctx, append(args, page.URL, "--", strconv.Itoa(max(1, page.Pages)))...)
	out, err := cmd.Output()
	if err != nil {
		return webLoad{}, fmt.Errorf("bench: wrk: %w", explain(err))
	}
	return readWrk(string(out), page.Size)
}

// sizeSlack is how far the mean size of responses may lie from that of the one
// that was looked at: Age and Cache-Status count seconds.
const sizeSlack = 32

// readWrk reads what wrk printed about responses that have about that size.
func readWrk(out string, size int) (load webLoad, err error) {
	var r wrkReport
	_, text, found := strings.Cut(out, "\n{")
	if !found {
		return load, fmt.Errorf("bench: wrk printed no report: %q", out)
	}
	if err := json.Unmarshal([]byte("{"+text), &r); err != nil {
		return load, fmt.Errorf("bench: wrk's report: %w", err)
	}
	switch {
	case r.Failed > 0:
		return load, fmt.Errorf("bench: %d of %d requests failed", r.Failed, r.Requests)
	case r.Requests == 0 || r.Microseconds == 0:
		return load, errors.New("bench: wrk got no answer")
	}
	if mean := float64(r.Bytes) / float64(r.Requests); math.Abs(mean-float64(size)) > sizeSlack {
		return load, fmt.Errorf("%w: responses of %.0f bytes, want %d", errWrongValue, mean, size)
	}
	return webLoad{
		requests: r.Requests,
		elapsed:  time.Duration(r.Microseconds) * time.Microsecond,
		p50:      time.Duration(r.P50 * float64(time.Microsecond)),
		p99:      time.Duration(r.P99 * float64(time.Microsecond)),
	}, nil
}
