package middleware_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/middleware"
)

func TestCollapse_LeaderFinishesForOthersWhenItsClientLeaves(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) {
			select {
			case <-time.After(time.Second):
				c.String(http.StatusOK, "x")
			case <-c.Request.Context().Done():
				c.String(http.StatusInternalServerError, "cancelled")
			}
		})
		ctx, cancel := contextWithCancel(t)
		go s.send(s.request(ctx, http.MethodGet, "/a"))
		synctest.Wait()
		follower := make(chan response)
		go func() { follower <- s.get("/a") }()
		synctest.Wait()
		cancel()
		if r := <-follower; r.body != "x" {
			t.Errorf("follower got %d %q, want what the leader made", r.StatusCode, r.body)
		}
		s.wantRuns(1)
	})
}

func TestCollapse_LeaderAloneEndsWithItsClient(t *testing.T) {
	inTime(t, func(t *testing.T) {
		ended := make(chan time.Duration, 1)
		began := time.Now()
		s := newSite(t, minute(), func(c *gin.Context) {
			<-c.Request.Context().Done()
			ended <- time.Since(began)
		})
		ctx, cancel := contextWithCancel(t)
		defer cancel()
		go s.send(s.request(ctx, http.MethodGet, "/a"))
		followed, leave := contextWithCancel(t)
		synctest.Wait()
		go s.send(s.request(followed, http.MethodGet, "/a"))
		synctest.Wait()
		cancel()
		time.Sleep(time.Second)
		leave() // now nobody is there
		if took := <-ended; took != time.Second {
			t.Errorf("the handler's context ended after %v, want 1 s, when the last client left", took)
		}
	})
}

func TestCollapse_DeadlineOfTheRequestHoldsForTheHandler(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) {
			ctx := c.Request.Context()
			at, _ := ctx.Deadline()
			<-ctx.Done()
			c.String(http.StatusServiceUnavailable, "%v %v %v", at.Equal(time.Now()), ctx.Err(), context.Cause(ctx))
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		want := fmt.Sprint(true, " ", context.DeadlineExceeded, " ", context.DeadlineExceeded)
		if r := s.send(s.request(ctx, http.MethodGet, "/a")); r.body != want {
			t.Errorf("body = %q, want %q: the handler sees its deadline, before and after", r.body, want)
		}
	})
}

// TestCollapse_TheHandlersContextEndsWithTheRequest, not with the handler: echo leaves
// layers above the cache with the request that the handler saw, and they may commit a
// transaction with it.
func TestCollapse_TheHandlersContextEndsWithTheRequest(t *testing.T) {
	inTime(t, func(t *testing.T) {
		var seen context.Context
		s := newHTTPSite(t, &middleware.Options{TTL: time.Minute}, func(w http.ResponseWriter, r *http.Request) {
			seen = r.Context()
			_, _ = io.WriteString(w, "x")
		})
		for _, limit := range []time.Duration{0, time.Hour} {
			ctx, cancel := contextWithCancel(t)
			if limit > 0 {
				ctx, cancel = context.WithTimeout(ctx, limit)
			}
			request := httptest.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprint("http://site.example/", limit), nil)
			s.ServeHTTP(serverWriter{httptest.NewRecorder()}, request)
			if err := seen.Err(); err != nil {
				t.Errorf("limit %v: the handler has returned, and its context is over: %v", limit, err)
			}
			cancel()
			synctest.Wait()
			if seen.Err() != context.Canceled {
				t.Errorf("limit %v: the request is over, and the context of its handler says %v, want %v", limit, seen.Err(), context.Canceled)
			}
		}
		s.wantRuns(2)
	})
}

func TestCollapse_PanicReleasesFollowers(t *testing.T) {
	inTime(t, func(t *testing.T) {
		first := true
		s := newSite(t, minute(), slow(func(c *gin.Context) {
			if first {
				first = false
				panic("on purpose")
			}
			c.String(http.StatusOK, "x")
		}))
		failed := 0
		for _, r := range together(5, "/a", s) {
			if r.StatusCode == http.StatusInternalServerError {
				failed++
			}
		}
		if failed != 1 {
			t.Errorf("%d requests failed, want the one whose handler panicked", failed)
		}
		s.get("/b")
		if r := s.get("/a"); r.body != "x" {
			t.Errorf("then = %q, want the site to go on", r.body)
		}
	})
}
