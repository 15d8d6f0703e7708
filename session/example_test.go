package session_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
)

// exampleClient returns a client of a memcached inside the process.
func exampleClient() (*memcached.Client, func()) {
	server, err := memcachedtest.NewServer(nil)
	if err != nil {
		panic(err)
	}
	client, err := memcached.New([]string{server.Addr()}, nil)
	if err != nil {
		panic(err)
	}
	return client, func() {
		_ = client.Close()
		server.Close()
	}
}

// ask sends a request with a cookie and returns the answer and the cookie after
// it, as a browser would.
func ask(handler http.Handler, method, path, cookie string) (answer, after string) {
	r := httptest.NewRequest(method, "https://example.test"+path, nil)
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		cookie = c.Name + "=" + c.Value
	}
	return w.Body.String(), cookie
}

func Example() {
	client, closeAll := exampleClient()
	defer closeAll()
	authKey := []byte("32 random bytes, from a secret store")
	store, err := session.New(client, nil, authKey)
	if err != nil {
		fmt.Println(err)
		return
	}

	router := gin.New()
	router.Use(ginsessions.Sessions("__Host-session", store), session.Autosave())
	router.POST("/login", func(c *gin.Context) { // once the password is checked
		ginsessions.Default(c).Set("user", "ada")
		if err := session.Renew(c); err != nil {
			c.AbortWithStatus(http.StatusServiceUnavailable)
			return
		}
		if err := session.Bind(c, "ada"); err != nil {
			c.AbortWithStatus(http.StatusServiceUnavailable)
			return
		}
		c.String(http.StatusOK, "welcome")
	})
	router.GET("/", func(c *gin.Context) {
		c.String(http.StatusOK, "user: %v", ginsessions.Default(c).Get("user"))
	})
	router.POST("/logout", func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Options(ginsessions.Options{Path: "/", Secure: true, HttpOnly: true, MaxAge: -1})
		if err := s.Save(); err != nil {
			c.String(http.StatusServiceUnavailable, "still logged in, try again")
			return
		}
		c.String(http.StatusOK, "bye")
	})

	answer, cookie := ask(router, http.MethodPost, "/login", "")
	fmt.Println(answer)
	stolen := cookie
	answer, cookie = ask(router, http.MethodGet, "/", cookie)
	fmt.Println(answer)
	answer, _ = ask(router, http.MethodPost, "/logout", cookie)
	fmt.Println(answer)
	answer, _ = ask(router, http.MethodGet, "/", stolen)
	fmt.Println(answer)
	// Output:
	// welcome
	// user: ada
	// bye
	// user: <nil>
}

func ExampleStore_RevokeAll() {
	client, closeAll := exampleClient()
	defer closeAll()
	store, err := session.New(client, nil, []byte("32 random bytes, from a secret store"))
	if err != nil {
		fmt.Println(err)
		return
	}

	site := http.NewServeMux()
	site.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		s, _ := store.Get(r, "session")
		s.Values["user"] = "ada"
		if store.Renew(r, s) != nil || store.Bind(r, s, "ada") != nil || s.Save(r, w) != nil {
			http.Error(w, "no login now", http.StatusServiceUnavailable)
		}
	})
	site.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		s, _ := store.Get(r, "session")
		fmt.Fprint(w, "user: ", s.Values["user"])
	})

	_, phone := ask(site, http.MethodPost, "/login", "")
	_, laptop := ask(site, http.MethodPost, "/login", "")
	if err := store.RevokeAll(context.Background(), "ada"); err != nil { // Ada's account was disabled
		fmt.Println(err)
	}
	for _, cookie := range []string{phone, laptop} {
		answer, _ := ask(site, http.MethodGet, "/", cookie)
		fmt.Println(answer)
	}
	// Output:
	// user: <nil>
	// user: <nil>
}

func ExampleNew_keyRotation() {
	client, closeAll := exampleClient()
	defer closeAll()
	oldKey, newKey := []byte("last year's key, 32 random bytes"), []byte("this year's key, 32 random bytes")

	visit := func(cookie string, keyPairs ...[]byte) string {
		store, err := session.New(client, nil, keyPairs...)
		if err != nil {
			fmt.Println(err)
			return ""
		}
		answer, cookie := ask(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, _ := store.Get(r, "session")
			n, _ := s.Values["visits"].(int)
			s.Values["visits"] = n + 1
			if err := s.Save(r, w); err != nil {
				fmt.Println(err)
			}
			fmt.Fprint(w, n+1, " visits")
		}), http.MethodGet, "/", cookie)
		fmt.Println(answer)
		return cookie
	}
	cookie := visit("", oldKey)
	cookie = visit(cookie, newKey, nil, oldKey, nil) // accepted, and made anew
	visit(cookie, newKey)
	// Output:
	// 1 visits
	// 2 visits
	// 3 visits
}

func ExampleNewSCS() {
	client, closeAll := exampleClient()
	defer closeAll()

	store, err := session.NewSCS(client, nil, []byte("32 random bytes, from a secret store"))
	if err != nil {
		fmt.Println(err)
		return
	}

	// sessionManager := scs.New()
	// sessionManager.Store = store

	_, found, err := store.Find("a token that somebody made up")
	fmt.Println(found, err)
	// Output: false <nil>
}

func ExampleJSON() {
	data, _ := session.JSON{}.Encode(map[string]any{"id": int64(9007199254740993), "tags": []string{"a"}})
	fmt.Println(string(data))
	value, _ := session.JSON{}.Decode(data)
	fmt.Printf("%T\n", value.(map[string]any)["id"])
	// Output:
	// {"id":{"$int64":"9007199254740993"},"tags":{"$strings":["a"]}}
	// int64
}
