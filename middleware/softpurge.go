package middleware

import (
	"context"
	"errors"
	"net/http"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// SoftPurge makes everything that is stored for the URL of r stale, where [Cache.Purge]
// makes it unusable: its lifetime ends now. So it is still sent where
// stale-while-revalidate or stale-if-error allow that, from now on as long as they say,
// and the handler may confirm it with 304; otherwise the next request has it made anew,
// once for all that ask at that time. Another soft purge changes nothing for what has not
// been made since the first; after sixteen of one page or tag it counts as stale since it
// was made. A response that is being made while
// SoftPurge runs does not count as fresh. What can be of no use when it is stale is
// purged, and so is everything where items have no versions: a server without CAS, or a
// client that replicates. It looks at r as Purge does. After an error memcached could
// not be told, and the page may still be served as fresh.
func (c *Cache) SoftPurge(ctx context.Context, r *http.Request) error {
	keys, err := c.pageKeys(r)
	if err != nil {
		return err
	}
	return c.purgePage(EventSoftPurged, keys, func() (int, error) { return c.softenAll(ctx, keys) })
}

// softenAll makes what is at the keys of a page stale, and returns how much there was.
func (c *Cache) softenAll(ctx context.Context, keys []string) (found int, err error) {
	items, err := c.client.GetMulti(ctx, keys)
	if err != nil {
		return 0, err
	}
	for _, item := range items {
		if err := c.softenPage(ctx, item); err != nil {
			return len(items), err
		}
	}
	return len(items), nil
}

// SoftPurgeTags is SoftPurge for every stored response that names one of tags, as
// [Cache.PurgeTags] is Purge.
func (c *Cache) SoftPurgeTags(ctx context.Context, tags ...string) error {
	if err := validTags(tags); err != nil {
		return err
	}
	return c.purgeTags(ctx, EventSoftPurged, ScopeTags, tags...)
}

// SoftPurgeAll is SoftPurge for what [Cache.PurgeAll] purges.
func (c *Cache) SoftPurgeAll(ctx context.Context) error {
	if !c.opts.PathTags {
		return errNoPathTags
	}
	return c.purgeTags(ctx, EventSoftPurged, ScopeAll, tagAll)
}

// SoftPurgePath is SoftPurge for what [Cache.PurgePath] purges.
func (c *Cache) SoftPurgePath(ctx context.Context, r *http.Request) error {
	tag, err := c.purgedPath(r)
	if err != nil {
		return err
	}
	return c.purgeTags(ctx, EventSoftPurged, ScopePath, tag)
}

// softTries bounds how often a soft purge tries to change a value that others change at
// the same time. Then it purges.
const softTries = 16

// softenPage makes what is at the key of a page stale, or removes it.
func (c *Cache) softenPage(ctx context.Context, item *memcached.Item) error {
	key := item.Key
	for range softTries {
		value := c.softened(item)
		if value == nil || item.CAS == 0 || c.versionless.Load() {
			break
		}
		value.CAS = item.CAS
		err := c.client.CompareAndSwap(ctx, value)
		switch {
		case err == nil, errors.Is(err, memcached.ErrCacheMiss):
			return nil
		case errors.Is(err, memcached.ErrTooLarge), c.lacksVersions(err):
			return c.deleteAll(ctx, []string{key})
		case !lost(err):
			return err
		}
		if item, err = c.client.Get(ctx, key); err != nil {
			return faultOf(err)
		}
	}
	return c.deleteAll(ctx, []string{key})
}

// softened returns what takes the place of item, or nil if it is of no use when it is
// stale. It has an ID of its own: who has seen the other one replaces it no more.
func (c *Cache) softened(item *memcached.Item) *memcached.Item {
	v, err := stored.Open(item.Value)
	if err != nil {
		return nil
	}
	now := c.now()
	switch v.Kind {
	case stored.KindIndex:
		ix, err := v.Index(item.Key)
		if err != nil {
			return nil
		}
		ix.Expire(now)
		return &memcached.Item{Key: item.Key, Value: ix.Encode(item.Key), TTL: indexLife}
	case stored.KindEntry:
		e := new(stored.Entry)
		if v.Entry(e, item.Key) != nil {
			return nil
		}
		e.Expire(now)
		e.ID = stored.NewID()
		terms := e.Terms
		terms.Age = e.Age(now)
		left := policy.Keep(terms, c.policy)
		if left < policy.KeepShortest {
			return nil
		}
		return &memcached.Item{Key: item.Key, Value: e.Encode(), TTL: left + keepMargin}
	}
	return nil
}

// faultOf returns err unless it is an answer.
func faultOf(err error) error {
	if isAnswer(err) {
		return nil
	}
	return err
}
