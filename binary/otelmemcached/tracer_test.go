package otelmemcached_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/otelmemcached"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

func TestTracer_EveryOperationIsAClientSpan(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	host, port, _ := net.SplitHostPort(server.Addr())
	tel := newTelemetry()
	client := tel.client(t, []string{server.Addr()}, memcached.Options{})
	for _, op := range operations {
		before := len(tel.spans.Ended())
		if err := op.do(t.Context(), client); err != nil && err != memcached.ErrCacheMiss && err != memcached.ErrNotStored {
			t.Fatalf("%s = %v", op.name, err)
		}
		if n := len(tel.spans.Ended()) - before; n != 1 {
			t.Fatalf("%s made %d spans, want 1", op.name, n)
		}
		span := tel.last(t)
		if span.Name() != op.name || span.SpanKind() != oteltrace.SpanKindClient || span.Status().Code != codes.Unset {
			t.Errorf("%s made the span %q of kind %v with status %v", op.name, span.Name(), span.SpanKind(), span.Status())
		}
		batch := ""
		if op.keys > 1 {
			batch = strconv.Itoa(op.keys)
		}
		for key, want := range map[string]string{
			"db.system.name": "memcached", "db.operation.name": op.name, "server.address": host, "server.port": port,
			"db.operation.batch.size": batch, "error.type": "", "db.response.status_code": "",
		} {
			if got := value(span.Attributes(), key); got != want {
				t.Errorf("%s has %s=%q, want %q", op.name, key, got, want)
			}
		}
		if span.EndTime().Before(span.StartTime()) {
			t.Errorf("%s ends before it starts", op.name)
		}
	}
	if n := len(tel.spans.Started()) - len(tel.spans.Ended()); n != 0 {
		t.Errorf("%d spans have not ended", n)
	}
}

