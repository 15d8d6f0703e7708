package composition_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-contrib/sessions/cookie"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"

	"github.com/bmemcached/bmemcached-go/middleware"
)

// inPieces is a store whose cookies are in two pieces under other names, as several
// programs have it with those that are too long for a browser.
type inPieces struct{ ginsessions.Store }

const piecesOfCookies = 2

func (s inPieces) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(s, name)
}

func (s inPieces) New(r *http.Request, name string) (*sessions.Session, error) {
	found, err := s.Store.New(wholeCookie(r, name), name)
	of := sessions.NewSession(s, name)
	of.ID, of.Values, of.Options, of.IsNew = found.ID, found.Values, found.Options, found.IsNew
	return of, err
}

func (s inPieces) Save(r *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	set := headerOnly{}
	if err := s.Store.Save(r, set, session); err != nil {
		return err
	}
	for _, line := range set["Set-Cookie"] {
		cookie, err := http.ParseSetCookie(line)
		if err != nil {
			return err
		}
		for i := range piecesOfCookies {
			http.SetCookie(w, piece(cookie, i))
		}
	}
	return nil
}

// piece returns one piece of a cookie: each has something of all of it, so that those of
// two visitors differ.
func piece(cookie *http.Cookie, i int) *http.Cookie {
	of := *cookie
	of.Name, of.Value = cookie.Name+"_"+strconv.Itoa(i), ""
	for ; i < len(cookie.Value); i += piecesOfCookies {
		of.Value += cookie.Value[i : i+1]
	}
	return &of
}

// wholeCookie returns r with the cookie of which it has the pieces.
func wholeCookie(r *http.Request, name string) *http.Request {
	var pieces [piecesOfCookies]string
	n := 0
	for i := range pieces {
		cookie, err := r.Cookie(name + "_" + strconv.Itoa(i))
		if err != nil {
			return r
		}
		pieces[i] = cookie.Value
		n += len(cookie.Value)
	}
	value := make([]byte, 0, n)
	for i := range n {
		if i/piecesOfCookies >= len(pieces[i%piecesOfCookies]) {
			return r
		}
		value = append(value, pieces[i%piecesOfCookies][i/piecesOfCookies])
	}
	r = r.Clone(r.Context())
	r.AddCookie(&http.Cookie{Name: name, Value: string(value)})
	return r
}

// headerOnly is a response that is its header.
type headerOnly http.Header

func (h headerOnly) Header() http.Header { return http.Header(h) }

func (h headerOnly) Write(p []byte) (int, error) { return len(p), nil }

func (h headerOnly) WriteHeader(int) {}

// TestComposition_SessionsInPieces: with gin and net/http, a page that greets those who
// have a session is for nobody else, although no cookie has the name of the session.
func TestComposition_SessionsInPieces(t *testing.T) {
	named := func(name string) page {
		return pages[slices.IndexFunc(pages, func(p page) bool { return p.name == name })]
	}
	visits, greets := named("counts visits in the session"), named("says what a layer saw in the session")
	for _, l := range []layer{gorillaInPieces, ginInPieces} {
		for _, names := range [][]string{{"sid", gorillaName}, {"si*", gorillaName + "_*"}} {
			for _, below := range []bool{false, true} {
				opts := middleware.Options{TTL: time.Minute, PersonalCookies: names}
				s := site{framework: netHTTP, pages: []page{visits, greets}, cache: setting{strings.Join(names, ", "), opts}}
				if l.gin != nil {
					s.framework = ginFramework
				}
				switch {
				case below:
					s.below = []layer{l}
				case l.gin != nil:
					s.above = []layer{l}
				default:
					s.around = []layer{l}
				}
				for _, visitor := range []string{"ada", "bob"} { // greeted before and after the first visit
					for _, page := range []int{1, 0, 1, 0, 1} {
						s.asks = append(s.asks, ask{method: http.MethodGet, page: page, visitor: visitor})
					}
				}
				o := newOracle(t)
				if difference, err := o.run(&s); err != nil || difference != "" {
					t.Errorf("%v%s %v", s, difference, err)
				}
				if !below && o.count.hits == 0 {
					t.Errorf("%vno hits, want one for who has no session yet", s)
				}
			}
		}
	}
}

// Layers with such cookies.
var (
	gorillaInPieces = layer{name: "gorilla/sessions (cookie in pieces), looked at", http: plainHTTP(func(h http.Handler) http.Handler {
		return withGorilla(h, inPieces{cookie.NewStore(secret)}, true)
	}), looks: true}
	ginInPieces = layer{name: "gin-contrib/sessions (cookie in pieces), looked at", gin: plainGin(func() gin.HandlerFunc {
		return ginsessions.Sessions("sid", inPieces{cookie.NewStore(secret)})
	}), then: []gin.HandlerFunc{look}, looks: true}
)
