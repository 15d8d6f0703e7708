package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
)

func TestStatusError_IsTheSentinelOfItsStatus(t *testing.T) {
	sentinels := map[string]error{
		"ErrCacheMiss": memcached.ErrCacheMiss, "ErrNotStored": memcached.ErrNotStored, "ErrCASConflict": memcached.ErrCASConflict,
		"ErrMalformedKey": memcached.ErrMalformedKey, "ErrTooLarge": memcached.ErrTooLarge, "ErrNotNumber": memcached.ErrNotNumber,
		"ErrAuth": memcached.ErrAuth, "ErrUnavailable": memcached.ErrUnavailable, "ErrClosed": memcached.ErrClosed,
	}
	want := map[memcached.Status]string{
		0x01: "ErrCacheMiss", 0x02: "ErrCASConflict", 0x03: "ErrTooLarge", 0x05: "ErrNotStored", 0x06: "ErrNotNumber",
		0x08: "ErrAuth", 0x20: "ErrAuth", 0x85: "ErrUnavailable", 0x86: "ErrUnavailable",
	}
	for status := range memcached.Status(0x100) {
		err := error(&memcached.StatusError{Status: status})
		for name, sentinel := range sentinels {
			if got := errors.Is(err, sentinel); got != (want[status] == name) {
				t.Errorf("errors.Is(StatusError of 0x%02x, %s) = %v", uint16(status), name, got)
			}
		}
		if !strings.HasPrefix(err.Error(), "memcached: ") || !strings.Contains(err.Error(), fmt.Sprintf("0x%02x", uint16(status))) {
			t.Errorf("StatusError of 0x%02x = %q, want the number in it", uint16(status), err)
		}
		if status.String() == "" {
			t.Errorf("Status(0x%02x).String() is empty", uint16(status))
		}
	}
}

func TestStatusError_TellsTheServersText(t *testing.T) {
	for _, tt := range []struct {
		err  memcached.StatusError
		want string
	}{
		{memcached.StatusError{Status: memcached.StatusOutOfMemory, Message: "Out of memory"}, "memcached: server answered status 0x82 (out of memory)"},
		{memcached.StatusError{Status: memcached.StatusOutOfMemory, Message: "SERVER_ERROR x\n"}, `memcached: server answered status 0x82 (out of memory): "SERVER_ERROR x\n"`},
		{memcached.StatusError{Status: memcached.StatusOutOfMemory}, "memcached: server answered status 0x82 (out of memory)"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("Error() = %s, want %s", got, tt.want)
		}
	}
}

func TestOpError_Semantics(t *testing.T) {
	cause := &memcached.StatusError{Status: memcached.StatusTooLarge}
	tests := []struct {
		name    string
		err     memcached.OpError
		text    string
		timeout bool
	}{
		{"server", memcached.OpError{Op: "get", Key: "secret", Server: "cache:11211", Err: memcached.ErrUnavailable}, "memcached: get on cache:11211: server unavailable", false},
		{"local", memcached.OpError{Op: "set", Key: "secret", Err: memcached.ErrTooLarge}, "memcached: set: value too large", false},
		{"status", memcached.OpError{Op: "set", Server: "s", Err: cause}, "memcached: set on s: server answered status 0x03 (too large)", false},
		{"context deadline", memcached.OpError{Op: "get", Err: context.DeadlineExceeded}, "memcached: get: context deadline exceeded", true},
		{"wrapped deadline", memcached.OpError{Op: "get", Err: fmt.Errorf("x: %w", os.ErrDeadlineExceeded)}, "memcached: get: x: i/o timeout", true},
		{"cancelled", memcached.OpError{Op: "get", Err: context.Canceled}, "memcached: get: context canceled", false},
		{"EOF", memcached.OpError{Op: "get", Err: io.EOF}, "memcached: get: EOF", false},
		{"nothing", memcached.OpError{Op: "get"}, "memcached: get: unknown fault", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.err.Error(); got != tt.text {
				t.Errorf("Error() = %q, want %q", got, tt.text)
			}
			if got := tt.err.Timeout(); got != tt.timeout {
				t.Errorf("Timeout() = %v, want %v", got, tt.timeout)
			}
			if tt.err.Err != nil && !errors.Is(&tt.err, tt.err.Err) {
				t.Errorf("errors.Is(err, its cause) = false")
			}
		})
	}
	var status *memcached.StatusError
	if err := error(&memcached.OpError{Op: "set", Err: cause}); !errors.As(err, &status) || status != cause || !errors.Is(err, memcached.ErrTooLarge) {
		t.Error("an OpError does not lead to the StatusError in it")
	}
}

func TestMultiError_Semantics(t *testing.T) {
	a := &memcached.OpError{Op: "get_multi", Key: "secret-a", Server: "s1", Err: memcached.ErrUnavailable}
	b := &memcached.OpError{Op: "get_multi", Key: "secret-b", Server: "s2", Err: memcached.ErrTooLarge}
	one := &memcached.MultiError{Errors: map[string]error{"secret-a": a}}
	two := &memcached.MultiError{Errors: map[string]error{"secret-b": b, "secret-a": a}}
	if got := one.Error(); got != a.Error() {
		t.Errorf("Error() of one = %q, want %q", got, a.Error())
	}
	if got, want := two.Error(), a.Error()+" (and 1 more)"; got != want {
		t.Errorf("Error() of two = %q, want %q", got, want)
	}
	if got := new(memcached.MultiError).Error(); got != "memcached: no errors" {
		t.Errorf("Error() of none = %q", got)
	}
	if strings.Contains(two.Error(), "secret") {
		t.Errorf("Error() = %q, which tells keys", two)
	}
	for _, target := range []error{memcached.ErrUnavailable, memcached.ErrTooLarge} {
		if !errors.Is(two, target) {
			t.Errorf("errors.Is(two, %v) = false", target)
		}
	}
	if errors.Is(two, memcached.ErrAuth) {
		t.Error("errors.Is(two, ErrAuth) = true")
	}
	var op *memcached.OpError
	if !errors.As(two, &op) || op != a {
		t.Errorf("errors.As(two) = %v, want the first by key", op)
	}
	if errs := two.Unwrap(); len(errs) != 2 || errs[0] != a || errs[1] != b {
		t.Errorf("Unwrap() = %v, want both by key", errs)
	}
}

// TestErrors_CanBeCompared: == on errors that hold a map or a slice panics.
func TestErrors_CanBeCompared(t *testing.T) {
	client := newNetworklessClient(t)
	ctx := t.Context()
	ping, again := client.Ping(ctx), client.Ping(ctx)
	_, multi := client.GetMulti(ctx, []string{"a", "b"})
	_, single := client.Get(ctx, "a")
	for i, a := range []error{ping, again, multi, single} {
		for j, b := range []error{ping, again, multi, single} {
			if a == nil || (a == b) != (i == j) {
				t.Errorf("%v == %v is %v, want %v", a, b, a == b, i == j)
			}
		}
	}
}

// newNetworklessClient returns a client whose servers cannot be reached.
func newNetworklessClient(t *testing.T) *memcached.Client {
	t.Helper()
	client, err := memcached.New([]string{"a", "b"}, &memcached.Options{
		DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no network") },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}
