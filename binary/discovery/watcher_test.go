package discovery_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/discovery"
)

// script is a Resolver whose answer changes.
type script struct {
	mu      sync.Mutex
	servers []string
	err     error
	delay   time.Duration
	asked   []time.Time
}

func (s *script) set(err error, servers ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.servers, s.err = servers, err
}

func (s *script) Servers(ctx context.Context) ([]string, error) {
	s.mu.Lock()
	s.asked = append(s.asked, time.Now())
	servers, err, delay := slices.Clone(s.servers), s.err, s.delay
	s.mu.Unlock()
	select {
	case <-time.After(delay):
		return servers, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// times returns when the resolver was asked, since start.
func (s *script) times(start time.Time) (times []time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.asked {
		times = append(times, t.Sub(start))
	}
	return times
}

// recorder is a client that notes what SetServers was called with.
type recorder struct {
	mu    sync.Mutex
	calls [][]string
	err   error
}

func (r *recorder) SetServers(servers []string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, servers)
	return r.err
}

func (r *recorder) want(t *testing.T, want ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var got []string
	for _, call := range r.calls {
		got = append(got, strings.Join(call, " "))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("SetServers was called with %q, want %q", got, want)
	}
}

var errDown = errors.New("the resolver is down")

func watch(t *testing.T, client discovery.Client, resolver discovery.Resolver, opts discovery.Options) *discovery.Watcher {
	t.Helper()
	if opts.Jitter == 0 {
		opts.Jitter = -1
	}
	w, err := discovery.Watch(t.Context(), client, resolver, &opts)
	if err != nil {
		t.Fatalf("Watch = %v", err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// elapse lets time go by inside a bubble.
func elapse(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestWatch_AppliesSortedWithoutDuplicatesAndOnlyChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		resolver, client := &script{servers: []string{"b:1", "a:1", "b:1"}}, &recorder{}
		watch(t, client, resolver, discovery.Options{Interval: time.Minute})
		client.want(t, "a:1 b:1") // before Watch returns
		resolver.set(nil, "a:1", "b:1", "a:1")
		elapse(10 * time.Minute)
		client.want(t, "a:1 b:1")
		resolver.set(nil, "c:1", "b:1")
		elapse(time.Minute)
		client.want(t, "a:1 b:1", "b:1 c:1")
	})
}

func TestWatch_KeepsTheServersWhenAnAnswerIsUnusable(t *testing.T) {
	for name, c := range map[string]struct {
		answer []string
		err    error
		want   error
	}{
		"failure":           {nil, errDown, errDown},
		"failure with some": {[]string{"z:1"}, errDown, errDown},
		"nothing":           {nil, nil, discovery.ErrNoServers},
		"too many":          {[]string{"1:1", "2:1", "3:1", "4:1"}, nil, discovery.ErrTooMany},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				resolver, client := &script{servers: []string{"a:1"}}, &recorder{}
				w := watch(t, client, resolver, discovery.Options{Interval: time.Minute, MaxServers: 3})
				resolver.set(c.err, c.answer...)
				elapse(time.Minute + time.Millisecond)
				client.want(t, "a:1")
				if s := w.Status(); !errors.Is(s.Err, c.want) || s.Failures != 1 || !slices.Equal(s.Servers, []string{"a:1"}) {
					t.Errorf("Status() = %+v, want one failure, %v, and the servers from before", s, c.want)
				}
				resolver.set(nil, "b:1")
				elapse(time.Minute)
				client.want(t, "a:1", "b:1")
				if s := w.Status(); s.Err != nil || s.Failures != 0 {
					t.Errorf("Status() = %+v, want no failure any more", s)
				}
			})
		})
	}
}

func TestWatch_FirstFailureIsReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &recorder{}
		w, err := discovery.Watch(t.Context(), client, &script{err: errDown}, nil)
		if w != nil || !errors.Is(err, errDown) {
			t.Errorf("Watch = %v, %v, want %v", w, err, errDown)
		}
		c, w, err := discovery.New(t.Context(), &script{}, nil, nil)
		if c != nil || w != nil || !errors.Is(err, discovery.ErrNoServers) {
			t.Errorf("New = %v, %v, %v, want %v", c, w, err, discovery.ErrNoServers)
		}
		client.want(t)
	})
}

func TestWatch_StartAnywayGoesOnTrying(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		resolver, client := &script{err: errDown}, &recorder{}
		w := watch(t, client, resolver, discovery.Options{StartAnyway: true})
		if s := w.Status(); !errors.Is(s.Err, errDown) || s.Servers != nil || s.Checked.IsZero() {
			t.Errorf("Status() = %+v, want the failure", s)
		}
		resolver.set(nil, "a:1")
		elapse(time.Second)
		client.want(t, "a:1")
	})
}

