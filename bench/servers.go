package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"cloakroom/internal/config"
	"cloakroom/internal/server"
	"cloakroom/session"
	"cloakroom/session/sqlite"

	"github.com/golang-jwt/jwt/v5"
)

// serveProduct is the whole server, as cloakroom serve builds it, with one
// account that has signed up over HTTP.
func serveProduct(ctx context.Context, dir string, in io.Reader, out io.Writer) error {
	c := config.Default()
	c.Listen, c.OpsListen = "127.0.0.1:0", "127.0.0.1:0"
	c.Database = "sqlite:" + filepath.Join(dir, "product.db")
	s, err := server.New(ctx, server.Options{Config: c, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	base := "http://" + s.Addr().String() + "/auth"
	header, err := signUp(ctx, base)
	if err == nil {
		err = tell(welcome{base + "/check", header}, in, out)
	}
	cancel()
	return errors.Join(err, <-ran)
}

// signUp makes an account as a front end does, and returns the header with the
// cookie that its browser would hold.
func signUp(ctx context.Context, base string) (string, error) {
	body := `{"email":"` + userEmail + `","password":"a long passphrase of nobody","name":"` + userName + `"}`
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/sign-up", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	for _, c := range answer.Cookies() {
		if answer.StatusCode == http.StatusCreated && c.Name == sessionCookie {
			return "Cookie: " + c.Name + "=" + c.Value, nil
		}
	}
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 1000)) // for the message
	return "", fmt.Errorf("sign up: %s: %s", answer.Status, text)
}

// httpServer has the limits of the product's own server, for each of them costs
// a little with every request.
func httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
}

// handlerOf makes the servers that are not the product. end takes down what
// the handler needs.
func handlerOf(ctx context.Context, kind, dir, response string) (h http.Handler, header string, end func(), err error) {
	end = func() {}
	switch kind {
	case "empty":
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), "", end, nil
	case "same":
		h, err = sameResponse(response)
		return h, "", end, err
	case "jwt":
		h, header, err = behindJWT()
		return h, header, end, err
	case "session":
		return behindSessions(ctx, dir)
	}
	return nil, "", nil, fmt.Errorf("serve: no server is called %q", kind)
}

// sameResponse sends one response to everybody, as cheaply as net/http can.
func sameResponse(header string) (http.Handler, error) {
	var fixed http.Header
	if err := json.Unmarshal([]byte(header), &fixed); err != nil {
		return nil, fmt.Errorf("header of the response: %w", err)
	}
	type line struct {
		name   string
		values []string
	}
	var lines []line
	for name, values := range fixed {
		lines = append(lines, line{name, values})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		for _, l := range lines {
			h[l.name] = l.values
		}
		w.WriteHeader(http.StatusOK)
	}), nil
}

// behindSessions is a handler behind Manager.Load, which lets those in who are
// signed in.
func behindSessions(ctx context.Context, dir string) (h http.Handler, header string, end func(), err error) {
	store, err := sqlite.Open(ctx, filepath.Join(dir, "sessions.db"))
	if err != nil {
		return nil, "", nil, err
	}
	m, stop, err := startManager(ctx, store)
	if err != nil {
		return nil, "", nil, errors.Join(err, store.Close())
	}
	end = func() {
		stop()
		_ = store.Close()
	}
	var token session.Token
	err = issue(ctx, m, issuing{
		n: 1, callers: 1, subject: subject, grant: grantWithProfile,
		keep: func(_ int, t session.Token) { token = t },
	})
	if err != nil {
		end()
		return nil, "", nil, err
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s, ok := session.FromContext(r.Context()); !ok || s.Subject() == "" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	return m.Load(handler), "Cookie: " + sessionCookie + "=" + token.Reveal(), end, nil
}

// claimsKey is the context's key of the claims.
type claimsKey struct{}

// behindJWT is the same behind a middleware that verifies a JWT.
func behindJWT() (http.Handler, string, error) {
	peer, err := newJWTPeer(jwt.SigningMethodHS256)
	if err != nil {
		return nil, "", err
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(claimsKey{}).(*claims); !ok || c.Subject == "" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	return peer.middleware(handler), "Authorization: Bearer " + peer.tokens[0], nil
}

// middleware verifies the JWT of a request and puts its claims into the context.
func (p *jwtPeer) middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		c, err := p.verify(text)
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), claimsKey{}, c)))
	})
}
