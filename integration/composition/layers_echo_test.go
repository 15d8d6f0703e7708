package composition_test

import (
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// echoLayers are layers of echo. Timeout is not there: around echo.WrapMiddleware it loses
// errors that handlers return, whatever is wrapped.
var echoLayers = []layer{
	{name: "a field of our own, of echo", echo: echoHook(func(c echo.Context) { c.Response().Header().Set("X-Above", "1") })},
	{name: "a field before the first byte, of echo", echo: echoHook(func(c echo.Context) {
		c.Response().Before(func() { c.Response().Header().Set("X-Before", "1") })
	})},
	{name: "errors are answered, of echo", echo: plainEcho(echoErrors)},
	{name: "echo Logger", echo: plainEcho(func() echo.MiddlewareFunc {
		//lint:ignore SA1019 sites have it
		return middleware.LoggerWithConfig(middleware.LoggerConfig{Output: io.Discard})
	})},
	{name: "echo RequestLogger", echo: plainEcho(func() echo.MiddlewareFunc {
		return middleware.RequestLoggerWithConfig(middleware.RequestLoggerConfig{
			HandleError: true, LogStatus: true, LogValuesFunc: func(echo.Context, middleware.RequestLoggerValues) error { return nil },
		})
	})},
	{name: "echo Recover", echo: plainEcho(func() echo.MiddlewareFunc {
		return middleware.RecoverWithConfig(middleware.RecoverConfig{LogErrorFunc: func(_ echo.Context, err error, _ []byte) error { return err }})
	})},
	{name: "echo Gzip", echo: plainEcho(middleware.Gzip), holds: true, compressor: true},
	{name: "echo Gzip from 1000 bytes", echo: plainEcho(func() echo.MiddlewareFunc {
		return middleware.GzipWithConfig(middleware.GzipConfig{MinLength: 1000})
	}), holds: true, compressor: true},
	{name: "echo CORS", echo: plainEcho(func() echo.MiddlewareFunc {
		return middleware.CORSWithConfig(middleware.CORSConfig{AllowOrigins: []string{otherOrigin}, AllowCredentials: true})
	})},
	{name: "echo CSRF", echo: plainEcho(middleware.CSRF), earlyCookie: true},
	{name: "echo Secure", echo: plainEcho(middleware.Secure)},
	{name: "echo RequestID", echo: plainEcho(func() echo.MiddlewareFunc {
		return middleware.RequestIDWithConfig(middleware.RequestIDConfig{Generator: func() string { return "generated" }})
	}), notBelow: sameForAll},
	{name: "echo BodyDump", echo: plainEcho(func() echo.MiddlewareFunc {
		return middleware.BodyDump(func(echo.Context, []byte, []byte) {})
	})},
	{name: "echo BodyLimit", echo: plainEcho(func() echo.MiddlewareFunc { return middleware.BodyLimit("1K") })},
	{name: "echo MethodOverride", echo: plainEcho(middleware.MethodOverride)},
	{name: "echo BasicAuth", echo: plainEcho(func() echo.MiddlewareFunc {
		return middleware.BasicAuth(func(_, password string, _ echo.Context) (bool, error) { return password == "secret", nil })
	})},
	{name: "echo ContextTimeout", echo: plainEcho(func() echo.MiddlewareFunc { return middleware.ContextTimeout(time.Minute) })},
}

// plainEcho is for middleware that needs nothing of the instance. use makes it.
func plainEcho(use func() echo.MiddlewareFunc) func(*instance) echo.MiddlewareFunc {
	return func(*instance) echo.MiddlewareFunc { return use() }
}

// echoHook is a layer that does something first.
func echoHook(hook func(echo.Context)) func(*instance) echo.MiddlewareFunc {
	return plainEcho(func() echo.MiddlewareFunc {
		return func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				hook(c)
				return next(c)
			}
		}
	})
}

// echoErrors has errors of handlers answered in its place, and not when all layers have
// returned.
func echoErrors() echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := next(c); err != nil {
				c.Error(err)
			}
			return nil
		}
	}
}

// echoEngine has echo.WrapMiddleware in both sites: it gives layers below it a response of
// their own.
func (in *instance) echoEngine(cache wrapper) http.Handler {
	e := echo.New()
	e.Logger.SetOutput(io.Discard)
	wrap := func(h http.Handler) http.Handler { return h }
	if cache != nil {
		wrap = cache.Wrap
	}
	for _, l := range in.site.above {
		e.Use(l.echo(in))
	}
	e.Use(echo.WrapMiddleware(wrap))
	for _, l := range in.site.below {
		e.Use(l.echo(in))
	}
	for i, p := range in.site.pages {
		e.Any(path(i), func(c echo.Context) error {
			v := &view{in: in, w: c.Response(), r: c.Request(), echo: c}
			in.serve(p, v)
			return v.err
		})
	}
	return e
}
