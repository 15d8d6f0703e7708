package memcached

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// ParseURL reads servers and options from a URL, as hosters put it into the
// environment:
//
//	memcached://user:password@host:11211,other-host/?timeout=500ms&tls=true
//
// User name and password, percent-encoded where a URL demands it, become
// Options.Auth: sasl.Auto. The servers are a list as ParseServers reads it, or the
// path of a Unix socket: memcached:///run/memcached.sock. The parameters are
//
//	timeout, dial_timeout, retry_after    durations, as in 500ms and 2s
//	idle_timeout, conn_max_lifetime       durations
//	max_conns, max_item_size, eject_after numbers
//	tls, replicate                        true or false
//	prefix                                text
//
// and stand for the options of the same name. The options can be changed before
// they are given to New:
//
//	servers, opts, err := memcached.ParseURL(os.Getenv("MEMCACHED_URL"))
//
// Errors do not repeat what may hold a password.
func ParseURL(rawURL string) (servers []string, opts *Options, err error) {
	rest, ok := strings.CutPrefix(rawURL, "memcached://")
	if !ok {
		return nil, nil, errors.New("memcached: ParseURL: want a URL that begins with memcached://; ParseServers reads a list of servers")
	}
	rest, query, _ := strings.Cut(rest, "?")
	at := strings.LastIndexByte(rest, '@')
	user, place := rest[:max(at, 0)], rest[at+1:]
	opts = &Options{}
	if at >= 0 {
		if opts.Auth, err = parseUser(user); err != nil {
			return nil, nil, fmt.Errorf("memcached: ParseURL: %w", err)
		}
	}
	if strings.HasPrefix(place, "/") && len(place) > 1 {
		servers, err = []string{place}, nil
	} else {
		servers, opts.Weights, err = ParseServers(strings.TrimSuffix(place, "/"))
	}
	if err != nil {
		return nil, nil, err
	}
	if err := opts.parseQuery(query); err != nil {
		return nil, nil, fmt.Errorf("memcached: ParseURL: %w", err)
	}
	return servers, opts, nil
}

// parseUser reads "user:password". Its errors tell nothing of either.
func parseUser(s string) (sasl.Mechanism, error) {
	if _, rest, found := strings.Cut(s, "@"); found && strings.Contains(rest, ",") {
		return nil, errors.New("user name and password stand once, before the first server; an @ in them is written %40")
	}
	user, password, _ := strings.Cut(s, ":")
	user, err1 := url.PathUnescape(user)
	password, err2 := url.PathUnescape(password)
	switch {
	case err1 != nil || err2 != nil:
		return nil, errors.New("user name or password has a % that is not followed by two hexadecimal digits: write %25")
	case user == "" || password == "":
		return nil, errors.New("want a user name and a password before the @, as in user:password@host")
	}
	return sasl.Auto(user, password), nil
}

// parseQuery sets the options that a URL's parameters name.
func (o *Options) parseQuery(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("the parameters behind the ? are malformed")
	}
	durations := map[string]*time.Duration{
		"timeout": &o.Timeout, "dial_timeout": &o.DialTimeout, "retry_after": &o.RetryAfter,
		"idle_timeout": &o.IdleTimeout, "conn_max_lifetime": &o.ConnMaxLifetime,
	}
	numbers := map[string]*int{
		"max_conns": &o.MaxConns, "max_item_size": &o.MaxItemSize, "eject_after": &o.EjectAfter,
	}
	encrypted := false
	switches := map[string]*bool{"tls": &encrypted, "replicate": &o.Replicate}
	for name, all := range values {
		value, wanted := all[len(all)-1], ""
		switch {
		case len(all) > 1:
			wanted = "one value"
		case durations[name] != nil:
			wanted = "a duration with a unit, as in 500ms"
			*durations[name], err = time.ParseDuration(value)
		case numbers[name] != nil:
			wanted = "a number"
			*numbers[name], err = strconv.Atoi(value)
		case switches[name] != nil:
			wanted = "true or false"
			*switches[name], err = strconv.ParseBool(value)
		case name == "prefix":
			o.Prefix = value
		case strings.Contains(query, "@"):
			return errors.New("a parameter that there is not (not shown, it may hold a password): a ? in a password is written %3F")
		default:
			return fmt.Errorf("no parameter %.20q: see ParseURL for those that there are", name)
		}
		if err != nil || len(all) > 1 {
			return fmt.Errorf("parameter %s: want %s", name, wanted)
		}
	}
	if encrypted {
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return nil
}
