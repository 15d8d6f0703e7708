package main

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"

	memcached "github.com/bmemcached/bmemcached-go/binary"
)

// stopServer stops a server inside the process: its keys are away, and the site
// goes on.
func (s *site) stopServer(c *gin.Context) {
	s.control(c, func(number int) error {
		s.backend.stop(number)
		return nil
	})
}

// restartServer starts a server inside the process again, with nothing on it.
func (s *site) restartServer(c *gin.Context) {
	s.control(c, s.backend.restart)
}

// control does something to the server that the path names, and goes back to
// the status page.
func (s *site) control(c *gin.Context, do func(number int) error) {
	number, err := strconv.Atoi(c.Param("number"))
	if err != nil || number < 0 || number >= len(s.backend.embedded) {
		s.fail(c, http.StatusNotFound, "There is no such server inside this process.", nil)
		return
	}
	s.controls.Lock()
	err = do(number)
	s.controls.Unlock()
	if err != nil {
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
	var all memcached.MultiError
	if errors.As(err, &all) && all[addr] != nil {
		return all[addr].Error()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}
