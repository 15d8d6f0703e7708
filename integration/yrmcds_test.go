package integration_test

import (
	"errors"
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
	client := open(t, nil, integration.Start(t, &integration.Options{Program: integration.Yrmcds}))
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
