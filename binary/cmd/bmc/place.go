package main

import (
	"context"
	"flag"
	"strings"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/placement"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// distribution is a way to spread keys, under the name of --distribution.
type distribution struct {
	name string
	make func(who sasl.Credentials) memcached.Distribution
}

// always is a distribution that takes no credentials.
func always(d memcached.Distribution) func(sasl.Credentials) memcached.Distribution {
	return func(sasl.Credentials) memcached.Distribution { return d }
}

const nameBMemcached = "bmemcached" // hashes the credentials, too

// distributions are the default and the defaults of other clients, by their
// names; the first is this client's.
func distributions() []distribution {
	return []distribution{
		{"ketama", always(memcached.Ketama)},
		{"php-memcached", always(placement.PHPMemcached)},
		{"php-memcache", always(placement.PHPMemcache)},
		{"pylibmc", always(placement.Pylibmc)},
		{"pylibmc-ketama", always(placement.LibmemcachedConsistent)},
		{"python-memcached", always(placement.PythonMemcached)},
		{"pymemcache", always(placement.Pymemcache)},
		{nameBMemcached, func(who sasl.Credentials) memcached.Distribution {
			return placement.BMemcached(who.Username, who.Password.Reveal())
		}},
		{"dalli", always(placement.Dalli)},
		{"perl", always(placement.CacheMemcached)},
		{"spymemcached", always(placement.Spymemcached)},
		{"spymemcached-ketama", always(placement.SpymemcachedKetama)},
		{"xmemcached", always(placement.Xmemcached)},
		{"memjs", always(placement.Memjs)},
		{"npm-memcache", always(placement.NPMMemcache)},
		{"gomemcache", always(placement.Gomemcache)},
		{"mc", always(placement.MC)},
		{"gomemcached", always(placement.Gomemcached)},
		{"nginx", always(placement.Nginx)},
		{"twemproxy", always(placement.Twemproxy)},
	}
}

func distributionNames() []string {
	var names []string
	for _, d := range distributions() {
		names = append(names, d.name)
	}
	return names
}

// findDistribution returns the distribution of a name; none stands for the
// first.
func findDistribution(name string, who sasl.Credentials) (memcached.Distribution, error) {
	for _, d := range distributions() {
		if name == "" || strings.EqualFold(name, d.name) {
			return d.make(who), nil
		}
	}
	return nil, usagef("unknown distribution %q: want one of %s", name, strings.Join(distributionNames(), ", "))
}

func placeCommand() command {
	return command{
		name: "place", arguments: "KEY…", min: 1, max: -1,
		summary: "tell which server holds a key, for each distribution",
		details: "Nothing is sent. The distributions are the defaults of other clients; ketama is " +
			"libmemcached's weighted one (PHP with OPT_LIBKETAMA_COMPATIBLE, pylibmc with " +
			"ketama_weighted, npm's memcached), and " + nameBMemcached + ", python-binary-memcached's, " +
			"hashes the user name and the password along. With --distribution there is one line per key.",
		setup: func(*flag.FlagSet) action { return place },
	}
}

type placeResult struct {
	Keys []placeOfKey `json:"keys"`
	only string       // the distribution that was asked for
}

type placeOfKey struct {
	jsonKey
	Servers map[string]string `json:"servers"` // by distribution
}

func place(_ context.Context, t *tool, keys []string) (result, error) {
	return t.place(keys)
}

func (t *tool) place(keys []string) (result, error) {
	names, addrs, err := t.ringServers()
	if err != nil {
		return nil, err
	}
	if _, err := findDistribution(t.distribution, sasl.Credentials{}); err != nil {
		return nil, err
	}
	found := &placeResult{only: strings.ToLower(t.distribution)}
	for _, key := range keys {
		found.Keys = append(found.Keys, placeOfKey{newJSONKey(key), map[string]string{}})
	}
	for _, d := range distributions() {
		if found.only != "" && found.only != d.name {
			continue
		}
		who, err := t.hashedCredentials(d.name)
		if err != nil {
			return nil, err
		}
		pick := d.make(who)(addrs)
		for i, key := range keys {
			found.Keys[i].Servers[d.name] = names[pick(key)]
		}
	}
	return found, nil
}

// ringServers returns the servers as they were named and as a distribution gets
// them.
func (t *tool) ringServers() (names []string, addrs []memcached.Server, err error) {
	if names, err = t.serverList(); err != nil {
		return nil, nil, err
	}
	client, err := memcached.New(names, &memcached.Options{
		Weights: t.weights,
		Distribution: func(servers []memcached.Server) func(string) int {
			addrs = servers
			return memcached.Ketama(servers)
		},
	})
	if err != nil {
		return nil, nil, usagef("%w", err)
	}
	return names, addrs, client.Close()
}

// hashedCredentials returns what a distribution hashes along. Nobody is asked:
// where no password is set, there is none to hash.
func (t *tool) hashedCredentials(distribution string) (sasl.Credentials, error) {
	if t.readUsername(); distribution != nameBMemcached || t.username == "" {
		return sasl.Credentials{}, nil
	}
	password, err := t.password()
	if err == nil && password == "" {
		t.warn("bmemcached hashes the password along, and none is set: this is where keys are without one")
	}
	return sasl.Credentials{Username: t.username, Password: sasl.NewSecret(password)}, err
}

func (r *placeResult) text(p *printer) {
	for _, of := range r.Keys {
		if r.only != "" {
			p.line("%s %s", of.Key, of.Servers[r.only])
			continue
		}
		p.line("%s", of.Key)
		for _, name := range distributionNames() {
			p.line("  %-19s  %s", name, of.Servers[name])
		}
	}
}
