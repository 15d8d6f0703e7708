// Package clienttest is a suite of tests for a client of package binary and the
// servers that it uses. A claim about the protocol is a case here, which the
// in-process server of package memcachedtest and every memcached must pass:
//
//	func TestClient(t *testing.T) {
//		server := memcachedtest.Start(t, nil)
//		clienttest.Run(t, nil, func(t *testing.T) *memcached.Client {
//			client, err := memcached.New([]string{server.Addr()}, nil)
//			if err != nil {
//				t.Fatal(err)
//			}
//			return client
//		})
//	}
package clienttest
