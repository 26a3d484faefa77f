package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cloakroom/internal/authority"
	"cloakroom/internal/link"
	"cloakroom/internal/signin"
	"cloakroom/session"
)

// accountID is the id of who is signed in.
func (b *browser) accountID() string {
	b.t.Helper()
	id, _ := b.do("GET", "/v1/session", "").is(http.StatusOK).at("account.id").(string)
	return id
}

// asAdmin gives whoever is signed in the role of administrators.
func (b *browser) asAdmin() *browser {
	b.t.Helper()
	p := session.Profile{Name: "Root", Roles: []string{"admin"}}
	if _, err := b.authority.SetProfile(b.t.Context(), authority.Operator(), b.accountID(), p, 0); err != nil {
		b.t.Fatal(err)
	}
	return b
}

func (s *site) admin(email string) *browser { s.t.Helper(); return s.browser().signUp(email).asAdmin() }

// account reads an account as an administrator.
func (b *browser) account(id string) answer {
	b.t.Helper()
	return b.do("GET", "/v1/admin/accounts/"+id, "").is(http.StatusOK)
}

func ifMatch(a answer) edit { return set("If-Match", fmt.Sprintf("%q", a.at("account.version"))) }

// useLink sets the password by a link, as its page does.
func (s *site) useLink(address, pass string) error {
	s.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		s.t.Fatal(err)
	}
	kind, ok := link.ParseKind(strings.TrimPrefix(u.Path, basePath+"/link/"))
	token, genuine := link.ParseToken(u.Query().Get("token"))
	if !ok || !genuine || !strings.HasPrefix(address, s.URL()+basePath+"/link/") {
		s.t.Fatalf("the link %s", u.Path)
	}
	_, err = s.authority.SetPasswordByLink(s.t.Context(), signin.Client{}, token, kind, pass)
	return err
}

const newProfile = `{"name":"Ada L.","roles":["editor","staff"],"attributes":{"team":[1,null]},"email_verified":true}`

func TestAnAdministratorLooksAfterAnAccount(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	root := s.admin("root@example.com")
	invited := root.do("POST", "/v1/admin/accounts", `{"email":"Ada@Example.com","name":"Ada","roles":["editor"]}`).is(http.StatusCreated)
	id, _ := invited.at("account.id").(string)
	address, _ := invited.at("link.url").(string)
	if invited.at("account.email") != "ada@example.com" || invited.at("account.email_verified") != true || invited.at("link.kind") != "invite" {
		t.Error(invited.text)
	}
	s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword)).problem(http.StatusUnauthorized, "bad-credentials")
	if err := s.useLink(address, goodPassword); err != nil {
		t.Fatal(err)
	}
	root.do("GET", "/v1/admin/accounts/"+id+"?after=1", "").problem(http.StatusBadRequest, "malformed")
	ada := s.browser().signIn("ada@example.com")

	read := root.account(id)
	changed := root.do("PUT", "/v1/admin/accounts/"+id+"/profile", newProfile, ifMatch(read)).is(http.StatusOK)
	shown := ada.do("GET", "/v1/session", "").is(http.StatusOK)
	if shown.at("account.name") != "Ada L." || fmt.Sprint(shown.at("account.roles")) != "[editor staff]" ||
		fmt.Sprint(shown.at("account.attributes")) != "map[team:[1 <nil>]]" || shown.at("account.email") != "ada@example.com" {
		t.Error(shown.text)
	}
	if read.at("account.version") == changed.at("account.version") {
		t.Error("the version is what it was")
	}

	sessions := root.do("GET", "/v1/admin/accounts/"+id+"/sessions", "").is(http.StatusOK).at("sessions").([]any)
	if one := sessions[0].(map[string]any); len(sessions) != 1 || one["id"] != ada.sessionID() || one["current"] != false {
		t.Errorf("the sessions %v", sessions)
	}
	root.do("DELETE", "/v1/admin/accounts/"+id+"/sessions/"+ada.sessionID(), "").is(http.StatusNoContent).setsNoCookie()
	ada.do("GET", "/v1/session", "").problem(http.StatusUnauthorized, "signed-out")
	ada.signIn("ada@example.com")
	root.do("DELETE", "/v1/admin/accounts/"+id+"/sessions", "").is(http.StatusNoContent)
	ada.do("GET", "/v1/session", "").problem(http.StatusUnauthorized, "signed-out")

	ada.signIn("ada@example.com")
	if got := root.do("PUT", "/v1/admin/accounts/"+id+"/status", `{"status":"disabled"}`).is(http.StatusOK).at("account.status"); got != "disabled" {
		t.Errorf("status %v", got)
	}
	ada.do("GET", "/check", "").problem(http.StatusUnauthorized, "signed-out")
	ada.do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword)).problem(http.StatusForbidden, "disabled")
	root.do("POST", "/v1/admin/accounts/"+id+"/links", `{"kind":"reset"}`).problem(http.StatusConflict, "account-disabled")
	root.do("PUT", "/v1/admin/accounts/"+id+"/status", `{"status":"active"}`).is(http.StatusOK)
	ada.signIn("ada@example.com")

	reset := root.do("POST", "/v1/admin/accounts/"+id+"/links", `{"kind":"reset"}`).is(http.StatusCreated)
	address, _ = reset.at("url").(string)
	if err := s.useLink(address, "velvet anchor prairie tunic"); err != nil {
		t.Fatal(err)
	}
	ada.do("GET", "/v1/session", "").problem(http.StatusUnauthorized, "signed-out")
	s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword)).problem(http.StatusUnauthorized, "bad-credentials")

	root.do("DELETE", "/v1/admin/accounts/"+id, "").is(http.StatusNoContent)
	root.do("GET", "/v1/admin/accounts/"+id, "").problem(http.StatusNotFound, "not-found")
	s.wantAudit(root, id)
	if strings.Contains(s.logs.String(), "ckl_") {
		t.Error("the log holds a link's token")
	}
}

