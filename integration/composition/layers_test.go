package composition_test

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"
)

// layer is middleware. It is made anew for each instance of a site.
type layer struct {
	name string
	http func(*instance) func(http.Handler) http.Handler
	gin  func(*instance) gin.HandlerFunc
	echo func(*instance) echo.MiddlewareFunc
	then []gin.HandlerFunc // that follow, where gin's calls those below

	mount       string // that it takes from the path
	holds       bool   // the response back, until the handlers have returned
	hides       bool   // what is above it: those below have a header of their own
	earlyCookie bool   // it sets its cookie before the handlers run
	lateCookie  bool   // it sets its cookie at the first byte
	looks       bool   // at sessions of which the cache does not know, and tells those below
	late        bool   // it adds a field when the handlers have returned
	compressor  bool   // a second one breaks pages by itself
	sometimes   bool   // and sets Vary only where it compresses
	notBelow    string // why the documentation says that it belongs above the cache
}

// Why some layers are not put below the cache.
const (
	sameForAll    = "what a layer below puts into the header is stored with the page"
	variesUnnamed = "it answers by a request field that Vary does not name in all of its responses"
	dropsVary     = "it takes Vary, also the handler's, from responses that it does not compress"
	aroundOnly    = "it is made for the whole site"
)

// allLayers has the simplest first: to these a failure is shrunk.
var allLayers = slices.Concat(httpLayers, ginLayers, echoLayers, []layer{gorillaInPieces, ginInPieces})

// plainHTTP is for middleware that needs nothing of the instance.
func plainHTTP(use func(http.Handler) http.Handler) func(*instance) func(http.Handler) http.Handler {
	return func(*instance) func(http.Handler) http.Handler { return use }
}

// plainGin is the same for gin. use makes the middleware.
func plainGin(use func() gin.HandlerFunc) func(*instance) gin.HandlerFunc {
	return func(*instance) gin.HandlerFunc { return use() }
}
