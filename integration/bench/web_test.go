package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
)

// TestMain lets the test binary be the load generator too: applyLoad starts
// its own program again.
func TestMain(m *testing.M) {
	if isLoad() {
		if err := serveLoad(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

var quickly = timing{warmup: 20 * time.Millisecond, duration: 100 * time.Millisecond}

func TestWebRows_Run(t *testing.T) {
	e := startTest(t)
	for kind, apps := range map[string]map[string]func(*env) (*webApp, error){"page": pageApps, "session": sessionApps} {
		for _, name := range slices.Sorted(maps.Keys(apps)) {
			t.Run(kind+"/"+name, func(t *testing.T) {
				m, err := webRow("", "", apps, nil, "").measure(e, name, quickly)
				if err != nil {
					t.Fatal(err)
				}
				if m[metricRate] <= 0 || m[metricCPU] <= 0 || m[metricP50] <= 0 || m[metricP99] < m[metricP50] {
					t.Errorf("metrics %v make no sense", m)
				}
			})
		}
	}
}

// A cache that does not keep the page must not pass as a fast one.
func TestWebApp_NoticesACacheThatDoesNotHold(t *testing.T) {
	app, err := pageNone(nil)
	if err != nil {
		t.Fatal(err)
	}
	counted := newPage(nil)
	counted.engine.GET(counted.path, makePage(counted.runs))
	if _, err := counted.measure(quickly); err == nil || !strings.Contains(err.Error(), "should have come from the cache") {
		t.Errorf("measure = %v, want a complaint about the page being made", err)
	}
	if _, err := app.measure(quickly); err != nil {
		t.Errorf("measure without a cache = %v, want no error", err)
	}
}

func TestWebApp_NoticesAWrongBody(t *testing.T) {
	app := newPage(nil)
	app.engine.GET(app.path, func(c *gin.Context) {
		c.String(http.StatusOK, strings.ToUpper(pageBody))
	})
	if _, err := app.measure(quickly); !errors.Is(err, errWrongValue) {
		t.Errorf("measure = %v, want errWrongValue", err)
	}
}

func TestReadResponse(t *testing.T) {
	tests := map[string]struct {
		response string
		want     string // part of the error; empty: none
	}{
		"right":          {"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n\r\nhello", ""},
		"other status":   {"HTTP/1.1 500 Oops\r\nContent-Length: 5\r\n\r\nhello", "answered"},
		"other length":   {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhell", "4 bytes"},
		"other bytes":    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhallo", "other bytes"},
		"no length":      {"HTTP/1.1 200 OK\r\n\r\nhello", "-1 bytes"},
		"ends too early": {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "EOF"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := readResponse(bufio.NewReader(strings.NewReader(test.response)), []byte("hello"))
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("readResponse = %v, want %q", err, test.want)
			}
		})
	}
}

func TestServeLoad_RefusesGarbage(t *testing.T) {
	var out bytes.Buffer
	if err := serveLoad(strings.NewReader("no order"), &out); err == nil {
		t.Error("serveLoad of garbage gives no error")
	}
}

func TestServeLoad_ReportsAServerThatIsNotThere(t *testing.T) {
	_, err := applyLoad(loadOrder{Addr: "127.0.0.1:1", Conns: 2, Warmup: time.Millisecond, Duration: time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("applyLoad = %v, want connection refused", err)
	}
}
