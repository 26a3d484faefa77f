// Package web is the pages: what a person sees of the server. It renders on the
// server, works without JavaScript, and asks no other host for anything.
//
// A handler decides and returns an error, and one function answers (answer.go).
// Whatever acts is a POST that proves where it comes from, carries the token of
// the session it acts for, and ends in a redirect. No page is ever stored by a
// cache, and an outage is never shown as being signed out.
package web

import (
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"cloakroom/internal/authority"
	"cloakroom/internal/signin"
	"cloakroom/session"
)

// Config is what the pages are made of. Sessions, SignIn and PublicURL are
// required; a zero field of the others means the default that stands beside it.
type Config struct {
	Sessions *session.Manager
	SignIn   *signin.Service

	// Authority makes the first administrator and takes one-time links. Without
	// it there are no pages for either.
	Authority *authority.Service

	// Contract is the API's OpenAPI document in JSON, which /docs shows. Without
	// it that page says nothing.
	Contract []byte

	// BasePath is the path that all pages stand under: "/auth". Without a
	// slash at its end.
	BasePath string
	// PublicURL is the address that people open, such as
	// "https://app.example.com". A way back leads nowhere else.
	PublicURL string
	// Recent is how long ago a person may have proved who they are to end
	// their other sessions without proving it again: 15 minutes.
	Recent time.Duration

	// Now is the time that "3 minutes ago" is counted from: time.Now.
	Now func() time.Time
	// Logger gets what could not be answered: slog.Default.
	Logger *slog.Logger
}

// pages holds what all handlers share. Nothing in it changes after New.
type pages struct {
	cfg       Config
	origin    url.URL // scheme and host of the public URL
	assets    assets
	templates map[string]*template.Template
	manual    manual
	mux       *http.ServeMux
}

// New returns the handler for everything under Config.BasePath. It does not
// expect a session in the context: each route says itself what it asks for.
func New(cfg Config) (http.Handler, error) {
	if cfg.Sessions == nil || cfg.SignIn == nil {
		return nil, errors.New("web: Config.Sessions and Config.SignIn are required")
	}
	public, err := url.Parse(cfg.PublicURL)
	if err != nil || public.Host == "" || public.Scheme != "https" && public.Scheme != "http" {
		return nil, errors.New("web: Config.PublicURL must be an address such as https://app.example.com")
	}
	if cfg.BasePath == "" {
		cfg.BasePath = "/auth"
	}
	if !strings.HasPrefix(cfg.BasePath, "/") || strings.HasSuffix(cfg.BasePath, "/") {
		return nil, fmt.Errorf("web: Config.BasePath must begin with a slash and not end with one")
	}
	if cfg.Recent == 0 {
		cfg.Recent = 15 * time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	p := &pages{cfg: cfg, origin: url.URL{Scheme: public.Scheme, Host: public.Host}}
	if p.assets, err = loadAssets(cfg.BasePath + "/assets/"); err != nil {
		return nil, err
	}
	if p.templates, err = p.parseTemplates(); err != nil {
		return nil, err
	}
	if len(cfg.Contract) > 0 {
		if p.manual, err = readContract(cfg.Contract); err != nil {
			return nil, err
		}
	}
	p.mux = p.routes()
	return p, nil
}

// path is the address of a page.
func (p *pages) path(page string) string { return p.cfg.BasePath + page }
