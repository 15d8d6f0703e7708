package middleware

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// state is what memcached holds for a request.
type state int

const (
	stateMissing state = iota
	stateLocked        // somebody is making the response
	statePass          // a hit-for-miss note
	stateStored
	stateFailed // memcached did not answer
	stateNoRoom // the body of what is stored does not fit into memory
)

// lookup is the outcome of looking for a request's response.
type lookup struct {
	state   state
	at      time.Time // before memcached was asked
	name    string    // key in memcached where the response is or will be
	full    []byte
	version version // of what is at name
	entry   *stored.Entry
	// index and indexVersion are set when the page has variants; name is then the
	// key of one.
	index        *stored.Index
	indexVersion version
	// readOnly says that the entry was made for another spelling of the request: it was
	// fresh at that time, and is sent or nothing is done with it.
	readOnly bool
}

// token is what a request for the same response finds, as long as there was no purge:
// what is at l.name and, of a variant, the index, by the ID of what is there.
func (l *lookup) token(id uint64) uint64 {
	if l.index != nil {
		return id ^ l.index.ID
	}
	return id
}

// look asks memcached for the response, in up to three round trips: page,
// variant, chunks and tags.
func (x *exchange) look() lookup {
	l := lookup{at: x.cache.now(), name: x.pageKey, full: x.page}
	x.lookAt(&l)
	if l.index != nil {
		l.full = appendVariant(bytes.Clone(x.page), l.index, x.header(l.index))
		l.name = x.cache.keys.of(letterVariant, l.full)
		l.indexVersion, l.version = l.version, version{}
		x.lookAt(&l)
	}
	if l.state == stateStored {
		x.complete(&l)
	}
	if l.state == stateMissing && l.index != nil {
		if plain, ok := x.lookPlain(l); ok {
			return plain
		}
	}
	if l.state == stateStored && !l.entry.Chunked() && (l.index != nil || len(l.entry.Tags) > 0) {
		x.cache.hintOf(x.pageKey, l.index, l.entry)
	}
	return l
}

// lookPlain looks for a fresh response to a request that spells the lists of its
// selecting fields without white space. The handler has seen that one's spelling, so
// that it is for reading only: what it makes of this one's is stored apart.
func (x *exchange) lookPlain(l lookup) (lookup, bool) {
	full := appendVariantBy(policy.PlainValue, bytes.Clone(x.page), l.index, x.header(l.index))
	if bytes.Equal(full, l.full) {
		return l, false
	}
	l.full, l.version = full, version{}
	l.name = x.cache.keys.of(letterVariant, full)
	if x.lookAt(&l); l.state == stateStored {
		x.complete(&l)
	}
	if l.state != stateStored {
		return l, false
	}
	l.readOnly = true
	return l, policy.Judge(l.entry.Terms, l.entry.Age(l.at), x.directives) == policy.Fresh
}

// lookAt reads the value at l.name.
func (x *exchange) lookAt(l *lookup) {
	item, err := x.get(l.name)
	switch {
	case errors.Is(err, memcached.ErrCacheMiss):
		l.state = stateMissing
		return
	case err != nil:
		l.state = stateFailed
		return
	}
	l.version = version{cas: item.CAS, exists: true}
	l.state = stateMissing
	v, err := stored.Open(item.Value)
	if err != nil {
		return // garbage is as good as nothing, and is replaced
	}
	l.version.id = v.ID
	switch v.Kind {
	case stored.KindLock:
		l.state = stateLocked
	case stored.KindPass:
		l.state = statePass
	case stored.KindIndex:
		if l.index == nil {
			l.index, _ = v.Index(l.name)
		}
	case stored.KindEntry:
		e := new(stored.Entry)
		if v.Entry(e, l.name) == nil {
			l.index.Check(e)
			l.state, l.entry = stateStored, e
		}
	}
}

// complete fetches what an entry keeps elsewhere: chunks of its body, and
// whether its tags were purged. If anything is wrong there is no entry.
func (x *exchange) complete(l *lookup) {
	e := l.entry
	if !e.Chunked() && len(e.Tags) == 0 {
		x.holdFound(l)
		return
	}
	ok := false
	err := x.within(func(ctx context.Context) (err error) {
		ok, err = x.cache.complete(ctx, e, &x.body)
		return err
	})
	switch {
	case errors.Is(err, errNoRoom):
		l.state, l.entry = stateNoRoom, nil
	case err != nil:
		x.fault(l.name, err)
		l.state, l.entry = stateFailed, nil
	case !ok:
		l.state, l.entry = stateMissing, nil
	default:
		x.holdFound(l)
	}
}

// holdFound takes part in the body of the entry that was found, if it is large.
func (x *exchange) holdFound(l *lookup) {
	if e, ok := x.hold(l.entry); ok {
		l.entry = e
	} else {
		l.state, l.entry = stateNoRoom, nil
	}
}

// errNoRoom says that there is no memory for a body.
var errNoRoom = errors.New("middleware: MaxRecordings is used up")

// complete reports whether e could be made whole. The body that it uses, if it is in
// chunks, takes the place of used.
func (c *Cache) complete(ctx context.Context, e *stored.Entry, used **body) (ok bool, err error) {
	switch {
	case e.Size > c.opts.MaxBody:
		return false, nil // stored by another, or not by this cache at all
	case !e.Chunked():
		return c.readTagsOf(ctx, e)
	}
	c.bodies.leave(*used)
	ok, *used, err = c.addBody(ctx, e)
	return ok, err
}

// readTagsOf reports whether none of the tags of e has been purged.
func (c *Cache) readTagsOf(ctx context.Context, e *stored.Entry) (bool, error) {
	if len(e.Tags) == 0 {
		return true, nil
	}
	items, err := c.client.GetMulti(ctx, c.appendTagKeys(make([]string, 0, len(e.Tags)), e))
	return err == nil && c.checkTags(e, items), err
}

func (c *Cache) appendTagKeys(keys []string, e *stored.Entry) []string {
	for _, t := range e.Tags {
		keys = append(keys, c.keys.tag(t.Name))
	}
	return keys
}

// get is Get within the time that the request has for the cache.
func (x *exchange) get(key string) (item *memcached.Item, err error) {
	err = x.within(func(ctx context.Context) error {
		item, err = x.cache.client.Get(ctx, key)
		return err
	})
	if !isAnswer(err) {
		x.fault(key, err)
	}
	return item, err
}
