package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
)

// TestMain lets the test binary be an application and the like too: startChild starts
// its own program again.
func TestMain(m *testing.M) {
	if ok, err := serveChild(os.Stdin, os.Stdout); ok {
		if err != nil {
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
	for _, kind := range slices.Sorted(maps.Keys(builders)) {
		for _, name := range slices.Sorted(maps.Keys(builders[kind])) {
			for _, own := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/own=%t", kind, name, own), func(t *testing.T) {
					m, err := measureWeb(e, appOrder{Kind: kind, Peer: name}, own, quickly)
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
}

func TestWebRows_ManyPages(t *testing.T) {
	e := startTest(t)
	if _, err := measureWeb(e, appOrder{Kind: "page", Peer: ours, Pages: 3}, false, quickly); err != nil {
		t.Error(err)
	}
}

// talk runs an application's side of its pipes with one question after ask, and
// returns what it announced and answered.
func talk(t *testing.T, app *webApp, asking func(appPage)) (page appPage, first, second appUsage) {
	t.Helper()
	questions, in := io.Pipe()
	out, answers := io.Pipe()
	served := make(chan error, 1)
	go func() {
		err := app.serve(questions, answers)
		answers.CloseWithError(err)
		served <- err
	}()
	decoder := json.NewDecoder(out)
	read := func(v any) {
		t.Helper()
		if err := decoder.Decode(v); err != nil {
			t.Fatal(err)
		}
	}
	question := func() {
		t.Helper()
		if _, err := io.WriteString(in, askCheck+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	read(&page)
	question()
	read(&first)
	asking(page)
	question()
	read(&second)
	in.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
	return page, first, second
}

// A cache that does not keep the page must not pass as a fast one.
func TestWebApp_TellsHowOftenThePageWasMade(t *testing.T) {
	app := newPage(nil)
	app.engine.GET(app.path, makePage(app.runs))
	_, first, second := talk(t, app, func(page appPage) {
		response, err := http.Get(page.URL)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	})
	if made := second.Made - first.Made; made != 2 { // one of them by the look at the page
		t.Errorf("the page was made %d times, want 2", made)
	}
	if second.Mallocs <= first.Mallocs || second.CPU < first.CPU {
		t.Errorf("usage went from %+v to %+v", first, second)
	}
}

func TestWebApp_NoticesAPageThatChanges(t *testing.T) {
	app := newPage(nil)
	var wrong atomic.Bool
	app.engine.GET(app.path, func(c *gin.Context) {
		if wrong.Load() {
			c.String(http.StatusOK, strings.ToUpper(pageBody))
			return
		}
		c.String(http.StatusOK, pageBody)
	})
	_, first, second := talk(t, app, func(appPage) { wrong.Store(true) })
	if first.Error != "" || !second.Wrong {
		t.Errorf("errors %q and %q, want none and one of a wrong page", first.Error, second.Error)
	}
}

func TestWebApp_DoesNotStartWithAWrongPage(t *testing.T) {
	app := newPage(nil)
	app.engine.GET(app.path, func(c *gin.Context) { c.String(http.StatusOK, "other") })
	if err := app.serve(strings.NewReader(""), io.Discard); !errors.Is(err, errWrongValue) {
		t.Errorf("serve = %v, want errWrongValue", err)
	}
}

func TestServeApp_RefusesGarbage(t *testing.T) {
	for name, order := range map[string]string{"no JSON": "no order", "unknown": `{"Kind":"page","Peer":"nobody"}`} {
		t.Run(name, func(t *testing.T) {
			if err := serveApp(order, strings.NewReader(""), new(bytes.Buffer)); err == nil {
				t.Error("serveApp gives no error")
			}
		})
	}
}

func TestStartApp_ReportsAnApplicationThatDoesNotStart(t *testing.T) {
	program, err := thisProgram()
	if err != nil {
		t.Fatal(err)
	}
	_, err = startApp(t.Context(), anywhere, program, appOrder{Kind: "page", Peer: "nobody"})
	if err == nil || !strings.Contains(err.Error(), "did not start") {
		t.Errorf("startApp = %v, want an error", err)
	}
}