func TestTracer_AnswersAreNoErrors(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	tel := newTelemetry()
	client := tel.client(t, []string{server.Addr()}, memcached.Options{})
	ctx := t.Context()
	for _, key := range []string{"k", "changed"} {
		if err := client.Set(ctx, &memcached.Item{Key: key}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		want string
		do   func() error
	}{
		{"", func() error { _, err := client.Get(ctx, "k"); return err }},
		{"miss", func() error { _, err := client.Get(ctx, "missing"); return err }},
		{"miss", func() error { return client.Delete(ctx, "missing") }},
		{"not_stored", func() error { return client.Add(ctx, &memcached.Item{Key: "k"}) }},
		{"not_stored", func() error { return client.Append(ctx, "missing", []byte("x")) }},
		{"cas_conflict", func() error { return client.CompareAndSwap(ctx, &memcached.Item{Key: "changed", CAS: 1 << 40}) }},
	} {
		err := c.do()
		span := tel.last(t)
		if got := value(span.Attributes(), "memcached.answer"); got != c.want || span.Status().Code != codes.Unset || value(span.Attributes(), "error.type") != "" {
			t.Errorf("%s = %v: the answer is %q with status %v, want %q and no error", span.Name(), err, got, span.Status(), c.want)
		}
	}
}

func TestTracer_ErrorTypes(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	locked := memcachedtest.Start(t, &memcachedtest.Options{Users: map[string]string{"app": "secret"}})
	unflushable := memcachedtest.Start(t, &memcachedtest.Options{DisableFlush: true})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	for name, c := range map[string]struct {
		server  string
		opts    memcached.Options
		prepare func()
		do      func(ctx context.Context, c *memcached.Client) error
		want    string
		status  string
	}{
		"out of memory": {server.Addr(), memcached.Options{}, func() { refuse(server, "k", memcached.StatusOutOfMemory) }, nil, "0x82", "0x82"},
		"part of many": {server.Addr(), memcached.Options{}, func() { refuse(server, "b", memcached.StatusOutOfMemory) }, func(ctx context.Context, c *memcached.Client) error {
			_, err := c.GetMulti(ctx, []string{"a", "b", "c"})
			return err
		}, "0x82", "0x82"},
		"not a number": {server.Addr(), memcached.Options{}, func() { server.SetItem(&memcached.Item{Key: "text", Value: []byte("x")}) }, func(ctx context.Context, c *memcached.Client) error {
			_, err := c.Increment(ctx, "text", 1)
			return err
		}, "0x06", "0x06"},
		"Options.Timeout": {server.Addr(), memcached.Options{Timeout: 30 * time.Millisecond}, func() { mute(server, "k") }, nil, "timeout", ""},
		"deadline": {server.Addr(), memcached.Options{}, func() { mute(server, "k") }, func(ctx context.Context, c *memcached.Client) error {
			ctx, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
			defer cancel()
			_, err := c.Get(ctx, "k")
			return err
		}, "timeout", ""},
		"canceled": {server.Addr(), memcached.Options{}, func() { mute(server, "k") }, func(ctx context.Context, c *memcached.Client) error {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(30*time.Millisecond, cancel)
			_, err := c.Get(ctx, "k")
			return err
		}, "canceled", ""},
		"unreachable":     {nobody, memcached.Options{}, nil, nil, "unavailable", ""},
		"wrong password":  {locked.Addr(), memcached.Options{Auth: sasl.Plain("app", "wrong")}, nil, nil, "auth", ""},
		"no credentials":  {locked.Addr(), memcached.Options{}, nil, nil, "auth", ""},
		"SASL is missing": {server.Addr(), memcached.Options{Auth: sasl.Plain("app", "secret")}, nil, nil, "auth", ""},
		"flush refused": {unflushable.Addr(), memcached.Options{}, nil, func(ctx context.Context, c *memcached.Client) error {
			return c.FlushAll(ctx, 0)
		}, "0x20", "0x20"},
		"closed": {server.Addr(), memcached.Options{}, func() { mute(server, "k") }, func(ctx context.Context, c *memcached.Client) error {
			time.AfterFunc(30*time.Millisecond, func() { _ = c.Close() })
			_, err := c.Get(ctx, "k")
			return err
		}, "closed", ""},
	} {
		t.Run(name, func(t *testing.T) {
			server.Intercept(nil)
			if c.prepare != nil {
				c.prepare()
			}
			do := c.do
			if do == nil {
				do = func(ctx context.Context, c *memcached.Client) error { _, err := c.Get(ctx, "k"); return err }
			}
			tel := newTelemetry()
			err := do(t.Context(), tel.client(t, []string{c.server}, c.opts))
			span := tel.last(t)
			if got := value(span.Attributes(), "error.type"); got != c.want || value(span.Attributes(), "db.response.status_code") != c.status {
				t.Errorf("%v has error.type %q and status code %q, want %q and %q", err, got, value(span.Attributes(), "db.response.status_code"), c.want, c.status)
			}
			if s := span.Status(); s.Code != codes.Error || s.Description == "" {
				t.Errorf("the span's status is %+v, want an error and its text", s)
			}
			points := tel.durations(t)
			if len(points) != 1 || value(points[0].Attributes.ToSlice(), "error.type") != c.want || value(points[0].Attributes.ToSlice(), "db.response.status_code") != c.status {
				t.Errorf("the histogram has %+v, want one point with the same", points)
			}
		})
	}
}

func TestTracer_ServerAddresses(t *testing.T) {
	tel := newTelemetry()
	tracer, err := otelmemcached.NewTracer(&tel.options)
	if err != nil {
		t.Fatal(err)
	}
	for server, want := range map[string][2]string{
		"cache":                      {"cache", "11211"},
		"cache.example:11212":        {"cache.example", "11212"},
		"tcp://cache:1":              {"cache", "1"},
		"tcp://cache":                {"cache", "11211"},
		"192.0.2.1:65535":            {"192.0.2.1", "65535"},
		"::1":                        {"::1", "11211"},
		"[::1]":                      {"::1", "11211"},
		"[2001:db8::1]:11212":        {"2001:db8::1", "11212"},
		"/run/memcached.sock":        {"/run/memcached.sock", ""},
		"unix:///run/memcached.sock": {"/run/memcached.sock", ""},
	} {
		op := memcached.Op{Name: "get", Key: "k", Keys: 1, Server: server}
		tracer.OpEnd(tracer.OpStart(t.Context(), op), op, nil)
		attrs := tel.last(t).Attributes()
		if got := [2]string{value(attrs, "server.address"), value(attrs, "server.port")}; got != want {
			t.Errorf("%s has the address and port %q, want %q", server, got, want)
		}
	}
}

func TestTracer_KeysAreRecordedOnlyOnRequest(t *testing.T) {
	const secret = "user:jane@example.org"
	for _, record := range []bool{false, true} {
		server := memcachedtest.Start(t, nil)
		refuse(server, secret, memcached.StatusOutOfMemory)
		tel := newTelemetry()
		tel.options.RecordKeys = record
		client := tel.client(t, []string{server.Addr()}, memcached.Options{})
		_ = client.Set(t.Context(), &memcached.Item{Key: secret, Value: []byte(secret)})
		_ = client.SetMulti(t.Context(), []*memcached.Item{{Key: secret}, {Key: "other"}})
		for _, span := range tel.spans.Ended() {
			want := ""
			if record && span.Name() == "set" {
				want = secret
			}
			if got := value(span.Attributes(), "db.operation.parameter.key"); got != want {
				t.Errorf("RecordKeys %v: %s has the key %q, want %q", record, span.Name(), got, want)
			}
			if text := fmt.Sprint(span.Attributes(), span.Status(), span.Events(), span.Name()); !record && strings.Contains(text, secret) {
				t.Errorf("the span tells the key: %s", text)
			}
		}
		if text := fmt.Sprint(tel.durations(t)); strings.Contains(text, secret) {
			t.Errorf("the histogram tells the key: %s", text)
		}
	}
}

func TestTracer_SpansHaveTheCallersAsParent(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	tel := newTelemetry()
	tel.options.Attributes = []attribute.KeyValue{attribute.String("memcached.client.name", "sessions")}
	client := tel.client(t, []string{server.Addr()}, memcached.Options{})
	ctx, parent := tel.options.TracerProvider.Tracer("test").Start(t.Context(), "request")
	_, _ = client.Get(ctx, "k")
	span := tel.last(t)
	if span.Parent().SpanID() != parent.SpanContext().SpanID() || span.SpanContext().TraceID() != parent.SpanContext().TraceID() {
		t.Errorf("the span belongs to %v, want %v", span.Parent(), parent.SpanContext())
	}
	if got := value(span.Attributes(), "memcached.client.name"); got != "sessions" {
		t.Errorf("Options.Attributes became %q", got)
	}
	if scope := span.InstrumentationScope(); !strings.HasSuffix(scope.Name, "/otelmemcached") || !strings.Contains(scope.SchemaURL, "1.37.0") {
		t.Errorf("the scope is %+v", scope)
	}
}

// What is not sampled is measured nevertheless, and costs no attributes.
func TestTracer_MeasuresWhatIsNotSampled(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	for name, tel := range map[string]*telemetry{"never": newTelemetry(trace.WithSampler(trace.NeverSample())), "noop": newTelemetry()} {
		if name == "noop" {
			tel.options.TracerProvider = noop.NewTracerProvider()
		}
		client := tel.client(t, []string{server.Addr()}, memcached.Options{})
		for range 3 {
			_, _ = client.Get(t.Context(), "k")
		}
		if points := tel.durations(t); len(points) != 1 || points[0].Count != 3 || len(tel.spans.Ended()) != 0 {
			t.Errorf("%s: the histogram has %+v with %d spans, want 3 operations and none", name, points, len(tel.spans.Ended()))
		}
	}
}

func TestTracer_HistogramFollowsTheConventions(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	host, port, _ := net.SplitHostPort(server.Addr())
	tel := newTelemetry()
	client := tel.client(t, []string{server.Addr()}, memcached.Options{})
	server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
		return memcachedtest.Action{Delay: 20 * time.Millisecond}
	})
	_, _ = client.GetMulti(t.Context(), []string{"a", "b"})
	span := tel.last(t)
	m := tel.collect(t)["db.client.operation.duration"]
	if m.Unit != "s" {
		t.Errorf("the unit is %q, want s", m.Unit)
	}
	points := tel.durations(t)
	if len(points) != 1 {
		t.Fatalf("%d points, want 1", len(points))
	}
	p := points[0]
	want := attribute.NewSet(
		attribute.String("db.system.name", "memcached"), attribute.String("db.operation.name", "get_multi"),
		attribute.String("server.address", host), attribute.Int("server.port", atoi(port)),
	)
	if !p.Attributes.Equals(&want) {
		t.Errorf("attributes %v, want %v", p.Attributes.ToSlice(), want.ToSlice())
	}
	if bounds := []float64{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10}; !slices.Equal(p.Bounds, bounds) {
		t.Errorf("boundaries %v, want %v", p.Bounds, bounds)
	}
	if d := span.EndTime().Sub(span.StartTime()); p.Count != 1 || p.Sum != d.Seconds() || d < 20*time.Millisecond {
		t.Errorf("%d measurements of %v s in all, want the span's duration, %v, of 20 ms or more", p.Count, p.Sum, d)
	}
}

