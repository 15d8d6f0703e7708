package middleware

import (
	"context"
	"net/http"
)

// inside is in the context of the request that a handler sees: the page that its
// response is for. When the handlers of a route contain the cache twice, the
// second would wait for the first, which waits for it.
type inside struct {
	page  string // its key in memcached
	outer *inside
}

type insideContext struct{}

func insideOf(ctx context.Context) *inside {
	in, _ := ctx.Value(insideContext{}).(*inside)
	return in
}

// withInside returns a context that says that a response for page is being made.
func withInside(ctx context.Context, page string) context.Context {
	return context.WithValue(ctx, insideContext{}, &inside{page: page, outer: insideOf(ctx)})
}

// isInside reports whether r is on its way to the handler of page already.
func isInside(r *http.Request, page string) bool {
	for in := insideOf(r.Context()); in != nil; in = in.outer {
		if in.page == page {
			return true
		}
	}
	return false
}
