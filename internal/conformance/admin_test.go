package conformance

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var setupCode = regexp.MustCompile(`\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){4}\b`)

// setupCode returns the code that the server printed when it was started.
func (h *house) setupCode(t *testing.T) string {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if code := setupCode.FindString(h.out.String()); code != "" {
			return code
		}
	}
	t.Fatalf("no setup code in %q", h.out)
	return ""
}

// setUp tries to become the first administrator.
func (b *browser) setUp(code, email string) answer {
	b.t.Helper()
	return b.form("/setup", url.Values{"code": {code}, "email": {email}, "password": {goodPassword}})
}

// administrator is the first of them, who has just set the server up.
func (h *house) administrator(t *testing.T) *browser {
	t.Helper()
	b := h.browser(t)
	b.setUp(h.setupCode(t), newEmail()).is(http.StatusSeeOther)
	return b
}

// accountID returns the id of the account that the browser is signed in to.
func (b *browser) accountID() string {
	b.t.Helper()
	return b.do("GET", "/v1/session", "").is(http.StatusOK).word("account.id")
}

// setStatus has an administrator enable or disable an account.
func (b *browser) setStatus(id, status string) answer {
	b.t.Helper()
	return b.do("PUT", "/v1/admin/accounts/"+id+"/status", object("status", status)).is(http.StatusOK)
}

// setRoles has an administrator give an account these roles and no others.
func (b *browser) setRoles(id string, roles ...string) answer {
	b.t.Helper()
	version := b.do("GET", "/v1/admin/accounts/"+id, "").is(http.StatusOK).word("account.version")
	list := "[]"
	if len(roles) > 0 {
		list = `["` + strings.Join(roles, `","`) + `"]`
	}
	body := `{"name":"","roles":` + list + `,"attributes":null,"email_verified":false}`
	return b.do("PUT", "/v1/admin/accounts/"+id+"/profile", body, set("If-Match", `"`+version+`"`)).is(http.StatusOK)
}

// events returns what the record says happened to an account, the latest first.
func (b *browser) events(subject string) (names []string) {
	b.t.Helper()
	list, _ := b.do("GET", "/v1/admin/audit?subject="+subject, "").is(http.StatusOK).json("entries").([]any)
	for _, e := range list {
		e, _ := e.(map[string]any)
		names = append(names, fmt.Sprint(e["event"]))
	}
	return names
}

func TestRow034DisablingOrDeletingAnAccountEndsAllItsSessions(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	admin := h.administrator(t)
	for name, end := range map[string]func(id string){
		"disabled": func(id string) { admin.setStatus(id, "disabled") },
		"deleted":  func(id string) { admin.do("DELETE", "/v1/admin/accounts/"+id, "").is(http.StatusNoContent) },
	} {
		t.Run(name, func(t *testing.T) {
			b, email := h.member(t)
			id := b.accountID()
			sessions := []*browser{b, h.signIn(t, email), h.signIn(t, email)}
			bystander, _ := h.member(t)
			end(id)
			for _, b := range sessions {
				b.lives(false)
			}
			bystander.lives(true)
			if a := h.browser(t).do("POST", "/v1/sign-in", object("email", email, "password", goodPassword)); a.status < 400 {
				t.Errorf("signed in: %d", a.status)
			}
			if name == "disabled" {
				admin.setStatus(id, "active")
				for _, b := range sessions {
					b.lives(false)
				}
				h.signIn(t, email).lives(true)
			}
			if got := admin.events(id); !slices.Contains(got, "account."+name) {
				t.Errorf("recorded: %s", got)
			}
		})
	}
}

func TestRow036AdministratorsEndTheSessionsOfOneOrOfAll(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	admin := h.administrator(t)
	root := admin.do("GET", "/v1/session", "").word("account.email")
	one, email := h.member(t)
	id := one.accountID()
	again := h.signIn(t, email)
	other, _ := h.member(t)
	admin.do("DELETE", "/v1/admin/accounts/"+id+"/sessions", "").is(http.StatusNoContent)
	one.lives(false)
	again.lives(false)
	other.lives(true)
	if got := admin.events(id); !slices.Contains(got, "sessions.revoked_all") {
		t.Errorf("recorded: %s", got)
	}
	single, kept := h.signIn(t, email), h.signIn(t, email)
	admin.do("DELETE", "/v1/admin/accounts/"+id+"/sessions/"+single.sessionID(), "").is(http.StatusNoContent)
	single.lives(false)
	kept.lives(true)
	admin.do("POST", "/v1/admin/revoke-everything", "").is(http.StatusNoContent)
	for _, b := range []*browser{kept, other, admin.with(admin.cookie)} {
		b.lives(false)
	}
	h.signIn(t, email).lives(true)
	again = h.signIn(t, root)
	entry, _ := again.do("GET", "/v1/admin/audit?event=sessions.revoked_everything", "").is(http.StatusOK).json("entries").([]any)
	if len(entry) != 1 {
		t.Fatalf("recorded: %v", entry)
	}
	if e, _ := entry[0].(map[string]any); e["actor"] != again.accountID() || e["subject"] != "" || e["address"] != "127.0.0.1" {
		t.Errorf("recorded: %v", e)
	}
}

