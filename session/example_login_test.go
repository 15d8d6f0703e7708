package session_test

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
)

// The zero value of each option is its default.
func ExampleNew() {
	client, closeAll := exampleClient()
	defer closeAll()
	authKey := []byte("32 random bytes, from a secret store")
	encryptionKey := []byte("32 more, for the cookie's secrecy"[:32])

	store, err := session.New(client, &session.Options{
		IdleTimeout:     30 * time.Minute,
		AbsoluteTimeout: 8 * time.Hour,
		Codec:           session.JSON{},
	}, authKey, encryptionKey)
	if err != nil {
		fmt.Println(err)
		return
	}

	router := gin.New()
	router.Use(ginsessions.Sessions("__Host-session", store), session.Autosave())
	router.GET("/", func(c *gin.Context) {
		s := ginsessions.Default(c)
		visits, _ := s.Get("visits").(int)
		s.Set("visits", visits+1)
		c.String(http.StatusOK, "visit %d", visits+1)
	})
	answer, cookie := ask(router, http.MethodGet, "/", "")
	fmt.Println(answer)
	answer, _ = ask(router, http.MethodGet, "/", cookie)
	fmt.Println(answer)
	// Output:
	// visit 1
	// visit 2
}

// At login the session gets a new ID: one that was planted in the browser, or
// seen before, is worth nothing afterwards.
func ExampleRenew() {
	client, closeAll := exampleClient()
	defer closeAll()
	store, err := session.New(client, nil, []byte("32 random bytes, from a secret store"))
	if err != nil {
		fmt.Println(err)
		return
	}

	router := gin.New()
	router.Use(ginsessions.Sessions("session", store), session.Autosave())
	router.POST("/basket", func(c *gin.Context) { ginsessions.Default(c).Set("basket", "a print") })
	router.POST("/login", func(c *gin.Context) { // once the password is checked
		ginsessions.Default(c).Set("user", "ada")
		if err := session.Renew(c); err != nil { // saves at once
			c.AbortWithStatus(http.StatusServiceUnavailable)
		}
	})
	router.GET("/", func(c *gin.Context) {
		s := ginsessions.Default(c)
		c.String(http.StatusOK, "%v, %v", s.Get("user"), s.Get("basket"))
	})

	_, before := ask(router, http.MethodPost, "/basket", "")
	_, after := ask(router, http.MethodPost, "/login", before)
	for _, cookie := range []string{after, before} {
		answer, _ := ask(router, http.MethodGet, "/", cookie)
		fmt.Println(answer)
	}
	// Output:
	// ada, a print
	// <nil>, <nil>
}

// Bind names the user, so that all sessions of that user can be ended: after a
// change of the password, say. The one in hand is renewed and bound again.
func ExampleBind() {
	client, closeAll := exampleClient()
	defer closeAll()
	store, err := session.New(client, nil, []byte("32 random bytes, from a secret store"))
	if err != nil {
		fmt.Println(err)
		return
	}

	router := gin.New()
	router.Use(ginsessions.Sessions("session", store), session.Autosave())
	router.POST("/login", func(c *gin.Context) {
		ginsessions.Default(c).Set("user", "ada")
		if err := errors.Join(session.Renew(c), session.Bind(c, "ada")); err != nil {
			c.AbortWithStatus(http.StatusServiceUnavailable)
		}
	})
	router.POST("/password", func(c *gin.Context) {
		user, _ := ginsessions.Default(c).Get("user").(string) // loads the session in hand
		err := errors.Join(
			store.RevokeAll(c.Request.Context(), user), // everywhere
			session.Renew(c), session.Bind(c, user), // but here
		)
		if err != nil {
			c.AbortWithStatus(http.StatusServiceUnavailable)
		}
	})
	router.GET("/", func(c *gin.Context) {
		c.String(http.StatusOK, "user: %v", ginsessions.Default(c).Get("user"))
	})

	_, laptop := ask(router, http.MethodPost, "/login", "")
	_, phone := ask(router, http.MethodPost, "/login", "")
	_, phone = ask(router, http.MethodPost, "/password", phone)
	for _, cookie := range []string{phone, laptop} {
		answer, _ := ask(router, http.MethodGet, "/", cookie)
		fmt.Println(answer)
	}
	// Output:
	// user: ada
	// user: <nil>
}

