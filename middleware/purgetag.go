package middleware

import (
	"context"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// tagTries bounds how often a purge tries to change the value of a tag that others change
// at the same time.
const tagTries = 16

// changeTags has change say what becomes of the values of tags, for the purge with this
// number. It tells memcached of as many tags as it can.
func (c *Cache) changeTags(ctx context.Context, tags []string, number uint64, change func(last stored.Purges, known bool) stored.Purges) error {
	keys := c.tagKeys(tags)
	items, _ := c.client.GetMulti(ctx, keys) // what is missing is asked for again
	var first error
	for _, key := range keys {
		if err := c.changeTag(ctx, key, items[key], number, change); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// changeTag changes the value of a tag, of which memcached holds item. A purge that was
// counted later may have been quicker: its number stays, or a response whose making
// began between the two would be stored as if there had been none after it. Where a
// change cannot depend on what is there, it is a purge.
func (c *Cache) changeTag(ctx context.Context, key string, item *memcached.Item, number uint64, change func(last stored.Purges, known bool) stored.Purges) error {
	for range tagTries {
		if c.versionless.Load() || item != nil && item.CAS == 0 {
			break
		}
		last, known := stored.OpenPurges(valueOf(item))
		next := change(last, known)
		next.Number = max(number, last.Number)
		put := &memcached.Item{Key: key, Value: next.Encode()}
		if item != nil {
			put.CAS = item.CAS
		}
		err := c.putTag(ctx, put)
		switch {
		case err == nil:
			return nil
		case !lost(err) && !c.lacksVersions(err):
			return err
		}
		if item, err = c.client.Get(ctx, key); faultOf(err) != nil {
			return err
		} else if err != nil {
			item = nil
		}
	}
	purged := stored.Purges{ID: stored.NewID(), Number: number}
	return c.client.Set(ctx, &memcached.Item{Key: key, Value: purged.Encode()})
}

// putTag writes the value of a tag where one with the CAS of item, or none, was seen.
func (c *Cache) putTag(ctx context.Context, item *memcached.Item) error {
	if item.CAS == 0 {
		return c.client.Add(ctx, item)
	}
	return c.client.CompareAndSwap(ctx, item)
}
