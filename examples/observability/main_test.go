package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode)
	os.Exit(m.Run())
}

// start runs the site on a cache that the environment names. What get gets may
// have "POST " in front.
func start(t *testing.T, env map[string]string) (get func(path string) string, printed *bytes.Buffer) {
	t.Helper()
	printed = new(bytes.Buffer)
	spans := trace.NewTracerProvider(trace.WithSyncer(&printer{out: printed}))
	metrics := prometheus.NewPedanticRegistry()
	client, stop, err := measured(func(name string) string { return env[name] }, spans, metrics)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	handler, end, err := site(client, spans, metrics)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	return func(path string) string {
		method := http.MethodGet
		if rest, ok := strings.CutPrefix(path, "POST "); ok {
			method, path = http.MethodPost, rest
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(method, path, http.NoBody))
		body, _ := io.ReadAll(w.Result().Body)
		return string(body)
	}, printed
}

var durations = regexp.MustCompile(`\(\S+\)`)

func TestSite_TracesAndMeasuresTheCache(t *testing.T) {
	get, printed := start(t, nil)
	for range 2 {
		if body := get("/articles/1"); !strings.Contains(body, `Article "1"`) {
			t.Errorf("the article is %q", body)
		}
	}
	text := regexp.MustCompile(` server\.\S+`).ReplaceAllString(durations.ReplaceAllString(printed.String(), "(…)"), "")
	want := `  get (…) memcached.answer=miss
  SELECT article (…)
  set (…)
GET /articles/{id} (…)
  get (…)
GET /articles/{id} (…)
`
	if text != want {
		t.Errorf("printed\n%swant\n%s", text, want)
	}
	metrics := get("/metrics")
	for _, want := range []string{
		`memcached_client_gets_total{result="hit"} 1`,
		`memcached_client_gets_total{result="miss"} 1`,
		`memcached_client_operation_duration_seconds_count{operation="get",result="ok"} 1`,
		`memcached_client_operation_duration_seconds_count{operation="set",result="ok"} 1`,
		`memcached_client_server_up{server="127.0.0.1:`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s in\n%s", want, metrics)
		}
	}
}

func TestSite_ShowsAFailingCacheToItsOperatorsOnly(t *testing.T) {
	server := memcachedtest.Start(t, &memcachedtest.Options{Users: map[string]string{"app": "secret"}})
	get, printed := start(t, map[string]string{"MEMCACHED_SERVERS": server.Addr(), "MEMCACHED_USERNAME": "app", "MEMCACHED_PASSWORD": "wrong"})
	if body := get("/articles/1"); !strings.Contains(body, `Article "1"`) {
		t.Errorf("the article is %q", body)
	}
	if !strings.Contains(printed.String(), "error.type=auth") {
		t.Errorf("printed\n%swant the error", printed)
	}
	if metrics := get("/metrics"); !strings.Contains(metrics, `memcached_client_server_up{server="`+server.Addr()+`"} 0`) {
		t.Errorf("no server that is down in\n%s", metrics)
	}
}
