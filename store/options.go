package store

import (
	"fmt"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary/codec"
)

// Options configures a Store or a Typed. The zero value has the defaults; nil
// is the same. The constructors copy it.
type Options struct {
	// Prefix begins every key in memcached. With one, Clear removes only this
	// store's items: a generation number follows the prefix, so another client
	// does not find an item under prefix and key. Stores with the same prefix
	// have the same items, tags and Clear. "": no prefix, and Clear flushes the
	// servers.
	Prefix string

	// Codec encodes values. []byte, string, bool and numbers still come back
	// with the type that they went in with; other types are decoded into an
	// any, or in a Typed into its type. A value that Codec refuses with
	// codec.ErrType is stored without it if the store supports its type: codec.Raw,
	// for instance, takes no numbers. nil: a Store accepts only these types; a
	// Typed of another type uses codec.JSON.
	Codec codec.Codec

	// UnknownTTL is what GetWithTTL returns for items of other clients, whose
	// time to live cannot be known. gocache's chain keeps its copies that long.
	// Below a millisecond is an error. 0: 1 min.
	UnknownTTL time.Duration

	// OnError gets every fault that an operation returns. A miss is no fault.
	// gocache's chain drops the errors of its own writes and of Delete,
	// Invalidate and Clear: only OnError sees them. op is "get", "set",
	// "delete", "invalidate", "clear" and so on. OnError runs on the goroutine
	// of the operation and must be safe for concurrent use. nil: errors are
	// only returned.
	OnError func(op string, err error)

	// OwnsClient makes Close close the client. false: Close does nothing.
	OwnsClient bool
}

const defaultUnknownTTL = time.Minute

// withDefaults returns a copy with the defaults filled in.
func (o *Options) withDefaults() (Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	if c.UnknownTTL == 0 {
		c.UnknownTTL = defaultUnknownTTL
	}
	return c, checkPositive("Options.UnknownTTL", c.UnknownTTL)
}

// applyOptions returns defaults changed by options, of which nil ones are
// skipped, or an error if the store cannot honour one.
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
	if err := checkTTL("WithExpiration", defaults.Expiration); err != nil {
		return defaults, err
	}
	if defaults.TagsTTL == 0 {
		return defaults, nil
	}
	return defaults, checkPositive("WithTagsTTL", defaults.TagsTTL)
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
