package languages_test

import (
	"os"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/bmemcached"
	"github.com/bmemcached/bmemcached-go/binary/placement"
)

// The clients that trixie alone has here. All of them speak the text protocol, and
// know no credentials.
var (
	pythonMemcached = language{
		name:    "python-memcached",
		command: []string{"python3", "pythonmemcached.py"},
		codec:   bmemcached.Pylibmc{},
		place:   placing{"PythonMemcached", placement.PythonMemcached},
		release: trixie,
		noSASL:  true,
	}
	perl = language{
		name:    "Cache::Memcached",
		command: []string{"perl", "cachememcached.pl", "Cache::Memcached"},
		codec:   codec.Raw{},
		place:   placing{"CacheMemcached", placement.CacheMemcached},
		release: trixie,
		noSASL:  true,
		noTouch: true,
	}
	perlFast = language{
		name:    "Cache::Memcached::Fast",
		command: []string{"perl", "cachememcached.pl", "Cache::Memcached::Fast"},
		codec:   codec.Raw{},
		place:   placing{"CacheMemcached", placement.CacheMemcached},
		release: trixie,
		noSASL:  true,
		noTouch: true,
	}
	phpMemcache = language{
		name:    "PHP memcache",
		command: []string{"php", "phpmemcache.php"},
		codec:   codec.Raw{},
		place:   placing{"PHPMemcache", placement.PHPMemcache},
		release: trixie,
		noSASL:  true,
		noTouch: true,
	}
)

// newer returns the language as trixie has it.
func (l language) newer() language {
	l.name += ", newer"
	l.release = trixie
	if l.command[0] == ruby.command[0] && os.Getenv(suiteVariable) != "" {
		l.noSASL = true // Dalli 5 speaks the meta protocol
	}
	return l
}

// textClients are those that store nothing but bytes, by the text protocol.
func textClients() []language { return []language{perl, perlFast, phpMemcache} }
