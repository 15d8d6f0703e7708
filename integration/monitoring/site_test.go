package monitoring_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	client_golang "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/prommemcached"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/integration"
)

// site is a program that uses memcached and shows its metrics.
type site struct {
	servers [2]*integration.Server
	address string
}

// startSite starts two memcached with SASL and a busy site.
func startSite(t *testing.T) *site {
	t.Helper()
	s := &site{}
	var addrs []string
	for i := range s.servers {
		s.servers[i] = integration.Start(t, &integration.Options{Users: map[string]string{"app": "secret"}})
		addrs = append(addrs, s.servers[i].Addr())
	}
	tracer := prommemcached.NewTracer(nil)
	client, err := memcached.New(addrs, &memcached.Options{Auth: sasl.Auto("app", "secret"), Tracer: tracer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	registry := client_golang.NewRegistry()
	registry.MustRegister(tracer, prommemcached.NewCollector(client, nil), prommemcached.NewServerCollector(client, nil))
	server := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	t.Cleanup(server.Close)
	s.address = strings.TrimPrefix(server.URL, "http://")

	ctx, stop := context.WithCancel(context.Background())
	var visitors sync.WaitGroup
	visitors.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			key := fmt.Sprint("key-", i%100)
			_ = client.Set(ctx, &memcached.Item{Key: key, Value: []byte("value")})
			_, _ = client.GetMulti(ctx, []string{key, "none-" + key})
			time.Sleep(5 * time.Millisecond) // between visits
		}
	})
	t.Cleanup(func() { stop(); visitors.Wait() })
	return s
}
