package integration

import (
	"context"
	"io"
	"time"

	"github.com/moby/moby/client"
)

// Kill ends memcached at once with SIGKILL: connections break, everything
// stored is lost, and new connections are refused. Restart brings it back.
func (s *Server) Kill() {
	s.tb.Helper()
	s.signal("SIGKILL")
	s.waitExit()
}

// Stop ends memcached with SIGTERM, as an administrator does.
func (s *Server) Stop() {
	s.tb.Helper()
	limit := 5 * time.Second
	if err := s.container.Stop(s.tb.Context(), &limit); err != nil {
		s.tb.Fatalf("stop memcached: %v", err)
	}
}

// Restart starts a killed or stopped memcached at the same address, empty, and
// waits until it answers.
func (s *Server) Restart() {
	s.tb.Helper()
	if err := s.container.Start(s.tb.Context()); err != nil {
		s.tb.Fatalf("restart memcached: %v", err)
	}
	s.waitReady(startLimit)
}

// Pause freezes memcached with SIGSTOP: the kernel still accepts connections
// and bytes for it, but nothing answers.
func (s *Server) Pause() {
	s.tb.Helper()
	s.signal("SIGSTOP")
}

// Resume lets a paused memcached go on where it was.
func (s *Server) Resume() {
	s.tb.Helper()
	s.signal("SIGCONT")
}

func (s *Server) signal(name string) {
	s.tb.Helper()
	err := withEngine(s.tb.Context(), func(ctx context.Context, engine client.APIClient) error {
		_, err := engine.ContainerKill(ctx, s.container.GetContainerID(), client.ContainerKillOptions{Signal: name})
		return err
	})
	if err != nil {
		s.tb.Fatalf("send %s to memcached: %v", name, err)
	}
}

// waitExit returns when the engine has seen the container end, because it
// refuses to start one that it believes to be running.
func (s *Server) waitExit() {
	s.tb.Helper()
	ctx, cancel := context.WithTimeout(s.tb.Context(), startLimit)
	defer cancel()
	for {
		state, err := s.container.State(ctx)
		if err != nil {
			s.tb.Fatalf("wait for memcached to end: %v", err)
		}
		if !state.Running {
			return
		}
		pause(ctx)
	}
}

// showLogs prints what memcached wrote when the test has failed.
func (s *Server) showLogs() {
	if !s.tb.Failed() {
		return
	}
	logs, err := s.container.Logs(context.Background())
	if err != nil {
		s.tb.Logf("memcached log: %v", err)
		return
	}
	defer logs.Close()
	text, err := io.ReadAll(io.LimitReader(logs, 64<<10))
	s.tb.Logf("memcached log of %s (%v):\n%s", s.addr, err, text)
}
