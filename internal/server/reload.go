package server

import (
	"net/http"
	"strings"

	"cloakroom/forwardauth"
	"cloakroom/internal/api"
	"cloakroom/internal/config"
	"cloakroom/internal/signin"
	"cloakroom/internal/web"
	"cloakroom/session"
)

// Reload takes over what can change while the server runs: sign_up,
// reauthenticate_after, proxies.trusted and policies. Requests in flight end
// under what they began with. The other settings stay as they are.
func (s *Server) Reload(set config.Settings) error {
	next := s.settings
	next.SignUp, next.ReauthenticateAfter = set.SignUp, set.ReauthenticateAfter
	next.TrustedProxies, next.Policies = set.TrustedProxies, set.Policies
	h, err := s.newHandler(next)
	if err != nil {
		return err
	}
	s.handler.Store(&h)
	return nil
}

// answer answers under the settings of the latest Reload. Once the server is about
// to stop each answer is the last of its connection.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	if s.leaving.Load() {
		w.Header().Set("Connection", "close")
	}
	(*s.handler.Load()).ServeHTTP(w, r)
}

// newHandler is everything public under these settings.
func (s *Server) newHandler(set config.Settings) (http.Handler, error) {
	in := *s.signin
	in.Policy = signin.Policy(set.SignUp)
	authority := *s.authority
	authority.SignIn = &in
	recent := set.ReauthenticateAfter
	if s.recent != 0 {
		recent = s.recent
	}
	jsonAPI, err := api.New(api.Config{
		Sessions: s.sessions, SignIn: &in, Authority: &authority, PublicURL: s.URL(), BasePath: set.BasePath,
		Recent: recent, Logger: s.logger,
	})
	if err != nil {
		return nil, err
	}
	contract, err := api.Contract(set.BasePath)
	if err != nil {
		return nil, err
	}
	pages, err := web.New(web.Config{
		Contract: contract,
		Sessions: s.sessions, SignIn: &in, Authority: &authority, BasePath: set.BasePath, PublicURL: s.URL(),
		Recent: recent, Now: s.now, Logger: s.logger,
	})
	if err != nil {
		return nil, err
	}
	proxies, err := newProxies(set.TrustedProxies)
	if err != nil {
		return nil, err
	}
	return &public{
		checks: s.checks(set), api: s.metrics.measure(jsonAPI), pages: s.metrics.measure(pages), urls: s.public, base: set.BasePath, proxies: proxies, probe: &s.probe, patience: s.patience,
	}, nil
}

// checks are the paths that proxies ask, one of each kind for each policy.
func (s *Server) checks(set config.Settings) map[string]http.Handler {
	here := s.URL() + set.BasePath
	checks := map[string]http.Handler{}
	add := func(name string, p forwardauth.Policy) {
		h := forwardauth.Handler{
			Sessions: s.sessions, SignInURL: here + "/sign-in", ReauthenticateURL: here + "/reauthenticate", Policy: p,
			Decided: s.metrics.decided(strings.TrimPrefix(name, "/")),
		}
		checks[set.BasePath+"/check"+name] = h
		h.Redirects = true
		checks[set.BasePath+"/forward"+name] = h
	}
	add("", forwardauth.Policy{})
	for name, p := range set.Policies {
		policy := forwardauth.Policy{Roles: p.Roles, Level: p.Level, Recent: p.Recent}
		if p.Fresh {
			policy.Consistency = session.Fresh
		}
		add("/"+name, policy)
	}
	return checks
}

func sameSite(name string) http.SameSite {
	if name == "strict" {
		return http.SameSiteStrictMode
	}
	return http.SameSiteLaxMode
}
