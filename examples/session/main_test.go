package main

import (
	"bytes"
	"errors"
	"net/http"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
)

const tourOfLogins = `  a visitor:                    <nil> []
  after the login:              ada [Welcome!]
  the message comes once:       ada []
  a stolen cookie:              ada []
  after the logout:             <nil> []
  the stolen cookie then:       <nil> []
  a login on the phone:         ada [Welcome!]
  and on the laptop:            ada [Welcome!]
`

const want = "gin-contrib/sessions\n" + tourOfLogins + tourOfRevocation +
	"gorilla/sessions\n" + tourOfLogins + tourOfRevocation +
	"scs\n" + tourOfLogins

const tourOfRevocation = `  after logging out everywhere: <nil> []
  the laptop then:              <nil> []
`

func TestRun_WithoutServers(t *testing.T) {
	var out bytes.Buffer
	if err := run(func(string) string { return "" }, &out); err != nil || out.String() != want {
		t.Errorf("run() printed\n%s%v, want\n%s", out.String(), err, want)
	}
}

func TestRun_OnServersOfTheEnvironment(t *testing.T) {
	servers := []*memcachedtest.Server{
		memcachedtest.Start(t, &memcachedtest.Options{Users: map[string]string{"app": "secret"}}),
		memcachedtest.Start(t, &memcachedtest.Options{Users: map[string]string{"app": "secret"}}),
	}
	env := map[string]string{
		"MEMCACHED_SERVERS":  servers[0].Addr() + "," + servers[1].Addr(),
		"MEMCACHED_USERNAME": "app", "MEMCACHED_PASSWORD": "secret",
	}
	var out bytes.Buffer
	if err := run(func(name string) string { return env[name] }, &out); err != nil || out.String() != want {
		t.Errorf("run() printed\n%s%v, want\n%s", out.String(), err, want)
	}
	if len(servers[0].Keys())+len(servers[1].Keys()) == 0 {
		t.Error("the servers of the environment were not used")
	}
}

func TestLogin_WithMemcachedDownFailsVisibly(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	client, err := memcached.New([]string{server.Addr()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server.Close()
	authKey := make([]byte, 32)
	store, err := session.New(client, nil, authKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.RevokeAll(t.Context(), "ada"); !errors.Is(err, session.ErrUnavailable) {
		t.Fatalf("RevokeAll: %v, want ErrUnavailable", err)
	}
	for name, site := range map[string]func(*memcached.Client, ...[]byte) (http.Handler, error){"gin": ginSite, "gorilla": gorillaSite} {
		var out bytes.Buffer
		handler, err := site(client, authKey)
		if err != nil {
			t.Fatal(err)
		}
		if err := tour(handler, &out); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !bytes.Contains(out.Bytes(), []byte("Please try again")) {
			t.Errorf("%s: the failed login is not visible:\n%s", name, &out)
		}
	}
}
