package middleware

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// slot says what a run of the handler is for: where its response is stored, and
// what it replaces.
type slot struct {
	lookup
	why    forward
	detail string
	// private: for this request only, not to be stored.
	private bool
	// stale is the response that the handler is asked to confirm.
	stale  *stored.Entry
	flight *flight // of which this is the leader
	lock   *lock   // to give back; nil: none
	// background: there is no client.
	background bool
}

// fill is one run of the handler.
type fill struct {
	*exchange
	slot
	rec       *recorder
	request   *http.Request // as the handler sees it
	last      *http.Request // what the handlers made of it; nil before they returned
	asked     bool          // with validators of the stale entry
	called    time.Time
	received  time.Time
	purges    uint64 // when the making began
	hasPurges bool
	tags      []stored.Tag // if tagsRead
	tagsRead  bool

	verdict   policy.Verdict
	fields    []stored.Field
	tagNames  []stored.TagName
	vary      []string
	failure   policy.Failure
	confirmed bool   // by a 304
	covered   bool   // a failure, by the stale entry
	storing   bool   // something else gives the memory of the recording back
	landed    bool   // those who waited have been told
	unkeep    func() // ends keep; nil: it has not begun
}

// fill runs the handler and answers the request with what comes of it.
func (x *exchange) fill(s slot) {
	x.passTurn()
	f := &fill{exchange: x, slot: s, called: x.cache.now()}
	f.rec = newRecorder(x.visit.writer(), x.cache.opts.MaxBody, &x.cache.recordings)
	f.rec.setsCookie = x.cache.setsCookie
	f.rec.forbids = func(h http.Header) bool {
		return policy.Forbids(x.cache.withoutAbsences(h), x.cache.opts.TargetedFields)
	}
	if s.lock != nil || s.flight != nil {
		f.keep(s.lock)
	}
	if !s.private {
		f.readPurges()
	}
	f.rec.commit, f.rec.stream = f.commit, f.dismiss
	defer func() {
		if !f.storing {
			f.rec.recording.end()
		}
	}()
	f.run()
}

// run calls the handler with a request of its own.
func (f *fill) run() {
	request, stop := f.prepare()
	f.request, f.rec.ctx = request, request.Context()
	returned := false
	defer func() {
		stop()
		f.stopKeeping()
		if !returned && f.panicked() {
			f.cover(recover())
		}
	}()
	result := f.visit.run(f.rec, request, f.passesAll())
	returned = true
	f.last = result.last
	f.end(result.good)
}

// passesAll reports whether the client gets what the handler answers, whatever it is.
func (f *fill) passesAll() bool {
	return !f.background && f.stale == nil && !(f.ownsConditions() && policy.IsConditional(f.original.Header))
}

// prepare returns the request for the handler: without fields that could steer
// it past the key, without the client's conditions, which are the cache's to
// evaluate, and with those of the stale entry. What layers below rewrite in place is
// theirs.
func (f *fill) prepare() (*http.Request, func()) {
	ctx, stop := f.handlerContext()
	r := f.original.WithContext(withInside(ctx, f.pageKey))
	url := *r.URL
	r.URL = &url
	r = originForm(r)
	showQuery(r, f.query)
	f.rec.unkeyed = asksMore(r, f.query)
	if !f.private {
		r.Host = f.host
	}
	header := f.cache.visible(f.original.Header.Clone(), f.index)
	if f.ownsConditions() {
		delete(header, "If-None-Match")
		delete(header, "If-Modified-Since")
		if f.stale != nil && r.Method == http.MethodGet {
			f.asked = f.stale.AddValidators(header)
		}
	}
	if !f.private {
		header = plainChoices(header)
		oneLine(header)
	}
	r.Header = header
	return r, stop
}

// ownsConditions reports whether the cache evaluates the client's conditions
// because it may have the response, or will.
func (f *fill) ownsConditions() bool {
	return f.stale != nil || !f.private && f.state != statePass
}