// wantAudit reads what was done to an account, the latest first.
func (s *site) wantAudit(root *browser, id string) {
	s.t.Helper()
	a := root.do("GET", "/v1/admin/audit?actor="+root.accountID()+"&subject="+id, "").is(http.StatusOK)
	var events []string
	for _, e := range a.at("entries").([]any) {
		entry := e.(map[string]any)
		events = append(events, entry["event"].(string))
		if entry["session"] != root.sessionID() || entry["address"] != "127.0.0.1" {
			s.t.Errorf("%v", entry)
		}
	}
	want := "account.deleted link.issued account.enabled account.disabled sessions.revoked_all session.revoked " +
		"account.profile_changed account.roles_changed link.issued account.created"
	if got := strings.Join(events, " "); got != want {
		s.t.Errorf("the audit tells of %s,\nwant %s", got, want)
	}
	if strings.Contains(a.text, "ckl_") || strings.Contains(a.text, goodPassword) {
		s.t.Error("the audit holds a secret")
	}
}

// adminRoutes are all routes of administrators, about an account.
func adminRoutes(id, sessionID string) []struct{ method, path, body string } {
	one := "/v1/admin/accounts/" + id
	return []struct{ method, path, body string }{
		{"GET", "/v1/admin/accounts", ""}, {"POST", "/v1/admin/accounts", `{"email":"new@example.com"}`},
		{"GET", one, ""}, {"DELETE", one, ""},
		{"PUT", one + "/profile", newProfile}, {"PUT", one + "/status", `{"status":"disabled"}`},
		{"POST", one + "/links", `{"kind":"reset"}`},
		{"GET", one + "/sessions", ""}, {"DELETE", one + "/sessions", ""}, {"DELETE", one + "/sessions/" + sessionID, ""},
		{"GET", "/v1/admin/audit", ""}, {"POST", "/v1/admin/revoke-everything", ""},
	}
}

