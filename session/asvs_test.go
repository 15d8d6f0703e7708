package session_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
)

// The requirements of the OWASP Application Security Verification Standard 5.0
// that a session store can meet: one test each, named after it. The table in
// the package documentation says what remains for the application.

func TestASVS_3_3_1_SecureWithAPrefixedName(t *testing.T) {
	for _, name := range []string{"__Host-session", "__Secure-session"} {
		if c := issued(t, name); !c.Secure {
			t.Errorf("%s: cookie %v is not Secure", name, c)
		}
	}
}

func TestASVS_3_3_2_SameSite(t *testing.T) {
	if c := issued(t, "__Host-session"); c.SameSite != http.SameSiteLaxMode {
		t.Errorf("SameSite = %v, want Lax", c.SameSite)
	}
}

func TestASVS_3_3_3_HostPrefixIsAcceptedByBrowsers(t *testing.T) {
	if c := issued(t, "__Host-session"); !c.Secure || c.Path != "/" || c.Domain != "" {
		t.Errorf("cookie %v: browsers take __Host- with Secure, Path=/ and no Domain only", c)
	}
}

func TestASVS_3_3_4_HttpOnlyAndInNoOtherField(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	rec := b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Set("k", 1)
		mustSave(t, s)
		c.String(http.StatusOK, s.ID()) // what an application might show or log
	})
	if c := rec.Result().Cookies()[0]; !c.HttpOnly {
		t.Errorf("cookie %v is not HttpOnly", c)
	}
	for name, fields := range rec.Header() {
		if name != "Set-Cookie" && strings.Contains(strings.Join(fields, ","), b.cookie(cookieName)) {
			t.Errorf("%s contains the token", name)
		}
	}
	thief := newBrowser(t)
	thief.jar[cookieName] = rec.Body.String()
	thief.wantValue(store, "k", nil) // Session.ID is no token
}

// issued returns the cookie that a store with default options issues over plain
// HTTP, as behind a proxy that ends TLS.
func issued(t *testing.T, name string) *http.Cookie {
	t.Helper()
	_, store := newStore(t, nil)
	e := gin.New()
	e.Use(ginsessions.Sessions(name, store))
	e.GET("/", func(c *gin.Context) {
		ginsessions.Default(c).Set("k", 1)
		mustSave(t, ginsessions.Default(c))
	})
	cookies := newBrowser(t).send(e).Result().Cookies()
	if len(cookies) != 1 || cookies[0].Name != name {
		t.Fatalf("cookies = %v, want one named %s", cookies, name)
	}
	return cookies[0]
}

func TestASVS_3_3_5_CookieIsSmall(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	store := storeOn(t, newClient(t, server), nil, authKey, blockKey)
	b := newBrowser(t)
	b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Set("user", strings.Repeat("x", 100_000))
		if err := errors.Join(session.Renew(c), session.Remember(c, time.Hour), session.Bind(c, strings.Repeat("ada", 1000))); err != nil {
			t.Error(err)
		}
	})
	if got := len(b.cookie(cookieName)); got == 0 || got > 156 {
		t.Errorf("the largest cookie has %d bytes, want 156 at most", got)
	}
}

func TestASVS_7_2_1_TokensAreVerifiedOnTheServer(t *testing.T) {
	server, store := newStore(t, nil)
	b := newLogin(t, store, "ada")
	server.ForgetRequests()
	forged := newBrowser(t)
	raw, err := base64.RawURLEncoding.DecodeString(b.cookie(cookieName))
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-1] ^= 1
	forged.jar[cookieName] = base64.RawURLEncoding.EncodeToString(raw)
	forged.wantValue(store, "user", nil)
	if n := server.RequestCount(); n != 0 {
		t.Errorf("a token that the server did not make caused %d requests to memcached, want 0", n)
	}
	b.wantValue(store, "user", "ada")
}

func TestASVS_7_2_2_EachSessionHasATokenOfItsOwn(t *testing.T) {
	_, store := newStore(t, nil)
	first, second := newLogin(t, store, "ada"), newLogin(t, store, "ada")
	if first.cookie(cookieName) == second.cookie(cookieName) {
		t.Error("two logins of one user have one token")
	}
}

func TestASVS_7_6_2_NoSessionWithoutAReason(t *testing.T) {
	server, store := newStore(t, nil)
	rec := newBrowser(t).autosave(store, func(c *gin.Context) { ginsessions.Default(c).Get("user") })
	if got := rec.Header().Values("Set-Cookie"); len(got) > 0 || len(server.Keys()) > 0 {
		t.Errorf("reading set %q and stored %q, want nothing", got, server.Keys())
	}
}