// A context that a Tracer in between derived is as good; another one is ignored.
func TestTracer_FindsItsOperationInDerivedContexts(t *testing.T) {
	tel := newTelemetry()
	tracer, err := otelmemcached.NewTracer(&tel.options)
	if err != nil {
		t.Fatal(err)
	}
	op := memcached.Op{Name: "get", Key: "k", Keys: 1, Server: "cache"}
	type key struct{}
	tracer.OpEnd(context.WithValue(tracer.OpStart(t.Context(), op), key{}, 1), op, errOther)
	if got := value(tel.last(t).Attributes(), "error.type"); got != "_OTHER" {
		t.Errorf("error.type is %q, want _OTHER", got)
	}
	tracer.OpEnd(t.Context(), op, nil)
	if n := len(tel.spans.Ended()); n != 1 {
		t.Errorf("%d spans, want 1", n)
	}
}

// What is kept for the spans is not what measurements sort.
func TestTracer_SpansOfAnOperationAreAlike(t *testing.T) {
	tel := newTelemetry()
	tracer, err := otelmemcached.NewTracer(&tel.options)
	if err != nil {
		t.Fatal(err)
	}
	op := memcached.Op{Name: "get", Key: "k", Keys: 1, Server: "cache"}
	for range 2 {
		tracer.OpEnd(tracer.OpStart(t.Context(), op), op, nil)
	}
	if ended := tel.spans.Ended(); !slices.Equal(ended[0].Attributes(), ended[1].Attributes()) {
		t.Errorf("attributes %v, and then %v", ended[0].Attributes(), ended[1].Attributes())
	}
}

