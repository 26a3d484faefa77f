package conformance

import (
	"net/http"
	"slices"
	"strings"
)

// victim is whom an operation is about: somebody with an account and two
// sessions.
type victim struct {
	member         *browser
	account, email string
	version        string // of the account
	own, other     string // the ids of the sessions
	// script are the tokens of a third, which has no cookies.
	script answer
}

// newVictim signs somebody up. The administrator reads the version that a change
// has to name.
func newVictim(admin *browser) victim {
	admin.t.Helper()
	v := victim{member: admin.with(""), email: newEmail()}
	v.member.do("POST", "/v1/sign-up", object("email", v.email, "password", goodPassword)).is(http.StatusCreated)
	v.account, v.own = v.member.accountID(), v.member.sessionID()
	v.other = admin.signIn(admin.t, v.email).sessionID()
	v.script = admin.browser(admin.t).do("POST", "/v1/token", object("email", v.email, "password", goodPassword)).is(http.StatusOK)
	v.version = admin.do("GET", "/v1/admin/accounts/"+v.account, "").is(http.StatusOK).word("account.version")
	return v
}

// asked is a request with all that it takes.
type asked struct {
	operation
	body  string
	edits []edit
}

func (q asked) by(who *browser, edits ...edit) answer {
	who.t.Helper()
	return who.do(q.method, q.path, q.body, append(slices.Clone(q.edits), edits...)...)
}

// asks is an operation of the contract with all that it takes to succeed: by the
// victim, or by an administrator on the victim. So nothing but what a test
// changes about it is a reason to refuse it.
func (v victim) asks(o operation) asked {
	t := v.member.t
	t.Helper()
	q := asked{operation: o}
	switch o.method + " " + o.path {
	case "POST /v1/sign-in", "POST /v1/token":
		q.body = object("email", v.email, "password", goodPassword)
	case "POST /v1/sign-up":
		q.body = object("email", newEmail(), "password", goodPassword)
	case "POST /v1/reauthenticate":
		q.body = object("password", goodPassword)
	case "POST /v1/account/password":
		q.body = object("current_password", goodPassword, "new_password", newPassword)
	case "PATCH /v1/account":
		q.body = object("name", "Somebody else")
	case "POST /v1/admin/accounts":
		q.body = object("email", newEmail())
	case "PUT /v1/admin/accounts/x/profile":
		q.body = `{"name":"Somebody else","roles":["changed"],"attributes":null,"email_verified":false}`
		q.edits = []edit{set("If-Match", `"`+v.version+`"`)}
	case "PUT /v1/admin/accounts/x/status":
		q.body = object("status", "disabled")
	case "POST /v1/admin/accounts/x/links":
		q.body = object("kind", "reset")
	case "POST /v1/token/refresh":
		q.body = object("refresh_token", v.script.word("refresh_token"))
	case "POST /v1/token/revoke":
		q.body = object("token", v.script.word("token"))
	case "POST /v1/sign-out", "POST /v1/session/renew", "POST /v1/admin/revoke-everything":
	default:
		if o.method != http.MethodGet && o.method != http.MethodDelete {
			t.Errorf("nobody has said what %s %s takes", o.method, o.path)
		}
	}
	if o.admins() {
		q.path = strings.Replace(q.path, "/x", "/"+v.account, 1) // which has hexadecimal digits, and no x
	}
	q.path = strings.Replace(q.path, "/x", "/"+v.other, 1)
	return q
}
