package demo_test

import (
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/integration/demo/site"
)

// Ctrl-C ends the program at once, also while browsers hold connections.
func TestProgram_EndsOnInterrupt(t *testing.T) {
	t.Parallel()
	p := run(t, nil)
	idle, err := net.Dial("tcp", strings.TrimPrefix(p.Base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	d := newVisitor(t, p.Base)
	d.page(200, demoArticle, nil)
	begin := time.Now()
	if err := p.Cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.Over():
	case <-time.After(30 * time.Second):
		t.Fatal("the demo does not end")
	}
	t.Logf("ended after %v", time.Since(begin))
	if p.Err() != nil || p.Log.String() != "" {
		t.Errorf("the demo ended with %v, and logged %q", p.Err(), p.Log.String())
	}
}

// A second Ctrl-C does not wait for a request that hangs.
func TestProgram_EndsOnSecondInterrupt(t *testing.T) {
	t.Parallel()
	p := run(t, nil)
	hanging, err := net.Dial("tcp", strings.TrimPrefix(p.Base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer hanging.Close()
	if _, err := hanging.Write([]byte("POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := hanging.Read(make([]byte, 12)); err != nil { // the form is being read
		t.Fatal(err)
	}
	eventually(t, func() error { // the first ends nothing while the request hangs
		if err := p.Cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		select {
		case <-p.Over():
			return nil
		default:
			return errors.New("the demo runs on")
		}
	})
	if status, ok := p.Cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGINT {
		t.Errorf("the demo ended with %v, want by the second interrupt", p.Err())
	}
}

func TestProgram_PortTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	p := site.Start(t, built(t), &site.Options{Args: []string{"-addr", taken.Addr().String()}})
	<-p.Over()
	if p.Cmd.ProcessState.ExitCode() != 1 || !strings.Contains(p.Log.String(), "another program has "+taken.Addr().String()) {
		t.Errorf("the demo ended with %v and said %q", p.Err(), p.Log.String())
	}
}

// A wrong password is told at the start, and the site works without memcached.
func TestProgram_WrongPassword(t *testing.T) {
	t.Parallel()
	const wrong = "Wr0ngPassw0rd"
	server := integration.Start(t, &integration.Options{Users: users})
	p := run(t, []string{"MEMCACHED_PASSWORD=" + wrong}, server)
	eventually(t, func() error {
		if out := p.Out.String(); !strings.Contains(out, "MEMCACHED_PASSWORD") || !strings.Contains(out, "authentication failed") {
			return errors.New("the demo printed only " + out)
		}
		return nil
	})
	newVisitor(t, p.Base).page(200, demoArticle, nil)
	if strings.Contains(p.Out.String()+p.Log.String(), wrong) {
		t.Errorf("the password is told:\n%s%s", p.Out.String(), p.Log.String())
	}
}

// Servers that are not there are told too, and found when they come.
func TestProgram_ServerComesLater(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, &integration.Options{Users: users})
	server.Kill()
	p := run(t, nil, server)
	eventually(t, func() error {
		if out := p.Out.String(); !strings.Contains(out, "does not answer") {
			return errors.New("the demo printed only " + out)
		}
		return nil
	})
	server.Restart()
	d := newVisitor(t, p.Base)
	eventually(t, func() error {
		if !d.fromCache(demoArticle) {
			return errors.New("the page does not come from the cache")
		}
		return nil
	})
}
