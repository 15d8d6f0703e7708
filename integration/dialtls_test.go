package integration_test

import (
	"crypto/tls"
	"fmt"
	"sync"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/integration"
)

// TestDialContext_ThatEncrypts: PLAIN is safe on it, and pipelined operations are
// answered: the last request of a write is not left in the server's TLS.
func TestDialContext_ThatEncrypts(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, &integration.Options{TLS: true, Users: users, Mechanisms: []string{"PLAIN"}})
	dialer := &tls.Dialer{Config: server.TLSConfig()}
	client := openAt(t, &memcached.Options{Auth: sasl.Auto(username, password), DialContext: dialer.DialContext, MaxConns: 2}, server.Addr())
	var wg sync.WaitGroup
	for g := range 32 {
		wg.Go(func() {
			for i := range 80 {
				if err := client.Set(t.Context(), &memcached.Item{Key: fmt.Sprintf("key-%d-%d", g, i), Value: make([]byte, 300)}); err != nil {
					t.Errorf("Set = %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
}
