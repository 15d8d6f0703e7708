package middleware

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
)

const (
	defaultMaxBody       = 8 << 20
	defaultMaxRecordings = 64 << 20
	defaultLookupTimeout = 100 * time.Millisecond
	defaultPrefix        = "page:"
	// longestPrefix leaves room for the letter, the digest and a chunk's number.
	longestPrefix = 150
)

// Options configures a Cache. The zero value stores what responses declare
// cacheable and nothing else. Durations have units: 60 is 60 ns, a minute is
// 60*time.Second. New refuses what is above 0 and below a millisecond, and what
// is negative.
type Options struct {
	// TTL is the lifetime of responses that state none, as in 60*time.Second. Only
	// those get it whose status permits a guess: 200, 203, 204, 300, 301, 308, 404,
	// 405, 410, 414 and 501, or any with Cache-Control: public. 0: a tenth of the
	// time since Last-Modified, at most a day; without Last-Modified the response
	// is not stored.
	//
	// Visitors with cookies get and make such pages, too: a handler whose page depends
	// on one must say so, or PersonalCookies must name it.
	TTL time.Duration

	// StaleWhileRevalidate is how long after its lifetime a response is still sent
	// while a fresh one is made (RFC 5861), when the response does not say. Requests
	// with no-cache, min-fresh, or max-age without max-stale, wait for the fresh one. See
	// Engine. 0: only as responses say.
	StaleWhileRevalidate time.Duration

	// StaleIfError is how long after its lifetime a response is sent instead of a
	// 500, 502, 503 or 504, or of a panic (RFC 5861), when the response does not
	// say. 0: only as responses say.
	StaleIfError time.Duration

	// StaleIfUnreachable sends a stale response of any age when the handler panics
	// or answers 502 or 504, and nothing forbids it. The panic is logged and not
	// raised again. false: only as StaleIfError says.
	StaleIfUnreachable bool

	// StoreSetCookie stores responses with Set-Cookie that are otherwise cacheable:
	// everyone then gets the same cookie. false: a response with Set-Cookie goes to
	// its own client only, except that NeutralCookies do not count.
	StoreSetCookie bool

	// NeutralCookies names cookies that say nothing about the page, such as consent or
	// the choice of a server. A response that sets no others is stored, without them;
	// so is one beside which middleware above sets them. Where a response has Vary:
	// Cookie, they make no variants. A name that ends in * stands for all that begin so,
	// as _ga* does. What PersonalCookies names is not neutral. nil: every cookie makes a response its visitor's,
	// whoever sets it, and a request for which middleware above has set one bypasses
	// the cache.
	NeutralCookies []string

	// PersonalCookies names the cookies that make a request personal, such as that of
	// a session: requests with one of them bypass the cache, and others get what is
	// stored, also where somebody looked for their session and found none. A name stands
	// also for the numbered pieces of a long cookie: sid for sid_0, sid.1, sid-2 and
	// sidC3; one that ends in * for all that begin so, as wordpress_logged_in_* does;
	// otherwise names are compared as they are, case included. nil: the
	// cache ignores Cookie, unless a response has Vary: Cookie.
	PersonalCookies []string

	// PersonalFields names the fields that make a request personal, beside
	// Authorization, Proxy-Authorization and X-Api-Key: requests with one of them
	// bypass the cache. nil: none.
	PersonalFields []string

	// IgnoreClientCertificates answers clients that show a TLS certificate as it does
	// others: for servers behind a proxy that shows one of its own. false: requests of
	// clients with a certificate bypass the cache.
	IgnoreClientCertificates bool

	// RequestFields names the request fields that handlers see of requests that do
	// not bypass the cache, besides those that the response's Vary names, the
	// credentials and those that the cache evaluates. Whoever needs to be sure that no
	// field poisons the cache lists those that the handlers need. nil: all, without
	// those that are known to name another host, scheme, path or method.
	RequestFields []string

	// IgnoreRequestDirectives answers requests with Cache-Control or Pragma as if
	// they had none: reloads do not reach the handler. false: RFC 9111.
	IgnoreRequestDirectives bool

	// Lifetime is called for each response that may be stored, and returns how long
	// it is fresh, or a negative duration if it must not be stored. stated is how long
	// it would be without Lifetime: as it says itself, or as TTL says; 0 if neither
	// does. What a response says itself can be shortened only, and a status of 500 and
	// above gets nothing that it does not say. What is above 0 and below a millisecond
	// has no unit: the response is not stored, and the Logger told. nil: stated.
	Lifetime func(r *http.Request, status int, header http.Header, stated time.Duration) time.Duration

	// HideTags keeps Cache-Tag and Surrogate-Key from clients, except in responses
	// that bypass the cache. false: clients, and caches before this one, get them.
	HideTags bool

	// PathTags makes PurgeAll and PurgePath possible: every response is stored with
	// tags for its host and the directories of its path. A hit then reads these tags,
	// too, in the same round trip, and does not join the lookups of others. false:
	// only the tags that responses name.
	PathTags bool

	// MaxBody is the length of the largest body that is stored, in bytes. Larger
	// responses stream through. 0: 8 MiB.
	MaxBody int64

	// MaxRecordings bounds the memory, in bytes, for bodies of responses that are
	// being recorded, for all requests at once, and as much again for bodies of more than
	// 64 KiB of stored ones that are being sent, which all who get the same response have
	// in common. What does not fit is made by the handler, sent, and not stored. Smaller
	// stored bodies are not counted: each request that sends one holds it.
	// 0: 64 MiB, or MaxBody if that is more.
	MaxRecordings int64

	// TargetedFields lists the targeted cache-control fields (RFC 9213) that this cache
	// obeys before Cache-Control, the most important first. nil: CDN-Cache-Control;
	// empty: none.
	TargetedFields []string

	// Key returns what tells pages apart besides scheme, host, path and query, or
	// false to bypass the cache. It may change r.URL.RawQuery, and nothing else, of
	// the request that it is given: key and handler get the query that it leaves.
	// nil: nothing; the query as it came.
	Key func(r *http.Request) (key string, ok bool)

	// Engine receives the requests that revalidate stale responses in the
	// background: give it what the server serves, the outermost handler with this cache
	// in it. They have the URL and the header of the request that found the response
	// stale, and a context that outlives it. nil: one of the requests that find a
	// response stale revalidates it before it is answered; the others are answered at
	// once.
	Engine http.Handler

	// Prefix begins every key in memcached. It has at most 150 bytes and neither
	// spaces nor control characters. Applications that share servers need prefixes of
	// their own: with one prefix they share pages. "": "page:".
	Prefix string

	// SealKeys are secrets under which what is stored is sealed. Then who can read
	// memcached learns nothing of it but its size, and who can write there can delete
	// it, or put back what was in the same place before, and nothing else. Each has 32
	// random bytes or more. The first seals; all open, and purges reach what was stored
	// under any, so that a new key is first added at the end everywhere, then moved to
	// the front. nil: entries are readable.
	SealKeys [][]byte

	// LookupTimeout is how long a request waits for memcached, in all, before it
	// goes on without. 0: 100 ms.
	LookupTimeout time.Duration

	// OnEvent is called with what happened to each request, to each stored response, and
	// with each purge, in the goroutine in which it happened. It must be quick. nil:
	// nobody is told.
	OnEvent func(Event)

	// Logger gets faults of memcached, and mistakes of Engine and Lifetime, at most one
	// of each kind in ten seconds, and panics that a stale response covered up; never
	// keys, values or credentials. nil: slog.Default; slog.DiscardHandler silences.
	Logger *slog.Logger
}

