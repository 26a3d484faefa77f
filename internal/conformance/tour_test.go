package conformance

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// operation is one thing that the contract says can be done.
type operation struct{ method, path string }

// operations are all of the API that the server's own contract describes, with "x"
// where a path has a part to fill in. What proxies ask takes any method and does
// nothing, and has rows of its own.
func operations(t *testing.T, h *house) (all []operation) {
	t.Helper()
	var contract struct {
		Paths map[string]map[string]any
	}
	text := h.browser(t).do("GET", "/openapi.json", "").is(http.StatusOK).text
	if err := json.Unmarshal([]byte(text), &contract); err != nil {
		t.Fatal(err)
	}
	part := regexp.MustCompile(`\{\w+\}`)
	for path, item := range contract.Paths {
		if strings.HasPrefix(path, "/check") || strings.HasPrefix(path, "/forward") {
			continue
		}
		for method := range item {
			if method = strings.ToUpper(method); slices.Contains(methods, method) {
				all = append(all, operation{method, part.ReplaceAllString(path, "x")})
			}
		}
	}
	if len(all) < 10 {
		t.Fatalf("the contract describes %d operations", len(all))
	}
	return all
}

// methods are those that a contract describes.
var methods = []string{"GET", "PUT", "POST", "DELETE", "PATCH"}

func (o operation) read() bool { return o.method == http.MethodGet }

// admins says that only administrators may.
func (o operation) admins() bool { return strings.HasPrefix(o.path, "/v1/admin/") }

// pages are the paths of all pages, and some that there are not.
var pages = []string{
	"", "/", "/sign-in", "/sign-in?return_to=%2Fshop", "/sign-up", "/sign-out", "/account", "/account/sessions",
	"/account/activity", "/account/password", "/setup", "/link/reset?token=x", "/link/invite", "/reauthenticate", "/reauthenticate?then=revoke-others", "/docs", "/account/nothing", "/nothing",
}

// acts are the paths of all pages' forms.
var acts = []string{
	"/sign-in", "/sign-up", "/sign-out", "/reauthenticate",
	"/account/sessions/x/revoke", "/account/sessions/revoke-others", "/account/sessions/revoke-all",
	"/account/password", "/setup", "/link/reset", "/link/invite",
}

// tour is what a walk through the whole product is answered: every operation and
// every page, by nobody, by a member and by an administrator, with success and
// refused; and each token that was handed out on the way. It is walked once, for
// all rows that look at every answer.
func tour(t *testing.T) (seen []answer, tokens []string) {
	t.Helper()
	walked.once.Do(func() { walked.seen, walked.tokens = walk(t) })
	if walked.seen == nil {
		t.Fatal("the walk was not finished")
	}
	seen = slices.Clone(walked.seen)
	for i := range seen {
		seen[i].t = t
	}
	return seen, walked.tokens
}

var walked struct {
	once   sync.Once
	seen   []answer
	tokens []string
}

func walk(t *testing.T) (seen []answer, tokens []string) {
	t.Helper()
	h := open(t, driven, "--cheap")
	record := func(a answer) {
		seen = append(seen, a)
		for _, c := range (&http.Response{Header: a.header}).Cookies() {
			if strings.HasPrefix(c.Value, "ck") { // and not a word of a notice
				tokens = append(tokens, c.Value)
			}
		}
	}
	nobody, b, admin := h.browser(t), h.browser(t), h.browser(t)
	nobody.record, b.record, admin.record = record, record, record
	nobody.setUp("0000-0000-0000-0000-0000", newEmail()).is(http.StatusForbidden)
	root, email := newEmail(), newEmail()
	admin.setUp(h.setupCode(t), root).is(http.StatusSeeOther)
	b.do("POST", "/v1/sign-up", object("email", email, "password", goodPassword)).is(http.StatusCreated)
	for _, who := range []*browser{nobody, b, admin} {
		tourOfRefusals(who, email)
	}
	for _, o := range operations(t, h) {
		if !o.read() && !strings.Contains(o.path, "sign-out") {
			nobody.with("").do(o.method, o.path, "{}")
		}
	}
	for _, asset := range assets(nobody) {
		nobody.to("GET", asset, "")
	}
	tourOfMember(b, email)
	tourOfSuccesses(admin)
	admin.do("POST", "/v1/sign-in", object("email", root, "password", goodPassword)).is(http.StatusOK)
	tourOfLinks(admin, nobody)
	for range guessesAtOnce {
		guessAt(nobody, email)
	}
	guessAt(nobody, email).throttled()
	nobody.form("/sign-in", url.Values{"email": {email}, "password": {wrongAnswer}}).throttled()
	return seen, tokens
}

