package session

import "context"

// watch finds out whether a session was touched while a request was served,
// through whichever copy of the request. A request can have several.
type watch struct {
	mark
	outer *watch
}

type watchKey struct{}

// watchOf returns the innermost watch of a request, nil if there is none.
func watchOf(ctx context.Context) *watch {
	w, _ := ctx.Value(watchKey{}).(*watch)
	return w
}

// tell tells all watches that a session was touched.
func tell(ctx context.Context) {
	if ctx != nil { // the client refuses it
		watchOf(ctx).touch()
	}
}

func (w *watch) touch() {
	for ; w != nil; w = w.outer {
		w.mark.touch()
	}
}

// look tells w and those around it that there is no session of a name.
func (w *watch) look(name string) {
	for ; w != nil; w = w.outer {
		w.mark.look(name)
	}
}

// watchedContext is the context of a request with a watch.
type watchedContext struct {
	context.Context
	watch *watch
}

// newWatch returns a context with a watch.
func newWatch(ctx context.Context) *watchedContext {
	return &watchedContext{ctx, &watch{outer: watchOf(ctx)}}
}

// Value answers for the watch, and for the mark once a session was touched.
func (c *watchedContext) Value(key any) any {
	switch key {
	case watchKey{}:
		return c.watch
	case touchedKey:
		return c.watch.value(c.Context)
	}
	return c.Context.Value(key)
}
