package session_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/alexedwards/scs/v2"
	"github.com/bmemcached/bmemcached-go/session"
)

var _ scs.CtxStore = (*session.SCSStore)(nil)

func newManager(t *testing.T, client session.Client) *scs.SessionManager {
	t.Helper()
	store, err := session.NewSCS(client, nil, authKey)
	if err != nil {
		t.Fatal(err)
	}
	manager := scs.New()
	manager.Store = store
	manager.ErrorFunc = func(w http.ResponseWriter, _ *http.Request, err error) {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
	return manager
}

// scsSite is a site on scs's LoadAndSave.
func scsSite(manager *scs.SessionManager, gate func()) http.Handler {
	site := http.NewServeMux()
	site.HandleFunc("/set", func(_ http.ResponseWriter, r *http.Request) {
		manager.Put(r.Context(), r.FormValue("k"), r.FormValue("v"))
		gate()
	})
	site.HandleFunc("/get", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, manager.GetString(r.Context(), r.FormValue("k")))
	})
	site.HandleFunc("/renew", func(w http.ResponseWriter, r *http.Request) {
		if err := manager.RenewToken(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	site.HandleFunc("/destroy", func(w http.ResponseWriter, r *http.Request) {
		if err := manager.Destroy(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	return manager.LoadAndSave(site)
}

func TestSCS_LoadAndSave(t *testing.T) {
	client := connect(t, start(t, 1)...)
	hashing := newManager(t, client)
	hashing.HashTokenInStore = true
	for name, manager := range map[string]*scs.SessionManager{"plain tokens": newManager(t, client), "hashed tokens": hashing} {
		t.Run(name, func(t *testing.T) {
			p := newPerson(t, serve(t, scsSite(manager, func() {})))
			p.want("/get?k=user", "")
			p.want("/set?k=user&v=ada", "")
			p.want("/get?k=user", "ada")

			old := p.thief()
			p.want("/renew", "")
			p.want("/get?k=user", "ada")
			old.want("/get?k=user", "")

			thief := p.thief()
			p.want("/destroy", "")
			p.want("/get?k=user", "")
			thief.want("/get?k=user", "")
		})
	}
}

func TestSCS_LogoutWinsAgainstARequestInFlight(t *testing.T) {
	client := connect(t, start(t, 1)...)
	for _, end := range []string{"/destroy", "/renew"} {
		loaded, ended := make(chan struct{}), make(chan struct{})
		var once sync.Once
		waits := false
		site := serve(t, scsSite(newManager(t, client), func() {
			if waits {
				once.Do(func() { close(loaded); <-ended })
			}
		}))
		p := newPerson(t, site)
		p.want("/set?k=user&v=ada", "")
		inFlight, thief := p.thief(), p.thief()
		waits = true
		var wg sync.WaitGroup
		wg.Go(func() {
			status, body := inFlight.get("/set?k=user&v=zombie")
			if status != http.StatusInternalServerError || !strings.Contains(body, session.ErrNotFound.Error()) {
				t.Errorf("the request that lost against %s = %d %q, want ErrNotFound", end, status, body)
			}
		})
		<-loaded
		p.want(end, "")
		close(ended)
		wg.Wait()
		thief.want("/get?k=user", "")
	}
}

func TestSCS_TokensThatBrowsersMakeUp(t *testing.T) {
	client := connect(t, start(t, 1)...)
	site := serve(t, scsSite(newManager(t, client), func() {}))
	for _, token := range []string{"x", "a%0d%0ab", "%00", "\"\"", fmt.Sprintf("%01000d", 1)} {
		p := newPerson(t, site)
		p.client.Jar.SetCookies(p.url(), []*http.Cookie{{Name: "session", Value: token}})
		p.want("/get?k=user", "")
	}
}
