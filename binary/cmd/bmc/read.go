package main

import (
	"context"
	"encoding/base64"
	"flag"
	"slices"
	"unicode/utf8"

	"github.com/bmemcached/bmemcached-go/binary"
)

func getCommand() command {
	return command{
		name: "get", arguments: "KEY…", min: 1, max: -1,
		summary: "print values",
		details: "The value of one key is printed as it is stored. Several keys, or --meta, print " +
			"a line with key, size, flags and CAS in front of each value. On a terminal, " +
			"control characters are shown as escapes such as \\x1b; elsewhere, and with --raw, " +
			"the bytes are those that are stored. Exits with 1 if a key is not there.",
		setup: func(flags *flag.FlagSet) action {
			found := &getResult{}
			flags.BoolVar(&found.raw, "raw", false, "print the stored bytes and nothing else, also on a terminal")
			flags.BoolVar(&found.meta, "meta", false, "print size, flags and CAS also for one key")
			return found.get
		},
	}
}

// getResult is what get found.
type getResult struct {
	Items         []itemResult `json:"items"`
	Missing       []string     `json:"missing"`
	MissingBase64 []string     `json:"missing_base64,omitempty"` // see keysBase64
	raw, meta     bool
}

// itemResult is an item for people and programs.
type itemResult struct {
	jsonKey
	Value    string `json:"value"`
	Encoding string `json:"encoding"` // of Value: utf-8 or base64
	Bytes    int    `json:"bytes"`    // that are stored
	Flags    uint32 `json:"flags"`
	CAS      uint64 `json:"cas"`
	stored   []byte
}

func newItemResult(item *memcached.Item) itemResult {
	r := itemResult{
		jsonKey: newJSONKey(item.Key), Value: string(item.Value), Encoding: "utf-8", Bytes: len(item.Value),
		Flags: item.Flags, CAS: item.CAS, stored: item.Value,
	}
	if !utf8.Valid(item.Value) {
		r.Value, r.Encoding = base64.StdEncoding.EncodeToString(item.Value), "base64"
	}
	return r
}

func (g *getResult) get(ctx context.Context, t *tool, keys []string) (result, error) {
	client, _, err := t.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	items, err := client.GetMulti(ctx, keys)
	g.meta = g.meta || len(keys) > 1
	g.Items, g.Missing = []itemResult{}, []string{}
	var failed failures
	if err != nil {
		failed = append(failed, err)
	}
	faulty := errorsByName(err)
	for i, key := range keys {
		switch {
		case slices.Contains(keys[:i], key), faulty[key] != nil:
		case items[key] == nil:
			g.Missing = append(g.Missing, key)
			failed = append(failed, missing(key))
		default:
			g.Items = append(g.Items, newItemResult(items[key]))
		}
	}
	g.MissingBase64 = keysBase64(g.Missing)
	return g, failed.orNil()
}

func (g *getResult) text(p *printer) {
	for _, item := range g.Items {
		if !g.meta || g.raw {
			p.value(item.stored, g.raw)
			continue
		}
		p.line("%s: %s, flags %d, cas %d", item.Key, count(uint64(item.Bytes), "byte"), item.Flags, item.CAS)
		p.value(item.stored, false)
		if !p.terminal {
			p.WriteByte('\n')
		}
	}
}