// Handlers change their session, and Autosave stores it before the first byte
// goes out. A session that cannot be stored becomes a visible error.
func ExampleAutosave() {
	client, closeAll := exampleClient()
	store, err := session.New(client, nil, []byte("32 random bytes, from a secret store"))
	if err != nil {
		fmt.Println(err)
		return
	}

	router := gin.New()
	router.Use(ginsessions.Sessions("session", store), session.Autosave())
	router.GET("/hello", func(c *gin.Context) { // no session, no round trip
		c.String(http.StatusOK, "hello")
	})
	router.POST("/theme", func(c *gin.Context) {
		ginsessions.Default(c).Set("theme", "dark")
		c.String(http.StatusOK, "stored")
	})

	answer, cookie := ask(router, http.MethodPost, "/theme", "")
	fmt.Println(answer, cookie != "")
	closeAll() // memcached goes away
	answer, _ = ask(router, http.MethodGet, "/hello", cookie)
	fmt.Println(answer)
	answer, cookie = ask(router, http.MethodPost, "/theme", "")
	fmt.Printf("%q %v\n", answer, cookie != "")
	// Output:
	// stored true
	// hello
	// "The session could not be saved.\n" false
}

// A message that is shown once, on whichever page comes next.
func ExampleAutosave_flash() {
	client, closeAll := exampleClient()
	defer closeAll()
	store, err := session.New(client, nil, []byte("32 random bytes, from a secret store"))
	if err != nil {
		fmt.Println(err)
		return
	}

	router := gin.New()
	router.Use(ginsessions.Sessions("session", store), session.Autosave())
	router.POST("/order", func(c *gin.Context) {
		ginsessions.Default(c).AddFlash("Thank you!")
		c.Status(http.StatusNoContent)
	})
	router.GET("/", func(c *gin.Context) {
		c.String(http.StatusOK, "%v", ginsessions.Default(c).Flashes())
	})

	_, cookie := ask(router, http.MethodPost, "/order", "")
	for range 2 {
		answer, _ := ask(router, http.MethodGet, "/", cookie)
		fmt.Println(answer)
	}
	// Output:
	// [Thank you!]
	// []
}

// Renew under gorilla/sessions and plain net/http: the caller saves.
func ExampleStore_Renew() {
	client, closeAll := exampleClient()
	defer closeAll()
	store, err := session.New(client, nil, []byte("32 random bytes, from a secret store"))
	if err != nil {
		fmt.Println(err)
		return
	}

	site := http.NewServeMux()
	site.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		s, _ := store.Get(r, "session") // never nil
		s.Values["user"] = "ada"
		err := store.Renew(r, s)
		if err == nil {
			err = s.Save(r, w)
		}
		if err != nil {
			http.Error(w, "no login now", http.StatusServiceUnavailable)
		}
	})
	site.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		s, _ := store.Get(r, "session")
		s.Options.MaxAge = -1
		if err := s.Save(r, w); err != nil {
			http.Error(w, "still logged in, try again", http.StatusServiceUnavailable)
		}
	})
	site.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		s, _ := store.Get(r, "session")
		fmt.Fprint(w, "user: ", s.Values["user"])
	})

	_, cookie := ask(site, http.MethodPost, "/login", "")
	answer, _ := ask(site, http.MethodGet, "/", cookie)
	fmt.Println(answer)
	_, _ = ask(site, http.MethodPost, "/logout", cookie)
	answer, _ = ask(site, http.MethodGet, "/", cookie) // whoever kept the cookie
	fmt.Println(answer)
	// Output:
	// user: ada
	// user: <nil>
}

// What scs does with its store. A token that was deleted stays dead, whoever
// still writes to it.
func ExampleSCSStore() {
	client, closeAll := exampleClient()
	defer closeAll()
	store, err := session.NewSCS(client, nil, []byte("32 random bytes, from a secret store"))
	if err != nil {
		fmt.Println(err)
		return
	}
	token := "c2NzIGRyYXdzIGl0cyB0b2tlbnMgYXQgcmFuZG9tLi4" // 32 bytes
	expiry := time.Now().Add(time.Hour)

	fmt.Println(store.Commit(token, []byte("data"), expiry))
	data, found, err := store.Find(token)
	fmt.Printf("%s %v %v\n", data, found, err)
	fmt.Println(store.Delete(token))
	err = store.Commit(token, []byte("data"), expiry)
	fmt.Println(errors.Is(err, session.ErrNotFound))
	// Output:
	// <nil>
	// data true <nil>
	// <nil>
	// true
}
