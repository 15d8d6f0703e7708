package sessiontest_test

import (
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	"github.com/bmemcached/bmemcached-go/session/sessiontest"
)

func TestRun_InProcess(t *testing.T) {
	sessiontest.Run(t, func(t *testing.T) session.Client {
		server := memcachedtest.Start(t, nil)
		client, err := memcached.New([]string{server.Addr()}, &memcached.Options{DialContext: server.DialContext, Timeout: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		return client
	})
}
