// Package memcachedtest is a memcached that runs inside the process, for tests
// and demonstrations.
package memcachedtest