func TestWatch_PausesGrowAfterFailuresUpToTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		resolver := &script{servers: []string{"a:1"}}
		watch(t, &recorder{}, resolver, discovery.Options{Interval: 6 * time.Second})
		resolver.set(errDown)
		elapse(20 * time.Second)
		resolver.set(nil, "a:1")
		elapse(15 * time.Second)
		var got []int
		for _, d := range resolver.times(start) {
			got = append(got, int(d/time.Second))
		}
		if want := []int{0, 6, 7, 9, 13, 19, 25, 31}; !slices.Equal(got, want) {
			t.Errorf("asked after %v s, want %v", got, want)
		}
	})
}

func TestWatch_JitterShortensPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		resolver := &script{servers: []string{"a:1"}}
		watch(t, &recorder{}, resolver, discovery.Options{Interval: time.Minute, Jitter: 0.5})
		elapse(time.Hour)
		times := resolver.times(start)
		different := map[time.Duration]bool{}
		for i := range times[1:] {
			pause := times[i+1] - times[i]
			if pause < 30*time.Second || pause > time.Minute {
				t.Errorf("a pause of %v, want 30 s to 60 s", pause)
			}
			different[pause] = true
		}
		if len(different) < 10 {
			t.Errorf("%d different pauses of %d, want chance", len(different), len(times)-1)
		}
	})
}

func TestWatch_TimeoutEndsASilentResolver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		resolver, client := &script{servers: []string{"a:1"}}, &recorder{}
		w := watch(t, client, resolver, discovery.Options{Timeout: 2 * time.Second})
		resolver.mu.Lock()
		resolver.delay = time.Hour
		resolver.mu.Unlock()
		start := time.Now()
		if err := w.Refresh(t.Context()); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 2*time.Second {
			t.Errorf("Refresh = %v after %v, want a timeout after 2 s", err, time.Since(start))
		}
		client.want(t, "a:1")
	})
}

func TestRefresh_SharesAResolution(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		resolver, client := &script{servers: []string{"a:1"}, delay: time.Second}, &recorder{}
		w := watch(t, client, resolver, discovery.Options{Interval: time.Hour})
		resolver.set(nil, "b:1")
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if err := w.Refresh(t.Context()); err != nil {
					t.Errorf("Refresh = %v", err)
				}
			})
		}
		wg.Wait()
		client.want(t, "a:1", "b:1")
		if n := len(resolver.times(time.Now())); n > 3 { // the first, and one or two for all
			t.Errorf("the resolver was asked %d times", n)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := w.Refresh(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Refresh = %v, want the end of its context", err)
		}
	})
}

func TestClose_EndsAResolutionAndIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		resolver, client := &script{servers: []string{"a:1"}}, &recorder{}
		w := watch(t, client, resolver, discovery.Options{Interval: time.Minute, Timeout: time.Hour})
		resolver.mu.Lock()
		resolver.delay = time.Hour
		resolver.mu.Unlock()
		start := time.Now()
		refreshed := make(chan error, 1)
		go func() { refreshed <- w.Refresh(t.Context()) }()
		synctest.Wait()
		for range 2 {
			if err := w.Close(); err != nil || time.Since(start) != 0 {
				t.Errorf("Close = %v after %v, want nil at once", err, time.Since(start))
			}
		}
		for _, err := range []error{<-refreshed, w.Refresh(t.Context())} {
			if !errors.Is(err, discovery.ErrClosed) {
				t.Errorf("Refresh = %v, want %v", err, discovery.ErrClosed)
			}
		}
		if s := w.Status(); s.Err != nil || s.Failures != 0 {
			t.Errorf("Status() = %+v, want no failure", s)
		}
	})
}

func TestWatch_EndsWithTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		resolver, client := &script{servers: []string{"a:1"}}, &recorder{}
		w := watch(t, client, resolver, discovery.Options{Interval: time.Minute})
		client.mu.Lock()
		client.err = memcached.ErrClosed
		client.mu.Unlock()
		resolver.set(nil, "b:1")
		elapse(time.Hour)
		if n := len(resolver.times(time.Now())); n != 2 {
			t.Errorf("the resolver was asked %d times, want not after the client was closed", n)
		}
		if err := w.Refresh(t.Context()); !errors.Is(err, discovery.ErrClosed) {
			t.Errorf("Refresh = %v, want %v", err, discovery.ErrClosed)
		}
		if _, err := discovery.Watch(t.Context(), client, resolver, &discovery.Options{StartAnyway: true}); !errors.Is(err, memcached.ErrClosed) {
			t.Errorf("Watch of a closed client = %v, want %v", err, memcached.ErrClosed)
		}
	})
}
