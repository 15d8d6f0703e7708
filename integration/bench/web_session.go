package main

import (
	"net/http"

	"github.com/gin-contrib/sessions"
	contribmemcached "github.com/gin-contrib/sessions/memcached"
	"github.com/gin-gonic/gin"
	"github.com/memcachier/mc/v3"
)

// sessionKey signs the cookies of all contestants.
var sessionKey = []byte("0123456789abcdef0123456789abcdef")

// sessionApps builds an application around each session store.
var sessionApps = map[string]func(memcached string) (*webApp, error){
	ginContribSession: sessionContrib,
	webNone:           sessionNone,
}

// sessionContrib is gin-contrib/sessions over memcached in the binary protocol,
// as its documentation shows it, with a pool as large as the load.
func sessionContrib(memcached string) (*webApp, error) {
	config := mc.DefaultConfig()
	config.PoolSize = webConns
	client := mc.NewMCwithConfig(memcached, "", "", config)
	store := contribmemcached.NewMemcacheStore(client, "bench-session-", sessionKey)
	return newSessionApp(store, func() error { client.Quit(); return nil }), nil
}

// sessionNone answers the same without a session.
func sessionNone(string) (*webApp, error) {
	app := &webApp{engine: newEngine(), path: "/me", body: "hello alice", close: func() error { return nil }}
	app.engine.GET(app.path, func(c *gin.Context) { c.String(http.StatusOK, "hello %s", "alice") })
	return app, nil
}

// newSessionApp signs alice in at /login and greets her at /me.
func newSessionApp(store sessions.Store, closing func() error) *webApp {
	app := &webApp{engine: newEngine(), path: "/me", login: "/login", body: "hello alice", close: closing}
	app.engine.Use(sessions.Sessions("id", store))
	app.engine.GET(app.login, func(c *gin.Context) {
		s := sessions.Default(c)
		s.Set("user", "alice")
		s.Set("role", "editor")
		s.Set("visits", 12)
		if err := s.Save(); err != nil {
			_ = c.AbortWithError(http.StatusInternalServerError, err)
			return
		}
		c.String(http.StatusOK, "welcome")
	})
	app.engine.GET(app.path, func(c *gin.Context) {
		user, ok := sessions.Default(c).Get("user").(string)
		if !ok {
			c.AbortWithStatus(http.StatusUnauthorized)
			return
		}
		c.String(http.StatusOK, "hello %s", user)
	})
	return app
}