func TestASVS_7_2_3_TokensAreUniqueAndRandom(t *testing.T) {
	_, store := newStore(t, nil)
	seen, ones, total := map[string]bool{}, 0, 0
	for range 500 {
		b := newBrowser(t)
		b.set(store, "k", 1)
		raw, err := base64.RawURLEncoding.DecodeString(b.cookie(cookieName))
		if err != nil || len(raw) != 1+32+32 {
			t.Fatalf("the cookie carries %d bytes, %v, want a version, 256 bits and their MAC", len(raw), err)
		}
		id := raw[1:33]
		if seen[string(id)] {
			t.Fatal("two sessions have one token")
		}
		seen[string(id)] = true
		for _, octet := range id {
			for bit := range 8 {
				ones += int(octet>>bit) & 1
				total++
			}
		}
	}
	if share := float64(ones) / float64(total); share < 0.49 || share > 0.51 { // 7 standard deviations
		t.Errorf("%.3f of the bits are set, want a half", share)
	}
}

func TestASVS_7_2_4_NewTokenAtAuthentication(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "cart", 1)
	planted := b.copy()
	for range 2 { // authentication, then re-authentication
		before := b.copy()
		b.login(store, "ada")
		if b.cookie(cookieName) == before.cookie(cookieName) {
			t.Error("the token did not change")
		}
		before.wantValue(store, "user", nil)
		before.wantValue(store, "cart", nil)
	}
	planted.wantValue(store, "user", nil)
	b.wantValue(store, "user", "ada")
}

func TestASVS_7_3_1_InactivityTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, &session.Options{IdleTimeout: 15 * time.Minute})
		b := newLogin(t, store, "ada")
		time.Sleep(14 * time.Minute)
		b.wantValue(store, "user", "ada")
		time.Sleep(15 * time.Minute)
		b.wantValue(store, "user", nil)
	})
}

func TestASVS_7_3_2_AbsoluteLifetime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, &session.Options{AbsoluteTimeout: time.Hour})
		b := newLogin(t, store, "ada")
		for range 5 {
			time.Sleep(10 * time.Minute)
			b.wantValue(store, "user", "ada")
		}
		time.Sleep(10 * time.Minute)
		b.wantValue(store, "user", nil)
	})
}

func TestASVS_7_4_1_LogoutAndExpiryEndTheSessionInTheBackend(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server, store := newStore(t, nil)
		b := newLogin(t, store, "ada")
		backButton := b.copy()
		if err := b.logout(store); err != nil {
			t.Fatal(err)
		}
		if n := len(records(server)); n != 0 {
			t.Errorf("memcached holds %d sessions after the logout, want 0", n)
		}
		backButton.wantValue(store, "user", nil)

		expired := newLogin(t, store, "ada")
		time.Sleep(20 * time.Minute)
		expired.wantValue(store, "user", nil)
		if n := len(records(server)); n != 0 {
			t.Errorf("memcached holds %d sessions after the expiry, want 0", n)
		}
	})
}

func TestASVS_7_4_2_AllSessionsEndWhenAnAccountIsDisabled(t *testing.T) {
	_, store := newStore(t, nil)
	phone, laptop, other := newLogin(t, store, "ada"), newLogin(t, store, "ada"), newLogin(t, store, "bob")
	if err := store.RevokeAll(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	phone.wantValue(store, "user", nil)
	laptop.wantValue(store, "user", nil)
	other.wantValue(store, "user", "bob")
}

func TestASVS_7_4_3_AllOtherSessionsEndAfterAPasswordChange(t *testing.T) {
	_, store := newStore(t, nil)
	mine, other := newLogin(t, store, "ada"), newLogin(t, store, "ada")
	mine.gin(store, func(c *gin.Context) {
		ginsessions.Default(c).Get("user")
		if err := errors.Join(store.RevokeAll(c, "ada"), session.Renew(c), session.Bind(c, "ada")); err != nil {
			t.Error(err)
		}
	})
	mine.wantValue(store, "user", "ada")
	other.wantValue(store, "user", nil)
}

func TestASVS_7_4_5_AdministratorsCanEndSessions(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	app := storeOn(t, newClient(t, server), nil, authKey)
	ada, bob := newLogin(t, app, "ada"), newLogin(t, app, "bob")

	admin := storeOn(t, newClient(t, server), nil, authKey) // another process
	if err := admin.RevokeAll(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	ada.wantValue(app, "user", nil)
	bob.wantValue(app, "user", "bob")

	everybody := storeOn(t, newClient(t, server), nil, keyOf("a new key instead of the old one"))
	bob.wantValue(everybody, "user", nil)
}

func TestASVS_7_1_2_ParallelSessionsAreLimited(t *testing.T) {
	_, store := newStore(t, &session.Options{MaxSessions: 1})
	first, second := newLogin(t, store, "ada"), newLogin(t, store, "ada")
	first.wantValue(store, "user", nil)
	second.wantValue(store, "user", "ada")
}
