package store

import (
	"fmt"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary/codec"
)

// Options set up a Store. The zero value of each field is its default; the
// constructors copy the struct.
type Options struct {
	// Prefix stands before all keys of the store. With one, Clear removes the
	// items with this prefix instead of flushing the servers. A generation
	// number between prefix and key does that, so another client that looks
	// for prefix and key does not find the item. Stores that share a prefix
	// share their items, tags and Clear.
	Prefix string

	// Codec encodes values. Nil keeps bytes, strings, numbers and booleans as
	// they are, and refuses anything else. With a Codec these come back as
	// they went in all the same; what they are not, comes back as the Codec
	// decodes it into an any. A Codec that does not take a type that the store
	// keeps by itself (codec.Raw takes no numbers) leaves it to the store.
	//
	// In NewTyped, nil means codec.JSON unless the type is one of these.
	Codec codec.Codec

	// UnknownTTL is what GetWithTTL answers for items whose time to live it
	// cannot know, because another client wrote them. Zero and below mean one
	// minute: gocache's chain keeps copies that long in its upper layers, and
	// for ever if the answer was 0.
	UnknownTTL time.Duration

	// OnError is told of every fault that the store returns: misses are none.
	// gocache's chain drops the errors of the writes that it does by itself,
	// and those of Delete, Invalidate and Clear; here they come to light. op
	// is "get", "set", "delete", "invalidate", "clear" and so on. It is called
	// on the goroutine of the operation and must be safe for concurrent use.
	OnError func(op string, err error)

	// OwnsClient makes Close close the client.
	OwnsClient bool
}

const defaultUnknownTTL = time.Minute

func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.UnknownTTL <= 0 {
		c.UnknownTTL = defaultUnknownTTL
	}
	return c
}

// applyOptions returns defaults changed by options, of which nil ones are
// skipped, or an error if the store cannot do what they ask for.
func applyOptions(defaults libstore.Options, options []libstore.Option) (libstore.Options, error) {
	for _, option := range options {
		if option != nil {
			option(&defaults)
		}
	}
	if defaults.ClientSideCacheExpiration != 0 {
		return defaults, fmt.Errorf("memcached store: WithClientSideCaching: %w (use a chain with a store in memory)",
			libstore.ErrNotSupported)
	}
	return defaults, nil
}

// tagsOf returns the tags to invalidate.
func tagsOf(options []libstore.InvalidateOption) []string {
	var o libstore.InvalidateOptions
	for _, option := range options {
		if option != nil {
			option(&o)
		}
	}
	return o.Tags
}
