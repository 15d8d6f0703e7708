package middleware

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// tagTries bounds how often a purge tries to change the value of a tag that others change
// at the same time.
const tagTries = 16

// validTags returns an error if there is one among tags that no response can name:
// Cache-Tag is separated by commas, Surrogate-Key by spaces.
func validTags(tags []string) error {
	for _, tag := range tags {
		inNeither := strings.Contains(tag, ",") && strings.Contains(tag, " ")
		if inNeither || tag == "" || strings.TrimSpace(tag) != tag || strings.ContainsFunc(tag, unicode.IsControl) {
			return fmt.Errorf("middleware: purging by tag: no response can have the tag %q: want each tag by itself", tag)
		}
	}
	return nil
}

// tagChange says what becomes of the value of a tag, of which memcached knows the last
// purges, or not.
type tagChange func(last stored.Purges, known bool) stored.Purges

// purged is the change that a purge makes.
func purged(stored.Purges, bool) stored.Purges { return stored.Purges{ID: stored.NewID()} }

// purgedSoftly is the change that a soft purge makes.
func (c *Cache) purgedSoftly(last stored.Purges, known bool) stored.Purges {
	if !known { // what is being made must not count as later
		return purged(last, known)
	}
	return last.Soften(c.now())
}

// changeTags purges tags: change says what becomes of the value of each. It tells
// memcached of as many as it can.
func (c *Cache) changeTags(ctx context.Context, tags []string, change tagChange) error {
	number, err := c.countPurges(ctx, 1)
	if err != nil {
		return err
	}
	var keys []string
	for _, n := range stored.UniqueTags(tags) {
		keys = append(keys, c.keys.tags(n)...)
	}
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
func (c *Cache) changeTag(ctx context.Context, key string, item *memcached.Item, number uint64, change tagChange) error {
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
	put := purged(stored.Purges{}, false)
	put.Number = number
	return c.client.Set(ctx, &memcached.Item{Key: key, Value: put.Encode()})
}

// putTag writes the value of a tag where one with the CAS of item, or none, was seen.
func (c *Cache) putTag(ctx context.Context, item *memcached.Item) error {
	if item.CAS == 0 {
		return c.client.Add(ctx, item)
	}
	return c.client.CompareAndSwap(ctx, item)
}
