package web

import (
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"

	"cloakroom/internal/visitor"
	"cloakroom/session"
)

// handler answers a request, or returns why it could not: see answer.
type handler func(w http.ResponseWriter, r *http.Request) error

// memberHandler is a handler of a page for who is signed in.
type memberHandler func(w http.ResponseWriter, r *http.Request, s session.Session) error

// table is every page: its path, and who may do what there. Nothing that acts is a
// GET.
func (p *pages) table() map[string]map[string]handler {
	linkPages := func(kind linkKind) map[string]handler {
		return map[string]handler{
			"GET":  p.withAuthority(unreferred(p.anyone(p.linkPage(kind)))),
			"POST": p.withAuthority(unreferred(p.anyone(p.useLink(kind)))),
		}
	}
	return map[string]map[string]handler{
		"":         {"GET": p.toAccount},
		"/{$}":     {"GET": p.toAccount},
		"/sign-in": {"GET": p.anyone(p.signInPage), "POST": p.anyone(p.signIn)},
		"/sign-up": {"GET": p.anyone(p.signUpPage), "POST": p.anyone(p.signUp)},
		// Open to anyone: a session that is dead already is signed out of, too.
		"/sign-out": {"GET": p.anyone(p.signOutPage), "POST": p.anyone(p.signOut)},
		// What the API has there takes no form.
		visitor.RenewPath:   {"POST": p.anyone(p.renew)},
		"/account":          {"GET": p.member(p.accountPage)},
		"/account/activity": {"GET": p.member(p.activityPage)},
		"/account/password": {"GET": p.member(p.passwordPage), "POST": p.member(p.changePassword)},
		"/reauthenticate":   {"GET": p.member(p.reauthenticatePage), "POST": p.member(p.reauthenticate)},

		"/docs":        {"GET": p.anyone(p.docsPage)},
		"/setup":       {"GET": p.withAuthority(p.anyone(p.setupPage)), "POST": p.withAuthority(p.anyone(p.setUp))},
		"/link/reset":  linkPages(resetLink),
		"/link/invite": linkPages(inviteLink),

		"/account/sessions":               {"GET": p.member(p.devicesPage)},
		"/account/sessions/{id}/revoke":   {"POST": p.member(p.revoke)},
		"/account/sessions/revoke-others": {"POST": p.member(p.revokeOthers)},
		"/account/sessions/revoke-all":    {"POST": p.member(p.revokeAll)},
	}
}

// routes serves the table. A path that is not in it is a 404 page, and a method that
// a path does not have a 405 page. GET answers HEAD too.
func (p *pages) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for path, methods := range p.table() {
		allowed := allow(methods)
		for method, h := range methods {
			page := p.answering(h)
			if path == "/docs" {
				page = compressed(page)
			}
			mux.Handle(method+" "+p.path(path), page)
		}
		mux.Handle(p.path(path), p.answering(func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Allow", allowed)
			return errMethod
		}))
	}
	mux.Handle("GET "+p.path("/assets/{name}"), compressed(p.answering(p.asset)))
	mux.Handle("/", p.answering(func(http.ResponseWriter, *http.Request) error { return errNoPage }))
	return mux
}

// compressed is for what is the same for everybody. How long a compressed page is
// would tell of the secrets in it (BREACH), so no other is.
func compressed(h http.Handler) http.Handler { return gzhttp.GzipHandler(h) }

// ServeHTTP answers every request under the base path, the mux's own
// redirects included, with the headers of a page.
func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	p.mux.ServeHTTP(w, r)
}

func allow(methods map[string]handler) string {
	var names []string
	if methods["GET"] != nil {
		names = append(names, "GET", "HEAD")
	}
	if methods["POST"] != nil {
		names = append(names, "POST")
	}
	return strings.Join(names, ", ")
}

func (p *pages) toAccount(w http.ResponseWriter, _ *http.Request) error {
	redirect(w, p.path("/account"))
	return nil
}