func TestOnlyARecentAdministratorMayDoAnything(t *testing.T) {
	t.Parallel()
	var options Options
	s := newSite(t, func(o *Options) { options = *o })
	ada := s.browser().signUp("ada@example.com")
	former := s.admin("former@example.com")
	if _, err := s.authority.SetProfile(t.Context(), authority.Operator(), former.accountID(), session.Profile{Roles: []string{"administrator", "Admin"}}, 0); err != nil {
		t.Fatal(err)
	}
	for _, r := range adminRoutes(ada.accountID(), ada.sessionID()) {
		s.browser().do(r.method, r.path, r.body).problem(http.StatusUnauthorized, "signed-out")
		s.with("nonsense").do(r.method, r.path, r.body).problem(http.StatusUnauthorized, "signed-out")
		ada.do(r.method, r.path, r.body).problem(http.StatusForbidden, "forbidden")
		former.do(r.method, r.path, r.body).problem(http.StatusForbidden, "forbidden")
	}
	ada.do("GET", "/v1/session", "").is(http.StatusOK) // nothing has happened
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}

	impatient := newSite(t, func(o *Options) { o.Config.Database, o.ReauthenticateAfter = options.Config.Database, time.Nanosecond })
	root := impatient.admin("root@example.com")
	for _, r := range adminRoutes(root.accountID(), root.sessionID()) {
		root.do(r.method, r.path, r.body).problem(http.StatusForbidden, "not-recent")
	}
	root.do("GET", "/v1/session", "").is(http.StatusOK)
	if err := impatient.stop(); err != nil {
		t.Fatal(err)
	}

	// Every refusal of somebody who was signed in is in the record.
	again := newSite(t, func(o *Options) { o.Config.Database = options.Config.Database })
	list := again.with(root.cookie).do("GET", "/v1/admin/audit?event=admin.refused", "").is(http.StatusOK).at("entries").([]any)
	counts := make(map[any]int)
	for _, e := range list {
		entry := e.(map[string]any)
		counts[entry["reason"]] += int(entry["count"].(float64))
	}
	routes := len(adminRoutes("", ""))
	if counts["credentials"] < 2*routes || counts[""] != routes {
		t.Errorf("refusals by reason: %v", counts)
	}
}

// TestAnOutageIsNobodysFault: an administrator is not told to sign in, nor that
// there is no such account.
func TestAnOutageIsNobodysFault(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	root := s.admin("root@example.com")
	id, sessionID := root.accountID(), root.sessionID()
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	routes := adminRoutes(id, sessionID)
	answers := make([]answer, len(routes))
	var all sync.WaitGroup
	for i, r := range routes { // at once, as each waits a second for the store
		all.Go(func() { answers[i] = s.with(root.cookie).do(r.method, r.path, r.body, set("If-Match", `"1"`)) })
	}
	all.Wait()
	for _, a := range answers {
		a.problem(http.StatusServiceUnavailable, "unavailable")
	}
	root.do("GET", "/v1/account", "").problem(http.StatusServiceUnavailable, "unavailable")
	for _, page := range []string{"/account", "/account/sessions", "/account/activity", "/account/password", "/setup"} {
		if a := root.do("GET", page, "").is(http.StatusServiceUnavailable).setsNoCookie(); !strings.Contains(a.text, "You have not been signed out") {
			t.Errorf("%s: %s", page, a.text)
		}
	}
}

func TestARoleThatIsTakenAwayIsGoneInTheNextRequest(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	root, other := s.admin("root@example.com"), s.admin("other@example.com")
	other.do("GET", "/v1/admin/accounts", "").is(http.StatusOK)
	read := root.account(other.accountID())
	root.do("PUT", "/v1/admin/accounts/"+other.accountID()+"/profile", newProfile, ifMatch(read)).is(http.StatusOK)
	other.do("GET", "/v1/admin/accounts", "").problem(http.StatusForbidden, "forbidden")
	other.do("GET", "/v1/session", "").is(http.StatusOK)
}

func TestTheLastAdministratorCannotGo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	root := s.admin("root@example.com")
	one := "/v1/admin/accounts/" + root.accountID()
	read := root.account(root.accountID())
	root.do("DELETE", one, "").problem(http.StatusConflict, "last-administrator")
	root.do("PUT", one+"/status", `{"status":"disabled"}`).problem(http.StatusConflict, "last-administrator")
	root.do("PUT", one+"/profile", newProfile, ifMatch(read)).problem(http.StatusConflict, "last-administrator")
	root.do("GET", "/v1/admin/accounts", "").is(http.StatusOK)
	s.admin("other@example.com")
	a := root.do("PUT", one+"/status", `{"status":"disabled"}`).is(http.StatusOK)
	if root.cookie != "" || a.at("account.status") != "disabled" {
		t.Errorf("one's own account is disabled and the cookie is kept: %s", a.text)
	}
}