// handlerContext returns a context for the handler that outlives the client as long as
// others wait for the response. A deadline stays one. When the handler has returned it ends
// with the request, as without the cache: echo leaves layers above with it.
func (f *fill) handlerContext() (context.Context, func()) {
	parent := f.original.Context()
	if f.flight == nil || f.background || parent.Done() == nil {
		return parent, func() {}
	}
	ctx, expire := context.WithoutCancel(parent), func() {}
	at, has := parent.Deadline()
	if has {
		ctx, expire = context.WithDeadline(ctx, at)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(parent, func() {
		cause := context.Cause(parent)
		switch {
		case parent.Err() != context.DeadlineExceeded:
			f.cache.flights.whenIdle(f.flight, func() { cancel(cause) })
		case !has:
			cancel(cause)
		}
	})
	return ctx, func() {
		stop()
		context.AfterFunc(parent, func() { cancel(context.Cause(parent)); expire() })
	}
}

// commit decides what happens to a response whose header is final.
func (f *fill) commit(status int, header http.Header) action {
	f.received = f.cache.now()
	if f.stale != nil {
		if f.asked && status == http.StatusNotModified {
			f.confirmed = true
			return action{}
		}
		f.failure = policy.FailureOf(status)
		if f.covers(f.failure) {
			f.covered = true
			return action{}
		}
	}
	f.judge(status, header)
	if !f.verdict.Publish {
		f.dismiss()
	}
	return f.hand(status, header)
}

// hand returns what the client gets.
func (f *fill) hand(status int, header http.Header) action {
	act := action{pass: true, record: f.verdict.Store, hide: f.cache.opts.HideTags}
	line := forwardStatus{why: f.why, stored: f.verdict.Store}
	if !f.verdict.Store {
		line.detail = cmp.Or(f.detail, f.verdict.Reason)
	}
	if f.ownsConditions() && !f.rec.silent && status/100 == 2 && policy.IsConditional(f.original.Header) {
		selected := policy.Selected{ETag: header.Get("Etag"), LastModified: header.Get("Last-Modified"), Date: f.received}
		if policy.NotModified(f.original.Header, selected, f.received) {
			act.status = http.StatusNotModified
			line.status = status
		}
	}
	act.line = line.String()
	return act
}

// covers reports whether the stale entry stands in for a failure.
func (f *fill) covers(failure policy.Failure) bool {
	return f.stale != nil && failure != policy.NoFailure && policy.ServeOnFailure(
		f.stale.Terms, f.stale.Age(f.cache.now()), f.directives, failure, f.cache.opts.StaleIfUnreachable)
}

// newEntry makes the entry of a response that is complete.
func (f *fill) newEntry() *stored.Entry {
	e := &stored.Entry{
		ID: stored.NewID(), Key: f.name, Status: f.rec.status, Received: f.received,
		Unsent: f.rec.unsent, Implied: !f.rec.stated, Wrote: f.rec.wrote, Terms: f.verdict.Terms, Fields: f.fields, Body: f.rec.body,
	}
	if f.index != nil {
		e.Index = f.index.ID
	}
	header := f.rec.header
	if lines, ok := header["Date"]; !ok || len(lines) > 0 && lines[0] == "" {
		e.Fields = append(e.Fields, dateField(f.received))
	}
	if _, ok := header["Content-Type"]; !ok {
		switch {
		case f.rec.unguessed:
			e.Fields = append(e.Fields, stored.Field{Name: "Content-Type", Mode: stored.Set})
		case f.rec.guessed != "":
			e.Fields = append(e.Fields, stored.Only("Content-Type", f.rec.guessed))
		}
	}
	if late := f.lateAbsence(); late != nil {
		e.Fields = append(e.Fields, stored.Field{Name: "Cache-Control", Mode: stored.Join, Values: late})
	}
	if header.Get("Etag") == "" && e.Status == http.StatusOK {
		tag := makeETag(header, e.Body)
		if !connected(f.rec.below) {
			tag = "W/" + tag // a layer above may code what it sends (RFC 9110, section 8.8.3.3)
		}
		e.Fields = append(e.Fields, stored.Only("Etag", tag))
		e.MadeETag = true
	}
	return e
}

// makeETag returns a strong validator: equal bodies in equal coding, equal tags.
func makeETag(header http.Header, body []byte) string {
	sum := sha256.New()
	for _, coding := range header["Content-Encoding"] {
		sum.Write([]byte(coding + "\n"))
	}
	sum.Write(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:18]) + `"`
}
