package main

import (
	"context"
	"flag"
	"strconv"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// keysResult lists the keys for which something was done.
type keysResult struct {
	Done       string   `json:"done"`
	Keys       []string `json:"keys"`
	KeysBase64 []string `json:"keys_base64,omitempty"` // see keysBase64
}

func (k *keysResult) text(p *printer) {
	for _, key := range k.Keys {
		p.line("%s %s", k.Done, key)
	}
}

// eachKey calls do for the keys one after the other and says for which it
// succeeded.
func (t *tool) eachKey(ctx context.Context, done string, keys []string, do func(*memcached.Client, string) error) (result, error) {
	client, _, err := t.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	found := &keysResult{Done: done, Keys: []string{}}
	var failed failures
	for _, key := range keys {
		if err := do(client, key); err != nil {
			failed = append(failed, explain(err, key))
			continue
		}
		found.Keys = append(found.Keys, key)
	}
	found.KeysBase64 = keysBase64(found.Keys)
	return found, failed.orNil()
}

func deleteCommand() command {
	return command{
		name: "delete", arguments: "KEY…", min: 1, max: -1,
		summary: "remove keys",
		details: "Exits with 1 if a key was not there.",
		setup: func(flags *flag.FlagSet) action {
			var cas uint64
			casVar(flags, &cas, "`NUMBER` that get --meta showed: only if the item has not changed since; with one key")
			return func(ctx context.Context, t *tool, keys []string) (result, error) {
				if cas != 0 && len(keys) > 1 {
					return nil, usagef("--cas is for one key")
				}
				return t.eachKey(ctx, "deleted", keys, func(client *memcached.Client, key string) error {
					if cas != 0 {
						return client.CompareAndDelete(ctx, key, cas)
					}
					return client.Delete(ctx, key)
				})
			}
		},
	}
}

func touchCommand() command {
	return command{
		name: "touch", arguments: "KEY…", min: 1, max: -1,
		summary: "set the time to live of keys",
		details: "--ttl has to be given. Exits with 1 if a key is not there.",
		setup: func(flags *flag.FlagSet) action {
			ttl := time.Duration(-1)
			ttlVar(flags, &ttl, "`TIME` to live: seconds, 90s, 1h30m or 7d; 0: until evicted")
			return func(ctx context.Context, t *tool, keys []string) (result, error) {
				if ttl < 0 {
					return nil, usagef("touch needs --ttl")
				}
				return t.eachKey(ctx, "touched", keys, func(client *memcached.Client, key string) error {
					return client.Touch(ctx, key, ttl)
				})
			}
		},
	}
}

func incrementCommand() command {
	return counterCommand("incr", "add to a number", "Numbers wrap at 2^64.",
		(*memcached.Client).Increment, (*memcached.Client).IncrementOrSet)
}

func decrementCommand() command {
	return counterCommand("decr", "subtract from a number", "Numbers stop at 0.",
		(*memcached.Client).Decrement, (*memcached.Client).DecrementOrSet)
}

type (
	countFunc      func(*memcached.Client, context.Context, string, uint64) (uint64, error)
	countOrSetFunc func(*memcached.Client, context.Context, string, uint64, uint64, time.Duration) (uint64, error)
)

func counterCommand(name, summary, bounds string, change countFunc, changeOrSet countOrSetFunc) command {
	return command{
		name: name, arguments: "KEY [NUMBER]", min: 1, max: 2,
		summary: summary,
		details: "NUMBER is 1 if not given. Prints the new number. " + bounds + " " +
			"Exits with 1 if the key is not there and --initial is not given.",
		setup: func(flags *flag.FlagSet) action {
			c := &counting{change: change, changeOrSet: changeOrSet}
			flags.Func("initial", "`NUMBER` to store when the key is not there", func(text string) (err error) {
				c.create = true
				c.initial, err = strconv.ParseUint(text, 10, 64)
				return err
			})
			ttlVar(flags, &c.ttl, "`TIME` to live of what --initial stores: seconds, 90s, 1h30m or 7d (default 0: until evicted)")
			return c.count
		},
	}
}

// counting is one run of incr or decr.
type counting struct {
	change      countFunc
	changeOrSet countOrSetFunc
	create      bool
	initial     uint64
	ttl         time.Duration
}

func (c *counting) count(ctx context.Context, t *tool, args []string) (result, error) {
	delta := uint64(1)
	if len(args) == 2 {
		var err error
		if delta, err = strconv.ParseUint(args[1], 10, 64); err != nil {
			return nil, usagef("%q: want a number from 0 to 18446744073709551615", args[1])
		}
	}
	if c.ttl != 0 && !c.create {
		return nil, usagef("--ttl is for what --initial stores; touch changes the time to live of a key that is there")
	}
	client, _, err := t.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	found := &counterResult{jsonKey: newJSONKey(args[0])}
	if c.create {
		found.Value, err = c.changeOrSet(client, ctx, args[0], delta, c.initial, c.ttl)
	} else {
		found.Value, err = c.change(client, ctx, args[0], delta)
	}
	if err != nil {
		return nil, explain(err, args[0])
	}
	return found, nil
}

type counterResult struct {
	jsonKey
	Value uint64 `json:"value"`
}

func (c *counterResult) text(p *printer) { p.line("%d", c.Value) }
