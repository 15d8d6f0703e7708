package middleware_test

import (
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/middleware"
)

// TestPersonalCookies_PiecesAndBeginnings: a session that is too long for one cookie comes
// in several, under other names, and some names end in a digest.
func TestPersonalCookies_PiecesAndBeginnings(t *testing.T) {
	opts := minute()
	opts.PersonalCookies = []string{"sid", "__Host-app", "wordpress_logged_in_*", "id_7"}
	s := newSite(t, opts, text("x"))
	s.get("/a")
	for cookie, personal := range map[string]bool{
		"sid=1": true, "sid_0=1": true, "sid_1=1; sid_0=1": true, "sid.0=1": true, "sid-12=1": true, "sid__0=1": true,
		"sidC1=1": true, "__Host-app.0=1": true, "theme=dark;sid_0 =1": true, "sid_0": true,
		"wordpress_logged_in_0ab1=1": true, "wordpress_logged_in_=1": true, "wordpress_logged_in_0ab1_0=1": true,
		"id_7=1": true, "id_7_0=1": true,
		"sid7=1": false, "side=1": false, "sid_a=1": false, "sid_=1": false, "Sid_0=1": false, "_0=1": false, "0=1": false,
		"wordpress_logged_in=1": false, "my_sid_0=1": false, "id_8=1": false, "C1=1": false,
	} {
		r := s.get("/a", "Cookie: "+cookie)
		if bypassed := r.cacheStatus() == "bmemcached; fwd=bypass"; bypassed != personal || r.hit() == personal {
			t.Errorf("%s: %s, want a bypass: %v", cookie, r.cacheStatus(), personal)
		}
	}
}

// TestPersonalCookies_All: whoever has a cookie is somebody.
func TestPersonalCookies_All(t *testing.T) {
	opts := minute()
	opts.PersonalCookies = []string{"*"}
	s := newSite(t, opts, text("x"))
	s.get("/a")
	if r := s.get("/a"); !r.hit() {
		t.Errorf("without cookies: %s, want a hit", r.cacheStatus())
	}
	if r := s.get("/a", "Cookie: any=1"); r.cacheStatus() != "bmemcached; fwd=bypass" {
		t.Errorf("with a cookie: %s, want a bypass", r.cacheStatus())
	}
}

// TestNeutralCookies_BeginningsAndNotPieces: pieces are no cookies that the site has named,
// and what makes requests personal is not neutral.
func TestNeutralCookies_BeginningsAndNotPieces(t *testing.T) {
	opts := minute()
	opts.NeutralCookies = []string{"consent", "_*", "sid"}
	opts.PersonalCookies = []string{"_session", "sid"}
	for cookie, neutral := range map[string]bool{
		"consent": true, "_ga": true, "_ga_ABC": true, "_": true,
		"consent_0": false, "consent.1": false, "a_ga": false, "_session": false, "_session_0": false, "sid": false, "sid_0": false,
	} {
		t.Run(cookie, func(t *testing.T) {
			s := newSite(t, opts, func(c *gin.Context) {
				c.SetCookie(cookie, "1", 60, "/", "", false, true)
				c.String(http.StatusOK, "x")
			})
			s.get("/a")
			if r := s.get("/a"); r.hit() != neutral {
				t.Errorf("a page that sets it: %s, want a hit: %v", r.cacheStatus(), neutral)
			}
		})
	}
}

// TestNeutralCookies_AllIsNoSetting: sessions have cookies, too.
func TestNeutralCookies_AllIsNoSetting(t *testing.T) {
	_, err := middleware.New(clientOf(t), &middleware.Options{NeutralCookies: []string{"consent", "*"}})
	const want = `middleware: Options.NeutralCookies has "*", which is every cookie: want names, or beginnings of names`
	if err == nil || err.Error() != want {
		t.Errorf("New = %v, want %s", err, want)
	}
}
