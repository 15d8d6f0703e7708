package middleware

import "context"

// PurgeScope says what a purge was of.
type PurgeScope string

const (
	// ScopePage: one page, by Purge or SoftPurge.
	ScopePage PurgeScope = "page"
	// ScopeTags: pages with tags, by PurgeTags or SoftPurgeTags.
	ScopeTags PurgeScope = "tags"
	// ScopePath: pages below a path, by PurgePath or SoftPurgePath.
	ScopePath PurgeScope = "path"
	// ScopeAll: all pages, by PurgeAll or SoftPurgeAll.
	ScopeAll PurgeScope = "all"
)

// purgePage runs a purge of the page with these keys, and tells of it. purge returns how
// many values it found, if it knows.
func (c *Cache) purgePage(kind EventKind, keys []string, purge func() (found int, err error)) error {
	if len(keys) == 0 {
		return nil
	}
	e := Event{Kind: kind, Scope: ScopePage, Key: keys[0]}
	return c.tell(e, func(e *Event) (err error) {
		e.Count, err = purge()
		return err
	})
}

// purgeTags purges tags, softly or not, and tells of it.
func (c *Cache) purgeTags(ctx context.Context, kind EventKind, scope PurgeScope, tags ...string) error {
	if len(tags) == 0 {
		return nil
	}
	change := purged
	if kind == EventSoftPurged {
		change = c.purgedSoftly
	}
	e := Event{Kind: kind, Scope: scope}
	if scope == ScopeTags {
		e.Count = len(tags)
	}
	return c.tell(e, func(*Event) error { return c.changeTags(ctx, tags, change) })
}

// tell runs an operation, and has OnEvent told of it when it has ended.
func (c *Cache) tell(e Event, operation func(*Event) error) error {
	began := c.now()
	e.Err = operation(&e)
	e.Duration = c.now().Sub(began)
	c.event(e)
	return e.Err
}