func TestTracer_ConcurrentUse(t *testing.T) {
	servers := []string{memcachedtest.Start(t, nil).Addr(), memcachedtest.Start(t, nil).Addr()}
	tel := newTelemetry()
	client := tel.client(t, servers, memcached.Options{})
	registration, err := otelmemcached.Observe(client, &tel.options)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = registration.Unregister() }()
	const workers, rounds = 8, 50
	parallel(workers, func() {
		for i := range rounds {
			_, _ = client.Get(t.Context(), strconv.Itoa(i))
			if i%10 == 0 {
				tel.collect(t)
			}
		}
	})
	if n := len(tel.spans.Ended()); n != workers*rounds {
		t.Errorf("%d spans, want %d", n, workers*rounds)
	}
	var total uint64
	for _, p := range tel.durations(t) {
		total += p.Count
	}
	if total != workers*rounds {
		t.Errorf("%d operations measured, want %d", total, workers*rounds)
	}
}

// Servers that come and go without end must not fill the memory, and what was
// forgotten is known again.
func TestTracer_ManyServers(t *testing.T) {
	tel := newTelemetry(trace.WithSampler(trace.NeverSample()))
	tracer, err := otelmemcached.NewTracer(&tel.options)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10_000 {
		op := memcached.Op{Name: "get", Keys: 1, Server: fmt.Sprintf("10.%d.%d.1:11211", i/256, i%256)}
		tracer.OpEnd(tracer.OpStart(t.Context(), op), op, nil)
	}
	if spans, measures := otelmemcached.Kept(tracer); spans > 4096 || measures > 4096 || spans == 0 {
		t.Errorf("%d and %d entries are kept, want no more than 4096", spans, measures)
	}
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
