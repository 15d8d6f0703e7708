// Command unpickle reads what Python's memcached clients have pickled, without
// running any of it:
//
//	cd examples && go run ./unpickle
//
// A pickle is a program for Python's unpickler: whoever can write to a cache can
// put one there that runs commands in every process that unpickles it. Here a
// reader that builds values only (og-rek) stands behind the Unpickle hook of
// package bmemcached; unpickle.go turns what it read into data and refuses the
// rest.
//
// It runs on the memcached that MEMCACHED_SERVERS names (several are separated
// by commas), with MEMCACHED_USERNAME, MEMCACHED_PASSWORD and MEMCACHED_TLS, or
// on one inside the process.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/bmemcached"
	"github.com/bmemcached/bmemcached-go/examples/internal/connect"
)

func main() {
	if err := run(context.Background(), os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// stored is a value as a Python client stored it.
type stored struct {
	Client string // python-binary-memcached or pylibmc
	Python string // the expression
	Flags  uint32
	Value  []byte
}

//go:embed testdata/python.json
var samples []byte

// evil is what pickle.dumps makes of an object whose __reduce__ returns
// (os.system, ('touch executed',)).
var evil = stored{
	Client: "python-binary-memcached",
	Python: "os.system('touch executed')",
	Flags:  bmemcached.FlagPickle,
	Value:  []byte("cposix\nsystem\np0\n(Vtouch executed\np1\ntp2\nRp3\n."),
}

// codecs are the formats of the clients, with a reader for pickles.
var codecs = map[string]codec.Codec{
	"python-binary-memcached": bmemcached.Codec{Unpickle: Unpickle},
	"pylibmc":                 bmemcached.Pylibmc{Unpickle: Unpickle},
}

func run(ctx context.Context, getenv func(string) string, out io.Writer) error {
	client, stop, err := connect.Client(getenv, nil)
	if err != nil {
		return err
	}
	defer stop()
	var all []stored
	if err := json.Unmarshal(samples, &all); err != nil {
		return err
	}
	for _, s := range append(all, evil) {
		item := &memcached.Item{Key: "unpickle:sample", Value: s.Value, Flags: s.Flags, TTL: time.Minute}
		if err := client.Set(ctx, item); err != nil { // Python does this
			return err
		}
		value, err := get(ctx, client, "unpickle:sample", codecs[s.Client])
		if err != nil {
			fmt.Fprintf(out, "%-24s %-28s refused: %v\n", s.Client, s.Python, err)
			continue
		}
		fmt.Fprintf(out, "%-24s %-28s %s\n", s.Client, s.Python, shorten(fmt.Sprintf("%T %v", value, value)))
	}
	return nil
}

// get reads a value that Python wrote.
func get(ctx context.Context, client *memcached.Client, key string, c codec.Codec) (value any, err error) {
	item, err := client.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	err = c.Decode(item.Value, item.Flags, &value)
	return value, err
}

func shorten(s string) string {
	if len(s) > 48 {
		return s[:45] + "..."
	}
	return s
}