// tourOfRefusals looks at every page and operation, and asks for what is not
// done: by other methods, and from other sites.
func tourOfRefusals(who *browser, email string) {
	for _, o := range operations(who.t, who.house) {
		if o.read() {
			who.do(o.method, o.path, "")
		}
		who.with(who.cookie).do("OPTIONS", o.path, "")
		who.with(who.cookie).do("FOO", o.path, "")
		who.with(who.cookie).do(o.method, o.path, "", set("Sec-Fetch-Site", "cross-site"))
	}
	for _, page := range pages {
		who.do("GET", page, "")
	}
	for _, act := range acts {
		who.do("GET", act, "")
		who.form(act, url.Values{"email": {email}}, set("Sec-Fetch-Site", "cross-site"))
	}
}

// tourOfSuccesses has every operation of the contract carried out, each for
// people of its own.
func tourOfSuccesses(admin *browser) {
	all := operations(admin.t, admin.house)
	last := slices.IndexFunc(all, func(o operation) bool { return strings.HasSuffix(o.path, "/revoke-everything") })
	all = append(slices.Delete(slices.Clone(all), last, last+1), all[last]) // it ends the administrator's session
	for _, o := range all {
		v := newVictim(admin)
		who := v.member
		if o.admins() {
			who = admin
		}
		if a := v.asks(o).by(who); a.status >= 300 {
			admin.t.Errorf("%s: %d %s", a.asked, a.status, a.text)
		}
	}
}

// tourOfLinks uses one link of each kind, and wrongly at first.
func tourOfLinks(admin, nobody *browser) {
	for _, kind := range []string{"reset", "invite"} {
		v := newVictim(admin)
		token := admin.issueLink(v.account, kind)
		nobody.do("GET", "/link/"+kind+"?token="+token, "").is(http.StatusOK)
		nobody.useLink(kind, token, "too short").is(http.StatusUnprocessableEntity)
		nobody.useLink(kind, token, newPassword).is(http.StatusSeeOther)
		nobody.useLink(kind, token, newPassword).is(http.StatusGone)
	}
}

// tourOfMember walks the ways in and out, by the API and by the pages.
func tourOfMember(b *browser, email string) {
	b.do("POST", "/v1/sign-up", object("email", email, "password", goodPassword)).is(http.StatusConflict)
	b.do("POST", "/v1/sign-in", object("email", email, "password", wrongAnswer)).is(http.StatusUnauthorized)
	b.do("POST", "/v1/sign-in", `{"email":"`+email+`","password":"`+goodPassword+`","remember":true}`).is(http.StatusOK)
	b.reauthenticate()
	other := b.with("")
	in := url.Values{"email": {email}, "password": {goodPassword}, "remember": {"on"}}
	other.form("/sign-in", in).is(http.StatusSeeOther)
	other.form("/reauthenticate", url.Values{"form_token": {other.formToken("/account")}, "password": {wrongAnswer}}).is(http.StatusUnauthorized)
	other.form("/reauthenticate", url.Values{"form_token": {other.formToken("/account")}, "password": {goodPassword}}).is(http.StatusSeeOther)
	b.do("DELETE", "/v1/sessions/"+other.sessionID()+"?strict=true", "").is(http.StatusOK)
	other.do("GET", "/sign-in", "").is(http.StatusOK)
	other.with("").form("/sign-up", url.Values{"email": {newEmail()}, "password": {goodPassword}}).is(http.StatusSeeOther)
	other.with("").form("/sign-up", url.Values{"email": {email}, "password": {"too short"}}).is(http.StatusUnprocessableEntity)
	leaving := b.with("")
	leaving.form("/sign-in", in).is(http.StatusSeeOther)
	leaving.form("/sign-out", url.Values{"form_token": {leaving.formToken("/account")}}).is(http.StatusSeeOther)
	everywhere := other.with("")
	everywhere.form("/sign-up", url.Values{"email": {newEmail()}, "password": {goodPassword}}).is(http.StatusSeeOther)
	change := url.Values{"form_token": {everywhere.formToken("/account")}, "current_password": {goodPassword}, "new_password": {newPassword}}
	everywhere.form("/account/password", change).is(http.StatusSeeOther)
	everywhere.form("/account/sessions/revoke-all", url.Values{"form_token": {everywhere.formToken("/account")}}).is(http.StatusSeeOther)
	b.changePassword()
	b.do("POST", "/v1/sign-out", "").is(http.StatusNoContent)
}

var linked = regexp.MustCompile(`(?:href|src)="(/auth/assets/[^"]+)"`)

// assets are what the pages ask for.
func assets(b *browser) (found []string) {
	for _, m := range linked.FindAllStringSubmatch(b.do("GET", "/sign-in", "").text, -1) {
		found = append(found, m[1])
	}
	if len(found) == 0 {
		b.t.Error("the sign-in page asks for nothing")
	}
	return found
}