func TestOfTwoAdministratorsWithOneVersionOneLooksAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admins := []*browser{s.admin("root@example.com"), s.admin("other@example.com")}
	ada := s.browser().signUp("ada@example.com")
	path := "/v1/admin/accounts/" + ada.accountID() + "/profile"
	read := admins[0].account(ada.accountID())
	answers := make([]answer, len(admins))
	var wg sync.WaitGroup
	for i, b := range admins {
		wg.Go(func() {
			answers[i] = b.do("PUT", path, strings.Replace(newProfile, "Ada L.", fmt.Sprint("Name ", i), 1), ifMatch(read))
		})
	}
	wg.Wait()
	won := slices.IndexFunc(answers, func(a answer) bool { return a.status == http.StatusOK })
	if won < 0 {
		t.Fatalf("%s\n%s", answers[0].text, answers[1].text)
	}
	answers[1-won].problem(http.StatusPreconditionFailed, "precondition-failed")
	if got := ada.do("GET", "/v1/session", "").at("account.name"); got != fmt.Sprint("Name ", won) {
		t.Errorf("the name %v", got)
	}
}

func TestAChangeSaysWhichVersionItIsOf(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	root := s.admin("root@example.com")
	ada := s.browser().signUp("ada@example.com")
	path := "/v1/admin/accounts/" + ada.accountID() + "/profile"
	version, _ := root.account(ada.accountID()).at("account.version").(string)
	root.do("PUT", path, newProfile).problem(http.StatusPreconditionRequired, "precondition-required")
	for _, tag := range []string{"*", version, `W/"` + version + `"`, `"` + version + `", "1"`, `""`, `"-1"`, `"1e3"`, "", `"` + strings.Repeat("9", 1000) + `"`} {
		root.do("PUT", path, newProfile, set("If-Match", tag)).problem(http.StatusBadRequest, "malformed")
	}
	root.do("PUT", path, newProfile, set("If-Match", `"`+version+`"`, `"`+version+`"`)).problem(http.StatusBadRequest, "malformed")
	for _, tag := range []string{`"0"`, `"1"`, `"999999"`, `"9999999999999999999"`} {
		root.do("PUT", path, newProfile, set("If-Match", tag)).problem(http.StatusPreconditionFailed, "precondition-failed")
	}
	if got := ada.do("GET", "/v1/session", "").at("account.name"); got != "" {
		t.Errorf("the name %v", got)
	}
	root.do("PUT", path+"?strict=true", newProfile, set("If-Match", `"`+version+`"`)).is(http.StatusOK)
}

func TestListsOfAccountsComeInPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	root := s.admin("root@example.com")
	var want []string
	for i := range 60 {
		email := fmt.Sprintf("person%02d@example.com", i)
		root.do("POST", "/v1/admin/accounts", `{"email":"`+email+`"}`).is(http.StatusCreated)
		want = append(want, email)
	}
	emails := func(a answer) (got []string) {
		for _, v := range a.at("accounts").([]any) {
			got = append(got, v.(map[string]any)["email"].(string))
		}
		return got
	}
	first := root.do("GET", "/v1/admin/accounts?email=Person", "").is(http.StatusOK)
	next, _ := first.at("next").(string)
	second := root.do("GET", "/v1/admin/accounts?email=PERSON&status=active&after="+next, "").is(http.StatusOK)
	if got := slices.Concat(emails(first), emails(second)); !slices.Equal(got, want) || second.at("next") != nil {
		t.Errorf("%v, next %v", got, second.at("next"))
	}
	if got := emails(root.do("GET", "/v1/admin/accounts?status=disabled", "").is(http.StatusOK)); got != nil {
		t.Errorf("disabled: %v", got)
	}
	page := root.do("GET", "/v1/admin/audit?event=account.created&actor="+root.accountID(), "").is(http.StatusOK)
	after, _ := page.at("next").(string)
	rest := root.do("GET", "/v1/admin/audit?event=account.created&actor="+root.accountID()+"&after="+after, "").is(http.StatusOK)
	const all = 61 // with root's own sign-up
	if a, b := len(page.at("entries").([]any)), len(rest.at("entries").([]any)); a+b != all || rest.at("next") != nil {
		t.Errorf("%d and %d entries", a, b)
	}
	soon := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	if got := root.do("GET", "/v1/admin/audit?since="+soon, "").is(http.StatusOK).at("entries").([]any); len(got) != 0 {
		t.Errorf("of the future: %v", got)
	}
}