// check returns what is wrong with the options.
func (o *Options) check() error {
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"TTL", o.TTL},
		{"StaleWhileRevalidate", o.StaleWhileRevalidate},
		{"StaleIfError", o.StaleIfError},
		{"LookupTimeout", o.LookupTimeout},
	} {
		switch {
		case d.value < 0:
			return fmt.Errorf("middleware: Options.%s is %v: want 0 or more", d.name, d.value)
		case d.value > 0 && d.value < time.Millisecond:
			return fmt.Errorf("middleware: Options.%s of %v: durations have units, as in 60*time.Second", d.name, d.value)
		}
	}
	if o.MaxBody < 0 {
		return fmt.Errorf("middleware: Options.MaxBody is %d: want 0 or more", o.MaxBody)
	}
	if least := o.withDefaults().MaxBody; o.MaxRecordings != 0 && o.MaxRecordings < least {
		return fmt.Errorf("middleware: Options.MaxRecordings is %d: want 0, or MaxBody (%d) or more", o.MaxRecordings, least)
	}
	for _, names := range []struct {
		option, kind string
		values       []string
	}{
		{"TargetedFields", "header field", o.TargetedFields},
		{"NeutralCookies", "cookie", o.NeutralCookies},
		{"PersonalCookies", "cookie", o.PersonalCookies},
		{"PersonalFields", "header field", o.PersonalFields},
		{"RequestFields", "header field", o.RequestFields},
	} {
		for _, name := range names.values {
			if !policy.IsFieldName(name) { // cookies have names of the same form
				return fmt.Errorf("middleware: Options.%s has %q: want the name of a %s", names.option, name, names.kind)
			}
		}
	}
	if err := checkNeutral(o.NeutralCookies); err != nil {
		return err
	}
	if err := checkKeys(o.SealKeys); err != nil {
		return err
	}
	return checkPrefix(o.Prefix)
}

func checkPrefix(prefix string) error {
	if len(prefix) > longestPrefix {
		return fmt.Errorf("middleware: Options.Prefix has %d bytes: want at most %d", len(prefix), longestPrefix)
	}
	if strings.ContainsFunc(prefix, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return fmt.Errorf("middleware: Options.Prefix is %q: want neither spaces nor control characters", prefix)
	}
	return nil
}

// withDefaults returns a copy in which zeros are replaced by what they stand for.
func (o *Options) withDefaults() Options {
	opts := *o
	if opts.MaxBody == 0 {
		opts.MaxBody = defaultMaxBody
	}
	if opts.MaxRecordings == 0 {
		opts.MaxRecordings = max(defaultMaxRecordings, opts.MaxBody)
	}
	if opts.LookupTimeout == 0 {
		opts.LookupTimeout = defaultLookupTimeout
	}
	if opts.TargetedFields == nil {
		opts.TargetedFields = []string{"Cdn-Cache-Control"}
	}
	opts.TargetedFields = slices.Clone(opts.TargetedFields)
	opts.NeutralCookies = slices.Clone(opts.NeutralCookies)
	opts.PersonalCookies = slices.Clone(opts.PersonalCookies)
	opts.PersonalFields = slices.Clone(opts.PersonalFields)
	for i, name := range opts.PersonalFields {
		opts.PersonalFields[i] = http.CanonicalHeaderKey(name)
	}
	if opts.Prefix == "" {
		opts.Prefix = defaultPrefix
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	return opts
}

func (o *Options) policy() *policy.Config {
	return &policy.Config{
		TTL:                  o.TTL,
		StaleWhileRevalidate: o.StaleWhileRevalidate,
		StaleIfError:         o.StaleIfError,
		StaleIfUnreachable:   o.StaleIfUnreachable,
		StoreSetCookie:       o.StoreSetCookie,
		Targeted:             o.TargetedFields,
	}
}
