package integration_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/integration"
)

// yrmcds names the tests of the suite that yrmcds does not pass, and why.
var yrmcds = map[string]string{
	"read/an item comes back as it was stored":                           emptyValues,
	"read/AppendValue reads empty and large values":                      emptyValues,
	"append/adding nothing changes nothing":                              emptyValues,
	"count/what is no number is ErrNotNumber":                            emptyValues,
	"many keys/GetMulti returns what is there":                           emptyValues,
	"many keys/SetMulti stores every item, the last of a key":            emptyValues,
	"size/values of all sizes come back whole":                           emptyValues,
	"size/the largest value is stored":                                   emptyValues,
	"keys/SafeKey makes keys that work":                                  emptyValues,
	"count/Increment and Decrement calculate":                            "decremented numbers are not padded",
	"count/a number padded with spaces still counts":                     "decremented numbers are not padded",
	"size/what would grow too large is ErrNotStored and stays as it was": "values may grow beyond the largest size",
	"servers/Versions names every server":                                "its version is another",
	"time/items live as long as they should":                             "expired counters are not made anew",
}

const emptyValues = "it refuses empty values"

// TestYrmcds_Differences holds what the documentation says of yrmcds.
func TestYrmcds_Differences(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, &integration.Options{Program: integration.Yrmcds})
	client := open(t, nil, server)
	set := func(key, value string, ttl time.Duration) error {
		return client.Set(t.Context(), &memcached.Item{Key: key, Value: []byte(value), TTL: ttl})
	}

	// An empty value is refused, with an error, and the connection goes on.
	var status *memcached.StatusError
	if err := set("empty", "", 0); !errors.As(err, &status) || status.Status != memcached.StatusInvalid {
		t.Errorf("Set of an empty value = %v, want a StatusError with StatusInvalid", err)
	}
	store(t, client, "key", "value")
	wantValue(t, client, "key", "value")
	wantGoesOn(t, server.Addr())

	// A decremented number is not padded.
	store(t, client, "count", "10")
	if n, err := client.Decrement(t.Context(), "count", 1); n != 9 || err != nil {
		t.Errorf("Decrement = %d, %v, want 9", n, err)
	}
	wantValue(t, client, "count", "9")

	// Append and Prepend to a missing key.
	for name, add := range map[string]error{
		"Append": client.Append(t.Context(), "none", []byte("x")), "Prepend": client.Prepend(t.Context(), "none", []byte("x")),
	} {
		if add != memcached.ErrNotStored {
			t.Errorf("%s = %v, want %v", name, add, memcached.ErrNotStored)
		}
	}

	// An expired number is in the way of a new one until it is collected.
	if err := set("expired", "1", -1); err != nil {
		t.Fatal(err)
	}
	if n, err := client.IncrementOrSet(t.Context(), "expired", 1, 5, time.Hour); err != memcached.ErrCacheMiss {
		t.Errorf("IncrementOrSet of an expired number = %d, %v, want %v", n, err, memcached.ErrCacheMiss)
	}
	eventually(t, func() error {
		_, err := client.IncrementOrSet(t.Context(), "expired", 1, 5, time.Hour)
		return err
	})

	// It has neither SASL nor a word for it.
	_, err := open(t, &memcached.Options{Auth: saslOptions().Auth}, integration.Start(t, &integration.Options{Program: integration.Yrmcds})).Get(t.Context(), "key")
	wantError(t, "Get with credentials", err, memcached.ErrAuth, "", "SASL")
}

// wantGoesOn writes three requests at once and without a client: a SET of an empty
// value, which is refused, a SET of the key behind it, and a NOOP. memcached closes
// the connection after such a status; this server carries out what follows.
func wantGoesOn(t *testing.T, addr string) {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	request := func(op byte, extras, key, value string) (b []byte) {
		b = make([]byte, 24, 24+len(extras)+len(key)+len(value))
		b[0], b[1], b[3], b[4], b[11] = 0x80, op, byte(len(key)), byte(len(extras)), byte(len(extras)+len(key)+len(value))
		return append(b, extras+key+value...)
	}
	extras := string(make([]byte, 8))
	if _, err := nc.Write(slices.Concat(request(0x01, extras, "raw", ""), request(0x01, extras, "raw", "behind"), request(0x0a, "", "", ""))); err != nil {
		t.Fatal(err)
	}
	var got []string
	for range 3 {
		head := make([]byte, 24)
		if _, err := io.ReadFull(nc, head); err != nil {
			t.Fatalf("after the answers %q: %v", got, err)
		}
		if _, err := io.CopyN(io.Discard, nc, int64(binary.BigEndian.Uint32(head[8:]))); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%02x:%02x", head[1], head[7]))
	}
	if want := []string{"01:04", "01:00", "0a:00"}; !slices.Equal(got, want) {
		t.Errorf("yrmcds answered with the opcodes and statuses %q, want %q", got, want)
	}
}
