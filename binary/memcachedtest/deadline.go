package memcachedtest

import (
	"sync"
	"syscall"
	"time"
)

// errReset is what writing to an end that was closed gives, as with TCP.
const errReset = syscall.ECONNRESET

// deadline is when one kind of use of a stream, reading or writing, ends.
type deadline struct {
	cond    *sync.Cond // on the stream's lock; whoever waits for the stream waits here
	timer   *time.Timer
	setting int // counts calls of set, so that a late timer is recognised
	expired bool
}

func (d *deadline) init(mu *sync.Mutex) { d.cond = sync.NewCond(mu) }

// set makes t the deadline; the zero time means none.
func (d *deadline) set(t time.Time) {
	d.cond.L.Lock()
	defer d.cond.L.Unlock()
	d.setting++
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	wait := time.Until(t)
	d.expired = !t.IsZero() && wait <= 0
	switch {
	case d.expired:
		d.cond.Broadcast()
	case !t.IsZero():
		setting := d.setting
		d.timer = time.AfterFunc(wait, func() { d.expire(setting) })
	}
}

func (d *deadline) expire(setting int) {
	d.cond.L.Lock()
	defer d.cond.L.Unlock()
	if d.setting == setting {
		d.expired = true
		d.cond.Broadcast()
	}
}