func TestRow045ARoleActsOnTheNextRequest(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "--policies={staff: {roles: [staff]}}")
	admin := h.administrator(t)
	b, _ := h.member(t)
	id := b.accountID()
	groups := func() string { return b.do("GET", "/check", "").is(http.StatusOK).header.Get("Remote-Groups") }
	b.do("GET", "/check/staff", "").refuses(http.StatusForbidden)
	for _, roles := range [][]string{{"staff"}, {"staff", "editor"}, {"editor"}, {}} {
		admin.setRoles(id, roles...)
		if got := groups(); got != strings.Join(roles, ",") {
			t.Errorf("the application is told of %q, and the roles are %q", got, roles)
		}
		gate := http.StatusForbidden
		if slices.Contains(roles, "staff") {
			gate = http.StatusOK
		}
		b.do("GET", "/check/staff", "").is(gate)
	}
	b.do("GET", "/v1/admin/accounts", "").refuses(http.StatusForbidden)
	admin.setRoles(id, "admin")
	b.do("GET", "/v1/admin/accounts", "").is(http.StatusOK)
	admin.setRoles(id)
	b.do("GET", "/v1/admin/accounts", "").refuses(http.StatusForbidden)
	admin.setStatus(id, "disabled")
	b.lives(false)
}

// adminOperations are those of the contract that administrators have, about the
// account with this id.
func adminOperations(t *testing.T, h *house, id string) (all []operation) {
	t.Helper()
	for _, o := range operations(t, h) {
		if strings.HasPrefix(o.path, "/v1/admin/") {
			all = append(all, operation{o.method, strings.Replace(o.path, "/x", "/"+id, 1)})
		}
	}
	if len(all) < 8 {
		t.Fatalf("%d operations of administrators", len(all))
	}
	return all
}

func TestRow122AdministratorsHaveTheRoleAndSignedInRecently(t *testing.T) {
	t.Parallel()
	c := newClockwork(t)
	admin := c.administrator(t)
	b, _ := c.member(t)
	support, _ := c.member(t)
	id := b.accountID()
	admin.setRoles(support.accountID(), "support", "administrator", "Admin", "admin.read")
	refused := func(who *browser, status int, kind string) {
		t.Helper()
		for _, o := range adminOperations(t, c.house, id) {
			a := who.do(o.method, o.path, "{}", set("X-Forwarded-For", "127.0.0.1"), set("Remote-Groups", "admin"), set("If-Match", `"1"`))
			if a.refuses(status); a.word("type") != "urn:cloakroom:problem:"+kind {
				t.Errorf("%s is refused as %s", a.asked, a.text)
			}
		}
	}
	refused(b, http.StatusForbidden, "forbidden")
	refused(support, http.StatusForbidden, "forbidden")
	refused(c.browser(t), http.StatusUnauthorized, "signed-out")
	c.ahead(16 * time.Minute)
	admin, b = admin.at(c.house), b.at(c.house)
	refused(admin, http.StatusForbidden, "not-recent")
	b.lives(true)
	admin.do("POST", "/v1/reauthenticate", object("password", goodPassword)).is(http.StatusOK)
	admin.do("GET", "/v1/admin/accounts/"+id, "").is(http.StatusOK)
}

func TestRow123AdministratorsAreShownNoSecrets(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	admin := h.administrator(t)
	b, _ := h.member(t)
	id := b.accountID()
	for _, path := range []string{"", "/" + id, "/" + id + "/sessions"} {
		text := admin.do("GET", "/v1/admin/accounts"+path, "").is(http.StatusOK).text
		for _, secret := range []string{"hash", "argon2", "epoch", tag, "ckd_", "ckl_", "password\":"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows %s: %s", path, secret, text)
			}
		}
	}
	for _, key := range []string{"id", "status", "hash", "password", "tenant_id", "aal"} {
		body := `{"name":"","roles":[],"attributes":null,"email_verified":false,"` + key + `":"x"}`
		admin.do("PUT", "/v1/admin/accounts/"+id+"/profile", body, set("If-Match", `"1"`)).refuses(http.StatusUnprocessableEntity)
		admin.do("PUT", "/v1/admin/accounts/"+id+"/status", object("status", "active", key+"_", "x")).refuses(http.StatusUnprocessableEntity)
	}
}
