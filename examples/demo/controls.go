package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary"
)

// stopServer stops a server inside the process: its keys are away, and the site
// goes on.
func (s *site) stopServer(c *gin.Context) {
	s.control(c, func(number int) error {
		s.controls.Lock()
		defer s.controls.Unlock()
		s.backend.stop(number)
		return nil
	})
}

// restartServer starts a server inside the process again, with nothing on it,
// and waits for the client to find it.
func (s *site) restartServer(c *gin.Context) {
	s.control(c, func(number int) error {
		s.controls.Lock()
		err := s.backend.restart(number)
		s.controls.Unlock()
		if err == nil {
			s.await(c.Request.Context(), s.backend.addrs[number])
		}
		return err
	})
}

// await waits until the client uses a server again, which it tries once a
// second, or until it has waited for long enough: the status page will tell.
func (s *site) await(ctx context.Context, addr string) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	for {
		// The error may be about other servers, which are stopped.
		if answers, _ := s.client.ServerStats(ctx, ""); answers[addr] != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// control does something to the server that the path names, and goes back to
// the status page.
func (s *site) control(c *gin.Context, do func(number int) error) {
	number, err := strconv.Atoi(c.Param("number"))
	if err != nil || number < 0 || number >= len(s.backend.embedded) {
		s.fail(c, http.StatusNotFound, "There is no such server inside this process.", nil)
		return
	}
	if err := do(number); err != nil {
		s.fail(c, http.StatusInternalServerError, "The server does not start.", err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/status")
}

// stopped says which servers inside the process are stopped; nil: none can be.
func (s *site) stopped() []bool {
	s.controls.Lock()
	defer s.controls.Unlock()
	return slices.Clone(s.backend.stopped)
}

// failureOf returns what err, of an operation on all servers, says of one.
func failureOf(err error, addr string) string {
	var all *memcached.MultiError
	if errors.As(err, &all) && all.Errors[addr] != nil {
		return all.Errors[addr].Error()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}
