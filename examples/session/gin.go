package main

import (
	"errors"
	"net/http"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/session"
	"github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
)

// ginSite keeps the sessions of gin-contrib/sessions in memcached.
func ginSite(client *memcached.Client, keys ...[]byte) (http.Handler, error) {
	store, err := session.New(client, &session.Options{Prefix: "gin:"}, keys...)
	if err != nil {
		return nil, err
	}

	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	// Browsers accept a cookie with this prefix from this host alone, by TLS
	// alone. Autosave stores what handlers change before the response begins.
	router.Use(sessions.Sessions("__Host-session", store), session.Autosave())

	router.GET("/", func(c *gin.Context) {
		current := sessions.Default(c)
		c.String(http.StatusOK, "%v %v", current.Get("user"), current.Flashes())
	})

	router.POST("/login", func(c *gin.Context) { // once the password is checked
		user := c.PostForm("user")
		current := sessions.Default(c)
		current.Set("user", user)
		current.AddFlash("Welcome!")
		// A new ID, so that one that was planted in the browser is worth nothing,
		// and the user's name for RevokeAll. Both save at once.
		if err := errors.Join(session.Renew(c), session.Bind(c, user)); err != nil {
			fail(c, err)
			return
		}
		c.Redirect(http.StatusSeeOther, "/")
	})

	router.POST("/logout", func(c *gin.Context) {
		current := sessions.Default(c)
		current.Options(sessions.Options{Path: "/", Secure: true, HttpOnly: true, MaxAge: -1})
		if err := current.Save(); err != nil {
			fail(c, err) // still logged in, and the user should know
			return
		}
		c.Redirect(http.StatusSeeOther, "/")
	})

	router.POST("/logout-everywhere", func(c *gin.Context) {
		user, _ := sessions.Default(c).Get("user").(string)
		if err := store.RevokeAll(c.Request.Context(), user); err != nil {
			fail(c, err)
			return
		}
		c.Redirect(http.StatusSeeOther, "/")
	})
	return router, nil
}

// fail answers that memcached did not play along.
func fail(c *gin.Context, err error) {
	if errors.Is(err, session.ErrUnavailable) {
		c.String(http.StatusServiceUnavailable, "Please try again in a moment.")
		return
	}
	c.String(http.StatusInternalServerError, "That did not work.")
}
