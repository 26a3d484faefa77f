// Command echo is the session middleware in an echo router, which takes
// standard middleware through echo.WrapMiddleware. It is a demonstration:
// whoever asks is signed in.
package main

import (
	"context"
	"log"
	"net/http"
	"time"

	"cloakroom/session"
	"cloakroom/session/memory"

	"github.com/labstack/echo/v4"
)

func main() {
	sessions, err := session.New(session.Config{Store: memory.New()})
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(sessions.Run(context.Background())) }()
	server := http.Server{Addr: "127.0.0.1:8080", Handler: routes(sessions), ReadTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}

func routes(sessions *session.Manager) http.Handler {
	router := echo.New()
	router.Use(echo.WrapMiddleware(sessions.Load)) // who is there? Nobody is turned away yet
	router.GET("/", home)
	router.POST("/sign-in/:name", func(c echo.Context) error {
		attempt, err := sessions.Begin(c.Request().Context(), c.Param("name"))
		if err == nil { // here the password would be verified
			_, err = sessions.SignIn(c.Response(), c.Request(), attempt, session.Grant{Methods: session.Password})
		}
		if err != nil {
			session.Problem(c.Response(), c.Request(), err)
		}
		return nil
	})
	members := router.Group("/members", echo.WrapMiddleware(sessions.Require()))
	members.GET("", home)
	members.GET("/admin", home, echo.WrapMiddleware(sessions.Require(session.Role("admin"))))
	return router
}

func home(c echo.Context) error {
	if s, ok := session.FromContext(c.Request().Context()); ok {
		return c.String(http.StatusOK, "signed in as "+s.Subject()+"\n")
	}
	return c.String(http.StatusOK, "a visitor\n")
}
