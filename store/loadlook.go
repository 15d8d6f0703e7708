package store

import (
	"bytes"
	"context"
	"time"
)

// look tries to take the lock, and reads what is under the key. While an earlier
// load of this process does not end, it leaves the lock to others.
func (l *loading) look(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, cacheTimeout)
	defer cancel()
	if !l.held && !l.overdue() {
		held, err := l.lock.take(ctx)
		if l.took = l.took || held || err != nil; err != nil {
			return err
		}
	}
	if err := l.read(ctx); err != nil {
		return err
	}
	l.keep()
	return l.judge(ctx)
}

// keep begins to renew the lock if it is held, for as long as it is.
func (l *loading) keep() {
	if !l.held || l.release != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.release = cancel
	l.loads.wg.Go(func() { l.lock.keep(ctx) })
}

// read reads the item in the present generation, and the lock.
func (l *loading) read(ctx context.Context) (err error) {
	if l.gen == nil {
		if l.gen, err = l.space.now(ctx); err != nil {
			return err
		}
	}
	for range maxAttempts {
		l.key = itemKey(l.gen.prefix, l.flight.key)
		keys := append(make([]string, 0, 3), l.key, l.lock.key)
		if l.space.counter != "" {
			keys = append(keys, l.space.counter)
		}
		items, err := l.client.GetMulti(ctx, keys)
		if err != nil {
			return anyError(err)
		}
		if gen := l.gen; l.space.counter != "" {
			if l.gen, err = l.space.advance(ctx, items[l.space.counter], gen); err != nil {
				l.gen = gen
				return err
			}
			if l.gen.number != gen.number {
				continue
			}
		}
		l.item, l.other = items[l.key], items[l.lock.key]
		l.held = l.lock.is(l.other)
		return nil
	}
	return errContended
}

// judge finds out what the item is.
func (l *loading) judge(ctx context.Context) (err error) {
	l.old, l.deadline, l.value = unpacked{}, time.Time{}, nil
	if l.item == nil {
		return nil
	}
	if l.old, err = l.unpack(l.item.Value, l.item.Flags); err == nil && l.old.expired {
		err = l.old.open()
	}
	if stamped(l.item.Flags) {
		l.deadline = time.Now().Add(l.old.left)
	}
	if err == nil && !l.old.none() {
		l.value, err = l.decode(payload{l.old.form, bytes.Clone(l.old.data)})
	}
	if err != nil {
		l.report(err) // and load
		l.old.invalid = true
		return nil
	}
	if len(l.old.tags) > 0 {
		valid, err := l.tags.valid(ctx, l.old.tags)
		l.old.invalid = !valid
		return err
	}
	return nil
}

// fresh reports whether what was read is an answer.
func (l *loading) fresh() bool { return l.usableAfter(0) }

// usable reports whether what was read is a value, though perhaps an old one.
func (l *loading) usable() bool { return !l.old.none() && l.usableAfter(l.opts.KeepStale) }

// usableAfter reports whether what was read is usable until keep after its
// deadline.
func (l *loading) usableAfter(keep time.Duration) bool {
	return l.item != nil && !l.old.invalid &&
		(l.deadline.IsZero() || time.Now().Before(l.deadline.Add(keep)))
}

// useOld makes what was read the outcome.
func (l *loading) useOld(out *outcome) {
	out.value, out.payload, out.none = l.value, &l.old.payload, l.old.none()
}
