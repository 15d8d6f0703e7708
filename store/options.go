package store

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary/codec"
)

// Options configures a Store or a Typed. The zero value of each field is its
// default; the constructors copy the struct. Durations have units: 60 is 60 ns, a
// minute is 60*time.Second. The constructors refuse what is above 0 and below a
// millisecond, and what is negative where the field does not say what that means.
type Options struct {
	// Prefix begins every key in memcached. With one, Clear removes only this
	// store's items: a generation number follows the prefix, so another client
	// does not find an item under prefix and key. Stores with the same prefix
	// have the same items, tags and Clear. It has at most 150 bytes and neither
	// spaces nor control characters. "": no prefix, and Clear flushes the servers.
	Prefix string

	// Codec encodes values. []byte, string, bool and numbers still come back
	// with the type that they went in with; other types are decoded into an
	// any, or in a Typed into its type. A value that Codec refuses with
	// codec.ErrType is stored without it if the store supports its type: codec.Raw,
	// for instance, takes no numbers. Values that it gives flags above 31 have no
	// exact time to live (see Time to live in the package's documentation). nil: a
	// Store accepts only these types; a Typed of another type uses codec.JSON.
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

	// RefreshAhead is how long before its end a value of GetOrLoad is loaded
	// anew, in the background, by one caller of all processes. It is at most half
	// the time to live. Negative: never. 0: a tenth of the time to live.
	RefreshAhead time.Duration

	// KeepStale is how long after its end an old value of GetOrLoad is kept, for
	// callers that would get an error because load failed, or would wait for
	// another process's load. After such a failure nobody loads for 5 s. At most
	// 8 hours. 0: not at all.
	KeepStale time.Duration

	// NotFoundTTL is how long GetOrLoad remembers that there is no value, never
	// longer than a value lives. Negative: not at all. 0: 1 min.
	NotFoundTTL time.Duration

	// LoadTimeout bounds the loads of GetOrLoad: the context of load ends, and
	// then nobody waits for it any longer. 0: 30 s.
	LoadTimeout time.Duration

	// OnLoadEvent gets what happens in GetOrLoad, for metrics. A hit is no event. It
	// must return quickly and be safe for concurrent use. nil: nobody is told.
	OnLoadEvent func(LoadEvent)

	// OwnsClient makes Close close the client. false: the client stays open.
	OwnsClient bool
}

const (
	defaultUnknownTTL  = time.Minute
	defaultNotFoundTTL = time.Minute
	defaultLoadTimeout = 30 * time.Second

	// maxKeepStale is less than how far a stamp can be in the past.
	maxKeepStale = 8 * time.Hour

	// longestPrefix leaves room for the generation and a hash.
	longestPrefix = 150
)

// withDefaults returns a copy with the defaults filled in.
func (o *Options) withDefaults() (Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	if c.UnknownTTL == 0 {
		c.UnknownTTL = defaultUnknownTTL
	}
	if c.NotFoundTTL == 0 {
		c.NotFoundTTL = defaultNotFoundTTL
	}
	if c.LoadTimeout == 0 {
		c.LoadTimeout = defaultLoadTimeout
	}
	if c.KeepStale < 0 || c.KeepStale > maxKeepStale {
		return c, fmt.Errorf("store: Options.KeepStale is %v: want 0 to %v", c.KeepStale, maxKeepStale)
	}
	return c, cmp.Or(
		checkPositive("Options.UnknownTTL", c.UnknownTTL),
		checkPositive("Options.LoadTimeout", c.LoadTimeout),
		checkTTL("Options.RefreshAhead", c.RefreshAhead),
		checkTTL("Options.KeepStale", c.KeepStale),
		checkTTL("Options.NotFoundTTL", c.NotFoundTTL),
		checkPrefix(c.Prefix),
	)
}

// checkPrefix refuses what no key can begin with.
func checkPrefix(prefix string) error {
	if len(prefix) > longestPrefix {
		return fmt.Errorf("store: Options.Prefix has %d bytes: want at most %d", len(prefix), longestPrefix)
	}
	if strings.ContainsFunc(prefix, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return fmt.Errorf("store: Options.Prefix is %q: want neither spaces nor control characters", prefix)
	}
	return nil
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
		return defaults, fmt.Errorf("store: WithClientSideCaching: %w (use a chain with a store in memory)",
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
