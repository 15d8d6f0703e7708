package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// defaultMaxValue bounds what is read for a value, when no limit is set: more
// than a server takes by default.
const defaultMaxValue = 1 << 20

func setCommand() command {
	return command{
		name: "set", arguments: "KEY [VALUE]", min: 1, max: 2,
		summary: "store a value",
		details: "Without VALUE, or when it is -, the value is read from standard input as it is, " +
			"line end included. Exits with 1 if --add, --replace or --cas did not hold.",
		setup: func(flags *flag.FlagSet) action {
			s := &setting{}
			flags.StringVar(&s.file, "file", "", "`FILE` to read the value from")
			ttlVar(flags, &s.ttl, "`TIME` to live: seconds, 90s, 1h30m or 7d (default 0: until evicted)")
			flags.Func("flags", "`NUMBER` that is kept with the value (default 0)", func(text string) error {
				n, err := strconv.ParseUint(text, 0, 32)
				s.flags = uint32(n)
				return err
			})
			flags.BoolVar(&s.add, "add", false, "only if the key is not there")
			flags.BoolVar(&s.replace, "replace", false, "only if the key is there")
			casVar(flags, &s.cas, "`NUMBER` that get --meta showed: only if the item has not changed since")
			return s.set
		},
	}
}

// setting is one run of set.
type setting struct {
	file         string
	ttl          time.Duration
	flags        uint32
	add, replace bool
	cas          uint64
}

func (s *setting) set(ctx context.Context, t *tool, args []string) (result, error) {
	switch {
	case s.add && s.replace, (s.add || s.replace) && s.cas != 0:
		return nil, usagef("--add, --replace and --cas exclude each other")
	case s.file != "" && len(args) > 1:
		return nil, usagef("give a value or --file, not both")
	}
	value, err := t.readValue(ctx, s.file, args[1:])
	if err != nil {
		return nil, err
	}
	client, _, err := t.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	item := &memcached.Item{Key: args[0], Value: value, TTL: s.ttl, Flags: s.flags, CAS: s.cas}
	return stored(item.Key, s.store(ctx, client, item))
}

func (s *setting) store(ctx context.Context, client *memcached.Client, item *memcached.Item) error {
	switch {
	case s.add:
		return client.Add(ctx, item)
	case s.replace:
		return client.Replace(ctx, item)
	case s.cas != 0:
		return client.CompareAndSwap(ctx, item)
	}
	return client.Set(ctx, item)
}

func appendCommand() command {
	return concatCommand("append", "behind", (*memcached.Client).Append)
}

func prependCommand() command {
	return concatCommand("prepend", "in front of", (*memcached.Client).Prepend)
}

func concatCommand(name, where string, do func(*memcached.Client, context.Context, string, []byte) error) command {
	return command{
		name: name, arguments: "KEY [VALUE]", min: 1, max: 2,
		summary: "add to a value " + where + " what it has",
		details: "Without VALUE, or when it is -, standard input is added as it is. Flags and time " +
			"to live stay. Exits with 1 if the key is not there or the value would grow too large.",
		setup: func(flags *flag.FlagSet) action {
			file := flags.String("file", "", "`FILE` to read from")
			return func(ctx context.Context, t *tool, args []string) (result, error) {
				if *file != "" && len(args) > 1 {
					return nil, usagef("give a value or --file, not both")
				}
				value, err := t.readValue(ctx, *file, args[1:])
				if err != nil {
					return nil, err
				}
				client, _, err := t.connect(ctx)
				if err != nil {
					return nil, err
				}
				defer client.Close()
				return stored(args[0], do(client, ctx, args[0], value))
			}
		},
	}
}

// readValue returns the value that the arguments, a file or standard input hold.
func (t *tool) readValue(ctx context.Context, file string, args []string) ([]byte, error) {
	limit := max(t.maxItemSize, defaultMaxValue)
	var in io.Reader
	switch {
	case file != "":
		f, err := os.Open(file)
		if err != nil {
			return nil, localf("value: %w", err)
		}
		defer f.Close()
		in = f
	case len(args) == 1 && args[0] != "-":
		return []byte(args[0]), nil
	default:
		in = t.sys.stdin
		if t.sys.isTerminal(in) {
			t.complain("reading the value from the terminal; Ctrl-D ends it")
		}
	}
	value, err := readAll(ctx, io.LimitReader(in, int64(limit)+1))
	switch {
	case err != nil && ctx.Err() == nil:
		return nil, localf("value: %w", err)
	case err == nil && len(value) > limit:
		return nil, fmt.Errorf("%w: more than %d bytes; nothing was sent", memcached.ErrTooLarge, limit)
	}
	return value, err
}

// readAll reads until the end or until ctx ends. What waits for input then ends
// with the program.
func readAll(ctx context.Context, in io.Reader) ([]byte, error) {
	type answer struct {
		value []byte
		err   error
	}
	read := make(chan answer, 1)
	go func() {
		value, err := io.ReadAll(in)
		read <- answer{value, err}
	}()
	select {
	case a := <-read:
		return a.value, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// stored is the result of storing under a key.
func stored(key string, err error) (result, error) {
	if err != nil {
		return nil, explain(err, key)
	}
	return &keysResult{Done: "stored", Keys: []string{key}, KeysBase64: keysBase64([]string{key})}, nil
}

// explain says of an answer which key it is about. Other errors stay.
func explain(err error, key string) error {
	if err == memcached.ErrNotStored || err == memcached.ErrCASConflict || err == memcached.ErrCacheMiss {
		return &codedError{exitMiss, fmt.Errorf("%w: %s", err, key)}
	}
	return err
}

// missing says that a key is not there.
func missing(key string) error { return explain(memcached.ErrCacheMiss, key) }

// errCAS is about a number that stands for no version.
var errCAS = errors.New("want the number, above 0, that get --meta shows")

func casVar(flags *flag.FlagSet, cas *uint64, usage string) {
	flags.Func("cas", usage, func(text string) (err error) {
		if *cas, err = strconv.ParseUint(text, 10, 64); err != nil || *cas == 0 {
			return errCAS
		}
		return nil
	})
}

func ttlVar(flags *flag.FlagSet, ttl *time.Duration, usage string) {
	flags.Func("ttl", usage, func(text string) (err error) {
		*ttl, err = parseTTL(text)
		return err
	})
}