func TestEverythingIsRevoked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	root := s.admin("root@example.com")
	ada := s.browser().signUp("ada@example.com")
	before := root.cookie
	a := root.do("POST", "/v1/admin/revoke-everything?strict=true", "").is(http.StatusOK)
	if a.at("position") == "" || root.cookie != "" {
		t.Errorf("%s, cookie %q", a.text, root.cookie)
	}
	for _, b := range []*browser{ada, s.with(before)} {
		b.do("GET", "/check", "").problem(http.StatusUnauthorized, "signed-out")
	}
	root.signIn("root@example.com")
	root.do("POST", "/v1/admin/revoke-everything", "").is(http.StatusNoContent)
}

func TestAdministratorsHostileInputIsRefusedAndDoesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	root := s.admin("root@example.com")
	ada := s.browser().signUp("ada@example.com")
	id := ada.accountID()
	before := root.account(id).text
	match := ifMatch(root.account(id))
	for _, bad := range []string{"x", "%00", "%ff", "%2e%2e", "a%2Fb", "<b>", "%E2%80%AE", strings.Repeat("x", 5000), "'%20OR%201=1--", strings.ToUpper(id), id + "%20"} {
		for _, r := range adminRoutes(bad, "aaaaaaaaaaaaaaaaaaaaaaaaaa") {
			if strings.Contains(r.path, "/accounts/") {
				root.do(r.method, r.path, r.body, match).problem(http.StatusNotFound, "not-found")
			}
		}
		root.do("DELETE", "/v1/admin/accounts/"+id+"/sessions/"+bad, "").problem(http.StatusNotFound, "not-found")
	}
	root.do("DELETE", "/v1/admin/accounts/"+id+"/sessions/"+root.sessionID(), "").problem(http.StatusNotFound, "not-found")
	for _, query := range []string{
		"after=x", "after=%00", "after=" + strings.Repeat("A", 3000), "status=gone", "status=", "status=active&status=active", "limit=1000000", "sort=email", "Email=a",
	} {
		root.do("GET", "/v1/admin/accounts?"+query, "").problem(http.StatusBadRequest, "malformed")
	}
	for _, query := range []string{"email=%00", "email=%ff", "email=%25", "email=" + strings.Repeat("a", 5000), "email=%E2%80%AE"} {
		if got := root.do("GET", "/v1/admin/accounts?"+query, "").is(http.StatusOK).at("accounts").([]any); len(got) != 0 {
			t.Errorf("%.40s finds %v", query, got)
		}
	}
	for _, query := range []string{"event=x", "event=%00", "since=yesterday", "since=", "until=2031-05-06", "after=1", "after=9.9.9", "subject=a&subject=b", "order=asc"} {
		root.do("GET", "/v1/admin/audit?"+query, "").problem(http.StatusBadRequest, "malformed")
	}
	for _, query := range []string{"subject=%00", "actor=%ff", "subject=" + strings.Repeat("x", 5000), "since=9999-12-31T23:59:59Z", "until=0000-01-01T00:00:00Z"} {
		root.do("GET", "/v1/admin/audit?"+query, "").is(http.StatusOK)
	}
	root.refusesBodies(id, match)
	for _, r := range adminRoutes(id, ada.sessionID()) {
		if r.method != "GET" && !strings.HasSuffix(r.path, "accounts") && !strings.HasSuffix(r.path, "links") {
			root.do(r.method, r.path+"?strct=true", r.body, match).problem(http.StatusBadRequest, "malformed")
		}
	}
	if after := root.account(id).text; after != before {
		t.Errorf("%s\nbefore: %s", after, before)
	}
	ada.do("GET", "/v1/session", "").is(http.StatusOK)
}

