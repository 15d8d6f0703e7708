package languages_test

import (
	"maps"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/bmemcached"
	"github.com/bmemcached/bmemcached-go/binary/codec/dalli"
	"github.com/bmemcached/bmemcached-go/binary/codec/phpmemcached"
	"github.com/bmemcached/bmemcached-go/binary/codec/spymemcached"
	"github.com/bmemcached/bmemcached-go/binary/placement"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/integration"
)

const (
	username = "app"
	password = "sec:ret with spaces"
)

// A language is a memcached client of another language, and what this client has
// to use to share a cache with it.
type language struct {
	name    string
	command []string
	options args // of the driver
	codec   codec.Codec
	place   placing
	release *release // that ships it; nil: bookworm
	noSASL  bool     // the client cannot authenticate
	noTouch bool     // it cannot touch
	onHost  bool     // its driver runs on this machine, not in the container
}

var (
	python = language{
		name:    "python-binary-memcached",
		command: []string{"python3", "binarymemcached.py"},
		codec:   bmemcached.Codec{},
		place:   placing{"BMemcached", placement.BMemcached(username, password)},
		noTouch: true,
	}
	pylibmc = language{
		name:    "pylibmc",
		command: []string{"python3", "libmemcached.py"},
		codec:   bmemcached.Pylibmc{},
		place:   ketama,
	}
	ruby = language{
		name:    "dalli",
		command: []string{"ruby", "dalli.rb"},
		codec:   dalli.Codec{},
		place:   placing{"Dalli", placement.Dalli},
	}
	java = language{
		name:    "spymemcached",
		command: []string{"java", "Spymemcached"},
		codec:   spymemcached.Codec{},
		place:   placing{"SpymemcachedKetama", placement.SpymemcachedKetama},
	}
	php = language{
		name:    "php-memcached",
		command: []string{"php", "phpmemcached.php"},
		codec:   phpmemcached.Codec{},
		place:   ketama,
	}
	tools = language{
		name:    "libmemcached-tools",
		command: []string{"python3", "tools.py"},
		options: args{"hash": "md5"},
		codec:   codec.Raw{},
		place:   placing{"MD5 modulo n", md5Modulo},
	}
	pymemcache = language{
		name:    "pymemcache",
		command: []string{"python3", "textmemcached.py"},
		codec:   bmemcached.Pylibmc{},
		noSASL:  true, // it speaks the text protocol only
	}
)

// with returns the language with options of its client and the codec for them.
func (l language) with(what string, options args, c codec.Codec) language {
	l.name += ", " + what
	l.options, l.codec = options, c
	return l
}

// asInstalled returns the language with its client's own settings, which place keys
// as a Distribution does.
func (l language) asInstalled(options args, p placing) language {
	l.name += ", defaults"
	l.options, l.place = options, p
	return l
}

// users are who may log in to the servers that the language's client uses.
func (l language) users() map[string]string {
	if l.noSASL {
		return nil
	}
	return map[string]string{username: password}
}

// open connects the language's client.
func (l language) open(t *testing.T, servers ...string) *driver {
	t.Helper()
	return l.openWith(t, nil, servers...)
}

// openWith is open with more than servers, credentials and options.
func (l language) openWith(t *testing.T, more args, servers ...string) *driver {
	t.Helper()
	d := l.driver(t)
	t.Cleanup(func() { d.complain(t) })
	how := args{"servers": servers}
	if !l.noSASL {
		how["username"], how["password"] = username, password
	}
	if l.options != nil {
		how["options"] = l.options
	}
	maps.Copy(how, more)
	d.must(t, "open", how, nil)
	return d
}

// driver returns the language's driver, running.
func (l language) driver(t *testing.T) *driver {
	t.Helper()
	if l.onHost {
		needNode(t)
		return host.get(t, l.command)
	}
	if l.release != nil {
		return l.release.get(t).drivers.get(t, l.command)
	}
	return languages(t).drivers.get(t, l.command)
}

// connect returns this client, set up to share servers with the language's.
func (l language) connect(t *testing.T, servers ...string) *memcached.Client {
	t.Helper()
	return l.connectWith(t, &memcached.Options{Distribution: l.place.distribution}, servers...)
}

// connectWith is connect with options of the caller's.
func (l language) connectWith(t *testing.T, opts *memcached.Options, servers ...string) *memcached.Client {
	t.Helper()
	opts.Timeout = 15 * time.Second // the machine may be busy with other tests
	if !l.noSASL {
		opts.Auth = sasl.Auto(username, password)
	}
	c, err := memcached.New(servers, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// start launches n servers that ask the language's client to authenticate, unless
// it cannot.
func (l language) start(t *testing.T, n int) (servers []string) {
	t.Helper()
	for range n {
		servers = append(servers, integration.Start(t, &integration.Options{Users: l.users()}).Addr())
	}
	return servers
}

// A pair is one language's client and this one on the same servers.
type pair struct {
	language
	theirs *driver
	ours   *memcached.Client
}

// each runs test for every language, all of them on one server with SASL, and those
// that cannot authenticate on one without. The server is empty each time.
func each(t *testing.T, some []language, test func(t *testing.T, p pair)) {
	t.Helper()
	var started [2][]string
	for _, l := range some {
		kind := &started[0]
		if l.noSASL {
			kind = &started[1]
		}
		if *kind == nil {
			*kind = l.start(t, 1)
		}
		servers := *kind
		t.Run(l.name, func(t *testing.T) {
			p := pair{l, l.open(t, servers...), l.connect(t, servers...)}
			if err := p.ours.FlushAll(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			test(t, p)
		})
	}
}
