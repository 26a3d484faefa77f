package api

import (
	"net/http"
	"slices"
	"strings"

	"cloakroom/internal/problem"
	"cloakroom/internal/visitor"
)

type route struct {
	method, path string
	handle       problem.HandlerFunc
}

// routes is the API, one line for each route. All of it stands behind guard;
// what a.signedIn wraps also needs a session, and what a.asAdmin wraps that of an
// administrator.
func (a *API) routes() []route {
	return append([]route{
		{"POST", "/v1/sign-up", a.signUp},
		{"POST", "/v1/sign-in", a.signIn},
		{"POST", "/v1/sign-out", a.signOut},
		{"POST", "/v1/reauthenticate", a.signedIn(a.reauthenticate)},
		{"GET", "/v1/account", a.signedIn(a.showOwnAccount)},
		{"PATCH", "/v1/account", a.signedIn(a.changeOwnAccount)},
		{"POST", "/v1/account/password", a.signedIn(a.changePassword)},
		{"GET", "/v1/session", a.showSession},
		{"POST", visitor.RenewPath, a.renewSession},
		{"GET", "/v1/sessions", a.signedIn(a.listSessions)},
		{"DELETE", "/v1/sessions", a.signedIn(a.revokeSessions)},
		{"DELETE", "/v1/sessions/{id}", a.signedIn(a.revokeSession)},
		{"POST", "/v1/token", a.issueToken},
		{"POST", "/v1/token/refresh", a.refreshToken},
		{"POST", "/v1/token/revoke", a.revokeToken},
		{"GET", "/openapi.json", a.document.serveJSON},
		{"GET", "/openapi.yaml", a.document.serveYAML},
	}, a.adminRoutes(a.asAdmin)...)
}

// adminRoutes are what administrators do, each behind the same guard.
func (a *API) adminRoutes(guard func(adminFunc) problem.HandlerFunc) []route {
	return []route{
		{"GET", "/v1/admin/accounts", guard(a.listAccounts)},
		{"POST", "/v1/admin/accounts", guard(a.inviteAccount)},
		{"GET", "/v1/admin/accounts/{id}", guard(a.showAccount)},
		{"DELETE", "/v1/admin/accounts/{id}", guard(a.deleteAccount)},
		{"PUT", "/v1/admin/accounts/{id}/profile", guard(a.setProfile)},
		{"PUT", "/v1/admin/accounts/{id}/status", guard(a.setStatus)},
		{"POST", "/v1/admin/accounts/{id}/links", guard(a.issueLink)},
		{"GET", "/v1/admin/accounts/{id}/sessions", guard(a.listAccountSessions)},
		{"DELETE", "/v1/admin/accounts/{id}/sessions", guard(a.revokeAccountSessions)},
		{"DELETE", "/v1/admin/accounts/{id}/sessions/{session}", guard(a.revokeAccountSession)},
		{"GET", "/v1/admin/audit", guard(a.listAudit)},
		{"POST", "/v1/admin/revoke-everything", guard(a.revokeEverything)},
	}
}

// operatorRoutes are what the command line does beside what administrators do.
// They stand in no contract: both ends are of one version.
func (a *API) operatorRoutes() []route {
	return append([]route{
		{"POST", "/v1/operator/accounts", a.asOperator(a.createAccount)},
		{"PUT", "/v1/operator/accounts/{id}/password", a.asOperator(a.setPassword)},
	}, a.adminRoutes(a.asOperator)...)
}

// mux serves routes under base. A path answers the methods it has, HEAD
// where it has GET, and 405 to every other; what is no path is 404.
func (a *API) mux(base string, routes []route) *http.ServeMux {
	mux := http.NewServeMux()
	allow := make(map[string][]string)
	for _, r := range routes {
		mux.Handle(r.method+" "+base+r.path, problem.Handle(a.logger, r.handle))
		allow[r.path] = append(allow[r.path], r.method)
		if r.method == http.MethodGet {
			allow[r.path] = append(allow[r.path], http.MethodHead)
		}
	}
	for path, methods := range allow {
		slices.Sort(methods)
		refusal := problem.MethodNotAllowed(strings.Join(methods, ", "))
		mux.Handle(base+path, refuse(a, refusal))
	}
	mux.Handle("/", refuse(a, problem.NotFound()))
	return mux
}

func refuse(a *API, err error) http.Handler {
	return problem.Handle(a.logger, func(http.ResponseWriter, *http.Request) error { return err })
}