// refusesBodies sends bodies that break a rule, and wants the key that is at
// fault to be named.
func (b *browser) refusesBodies(id string, match edit) {
	b.t.Helper()
	one := "/v1/admin/accounts/" + id
	profile := func(name, value string) string {
		body := map[string]json.RawMessage{"name": []byte(`"A"`), "roles": []byte(`[]`), "attributes": []byte(`null`), "email_verified": []byte(`false`)}
		body[name] = []byte(value)
		text, _ := json.Marshal(body)
		return string(text)
	}
	for _, c := range []struct{ method, path, body, field string }{
		{"PUT", one + "/profile", profile("name", `"a\u0000b"`), "name"},
		{"PUT", one + "/profile", profile("name", `"`+strings.Repeat("x", 300)+`"`), "name"},
		{"PUT", one + "/profile", profile("name", `null`), "name"},
		{"PUT", one + "/profile", profile("roles", `"admin"`), "roles"},
		{"PUT", one + "/profile", profile("roles", `[1]`), "roles"},
		{"PUT", one + "/profile", profile("roles", `[null]`), "roles"},
		{"PUT", one + "/profile", profile("roles", `["a,b"]`), "roles"},
		{"PUT", one + "/profile", profile("roles", `["a","a"]`), "roles"},
		{"PUT", one + "/profile", profile("roles", `null`), "roles"},
		{"PUT", one + "/profile", profile("attributes", `"`+strings.Repeat("x", 5000)+`"`), "attributes"},
		{"PUT", one + "/profile", profile("email_verified", `"true"`), "email_verified"},
		{"PUT", one + "/profile", profile("email", `"eve@example.com"`), "email"},
		{"PUT", one + "/profile", `{"name":"A"}`, ""},
		{"PUT", one + "/status", `{"status":"gone"}`, "status"},
		{"PUT", one + "/status", `{"status":1}`, "status"},
		{"PUT", one + "/status", `{}`, "status"},
		{"POST", one + "/links", `{"kind":"forever"}`, "kind"},
		{"POST", one + "/links", `{"kind":""}`, "kind"},
		{"POST", "/v1/admin/accounts", `{"email":"nonsense"}`, "email"},
		{"POST", "/v1/admin/accounts", `{"email":"a\u202e@example.com"}`, "email"},
		{"POST", "/v1/admin/accounts", `{"email":"new@example.com","roles":["<b>"]}`, "roles"},
		{"POST", "/v1/admin/accounts", `{"email":"new@example.com","name":"a\u0007"}`, "name"},
		{"POST", "/v1/admin/accounts", `{"email":"new@example.com","status":"active"}`, "status"},
	} {
		a := b.do(c.method, c.path, c.body, match).problem(http.StatusUnprocessableEntity, "invalid")
		if got := a.at("field"); c.field != "" && got != c.field {
			b.t.Errorf("%.60s: the field at fault is %v", c.body, got)
		}
	}
	b.do("PUT", one+"/profile", profile("attributes", `{"a":1,"a":2}`), match).problem(http.StatusBadRequest, "malformed")
	b.do("PUT", one+"/profile", profile("attributes", `"`+strings.Repeat("x", 100_000)+`"`), match).problem(http.StatusRequestEntityTooLarge, "too-large")
	b.do("POST", "/v1/admin/accounts", `{"email":"Ada@Example.com"}`).problem(http.StatusConflict, "taken")
}

func TestAdministratorsPathsHaveNoOtherMethods(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	root := s.admin("root@example.com")
	one := "/v1/admin/accounts/" + root.accountID()
	for path, allow := range map[string]string{
		"/v1/admin/accounts": "GET, HEAD, POST", one: "DELETE, GET, HEAD", one + "/profile": "PUT", one + "/status": "PUT", one + "/links": "POST",
		one + "/sessions": "DELETE, GET, HEAD", one + "/sessions/x": "DELETE", "/v1/admin/audit": "GET, HEAD", "/v1/admin/revoke-everything": "POST",
	} {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "FOO"} {
			if !strings.Contains(" "+allow+",", " "+method+",") {
				a := root.do(method, path, "", set("X-HTTP-Method-Override", "DELETE")).problem(http.StatusMethodNotAllowed, "method-not-allowed")
				if got := a.header.Get("Allow"); got != allow {
					t.Errorf("%s %s: Allow: %q, want %q", method, path, got, allow)
				}
			}
		}
	}
	root.do("GET", "/v1/session", "").is(http.StatusOK)
}
