package conformance

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// unsafeAct changes something, and has all that it takes.
type unsafeAct func(who *browser, edits ...edit) answer

// unsafeActs are all forms and all operations that change something: those of the
// administrator b, about the victim, with the token of b's forms.
func unsafeActs(t *testing.T, b *browser, v victim) (all []unsafeAct) {
	t.Helper()
	token := b.formToken("/account")
	other := b.house.signIn(t, b.do("GET", "/v1/session", "").is(http.StatusOK).word("account.email")).sessionID()
	for _, act := range acts {
		fields := url.Values{
			"form_token": {token}, "email": {v.email}, "password": {goodPassword}, "current_password": {goodPassword}, "new_password": {newPassword},
		}
		path := strings.Replace(act, "/x/", "/"+other+"/", 1)
		all = append(all, func(who *browser, edits ...edit) answer { return who.form(path, fields, edits...) })
	}
	for _, o := range operations(t, b.house) {
		if !o.read() {
			all = append(all, v.asks(o).by)
		}
	}
	return all
}

// elsewhereRefused fails the test unless an answer refuses a request for where it
// comes from, as a problem or as a page, and for nothing else.
func (a answer) elsewhereRefused(name string) {
	a.t.Helper()
	said := `"type":"urn:cloakroom:problem:origin"`
	if strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		said = "The request came from somewhere else"
	}
	if a.status != http.StatusForbidden || a.header["Set-Cookie"] != nil || !strings.Contains(a.text, said) {
		a.t.Errorf("%s from elsewhere (%s): %d, %s: %.200s", a.asked, name, a.status, a.header["Set-Cookie"], a.text)
	}
}

// standing is what the house knows of everybody, and what it has recorded.
func (b *browser) standing() string {
	b.t.Helper()
	return b.do("GET", "/v1/admin/accounts", "").is(http.StatusOK).text + b.do("GET", "/v1/admin/audit", "").is(http.StatusOK).text
}

func TestRow046And047And049RequestsFromElsewhereAreRefusedAndDoNothing(t *testing.T) {
	t.Parallel()
	h := open(t, driven, "--cheap")
	admin := h.administrator(t)
	v := newVictim(admin)
	bare := set("Sec-Fetch-Site")
	port := h.addr[strings.LastIndexByte(h.addr, ':'):]
	elsewhere := map[string][]edit{
		"cross-site":                    {set("Sec-Fetch-Site", "cross-site")},
		"same-site":                     {set("Sec-Fetch-Site", "same-site")},
		"an unknown value":              {set("Sec-Fetch-Site", "bogus")},
		"an empty value":                {set("Sec-Fetch-Site", "")},
		"another origin":                {bare, set("Origin", "https://evil.example")},
		"another origin, said to be us": {set("Origin", "https://evil.example")},
		"null":                          {bare, set("Origin", "null")},
		"userinfo":                      {bare, set("Origin", "http://x@"+h.addr)},
		"another port":                  {bare, set("Origin", "http://127.0.0.1:1")},
		"no port":                       {bare, set("Origin", "http://127.0.0.1")},
		"another scheme":                {bare, set("Origin", "https://"+h.addr)},
		"our name as a prefix":          {bare, set("Origin", h.url()+".evil.example")},
		"a sibling":                     {bare, set("Origin", "http://x.localhost"+port)},
		"Host as the origin":            {bare, set("Origin", "http://evil.example"+port), func(r *http.Request) { r.Host = "evil.example" + port }},
	}
	all := unsafeActs(t, admin, v)
	before := admin.standing()
	for name, edits := range elsewhere {
		for _, act := range all {
			act(admin.with(admin.cookie), edits...).elsewhereRefused(name)
			act(h.browser(t), edits...).elsewhereRefused(name)
		}
	}
	if after := admin.standing(); after != before {
		t.Errorf("something was done: what was\n%s\nis\n%s", before, after)
	}
	admin.lives(true)
	v.member.lives(true)
	for name, edits := range map[string][]edit{
		"same-origin": {}, "none": {set("Sec-Fetch-Site", "none")}, "the other public URL": {bare, set("Origin", "http://localhost"+port)},
		"our origin": {bare, set("Origin", h.url())},
	} {
		if a := admin.do("POST", "/v1/reauthenticate", object("password", goodPassword), edits...); a.status != http.StatusOK {
			t.Errorf("a request from here (%s): %d", name, a.status)
		}
	}
}

// Each is let through from here, so that where it came from was all that was wrong
// with it.
func TestRow046WhatIsRefusedFromElsewhereIsDoneFromHere(t *testing.T) {
	t.Parallel()
	h := open(t, driven, "--cheap")
	admin := h.administrator(t)
	cross := set("Sec-Fetch-Site", "cross-site")
	for _, o := range operations(t, h) {
		if o.read() || strings.HasSuffix(o.path, "/revoke-everything") {
			continue
		}
		v := newVictim(admin)
		who := v.member
		if o.admins() {
			who = admin
		}
		v.asks(o).by(who, cross).elsewhereRefused("cross-site")
		if a := v.asks(o).by(who); a.status >= 300 {
			t.Errorf("%s is not even done from here: %d %s", a.asked, a.status, a.text)
		}
	}
	everything := func(edits ...edit) answer { return admin.do("POST", "/v1/admin/revoke-everything", "", edits...) }
	everything(cross).elsewhereRefused("cross-site")
	admin.lives(true)
	everything().is(http.StatusNoContent)
}

func TestRow048ACookieWithoutProofOfOriginIsRefused(t *testing.T) {
	t.Parallel()
	h := open(t, driven, "--cheap")
	admin := h.administrator(t)
	v := newVictim(admin)
	all := unsafeActs(t, admin, v)
	before := admin.standing()
	for _, act := range all {
		act(admin.with(admin.cookie), set("Sec-Fetch-Site")).elsewhereRefused("neither header")
	}
	if after := admin.standing(); after != before {
		t.Errorf("something was done: what was\n%s\nis\n%s", before, after)
	}
	admin.lives(true)
	v.member.lives(true)
	h.browser(t).do("POST", "/v1/sign-in", object("email", v.email, "password", goodPassword), set("Sec-Fetch-Site")).is(http.StatusOK)
}

func TestRow050FormsCarryATokenOfTheirSession(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, email := h.member(t)
	other := h.signIn(t, email)
	stranger, _ := h.member(t)
	stale := b.formToken("/account")
	b.reauthenticate()
	own := b.formToken("/account")
	if own == stale || strings.Contains(b.cookie, own) || strings.Contains(own, b.cookie[10:30]) {
		t.Error("the token of the forms is the old one, or part of the session's")
	}
	acts := map[string]url.Values{
		"/sign-out": {}, "/reauthenticate": {"password": {goodPassword}}, "/account/sessions/revoke-others": {},
		"/account/sessions/" + other.sessionID() + "/revoke": {}, "/account/sessions/revoke-all": {},
		"/account/password": {"current_password": {goodPassword}, "new_password": {newPassword}},
	}
	for _, token := range map[string]string{
		"none": "", "of before": stale, "of another session": other.formToken("/account"),
		"of somebody else": stranger.formToken("/account"), "made up": strings.Repeat("A", len(own)), "cut": own[:len(own)-1],
	} {
		for act, fields := range acts {
			fields.Set("form_token", token)
			planted := set("Cookie", "form_token="+token+"; csrf="+token+"; "+cookieName+"="+b.cookie)
			b.form(act, fields, planted).refuses(http.StatusForbidden)
		}
	}
	// A form that leaves it out, and one that says it in the address.
	b.form("/sign-out?form_token="+url.QueryEscape(own), url.Values{}).refuses(http.StatusForbidden)
	b.lives(true)
	other.lives(true)
	for _, page := range []string{"/account", "/account/sessions", "/account/password", "/sign-out", "/reauthenticate"} {
		if text := b.do("GET", page, "").is(http.StatusOK).text; strings.Contains(text, "?form_token=") || strings.Contains(text, "method=\"get\"") {
			t.Errorf("%s puts a token into an address", page)
		}
	}
	if strings.Contains(h.log.String(), own) {
		t.Error("the log holds the token of a form")
	}
	h.signIn(t, email) // the password is what it was
	b.form("/account/sessions/revoke-others", url.Values{"form_token": {own}}).is(http.StatusSeeOther)
	other.lives(false)
	b.form("/account/password", url.Values{"form_token": {own}, "current_password": {goodPassword}, "new_password": {newPassword}}).is(http.StatusSeeOther)
	b.form("/account/sessions/revoke-all", url.Values{"form_token": {own}}).refuses(http.StatusForbidden) // the change was a proof
	b.form("/account/sessions/revoke-all", url.Values{"form_token": {b.formToken("/account")}}).is(http.StatusSeeOther)
	b.lives(false)
}

func TestRow051ReadsChangeNothing(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, email := h.member(t)
	other := h.signIn(t, email)
	cookie, token := b.cookie, b.formToken("/account")
	query := "?form_token=" + url.QueryEscape(token) + "&password=" + url.QueryEscape(goodPassword) + "&email=" + email
	for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
		for _, act := range acts {
			path := strings.Replace(act, "/x/", "/"+other.sessionID()+"/", 1)
			if a := b.do(method, path+query, ""); a.status != http.StatusMethodNotAllowed && (a.status != http.StatusOK && a.status != http.StatusGone || method == "OPTIONS") {
				t.Errorf("%s %s: %d", method, path, a.status)
			}
		}
		for _, o := range operations(t, h) {
			path := strings.Replace(o.path, "/x", "/"+other.sessionID(), 1)
			if a := b.do(method, path, ""); a.status != http.StatusMethodNotAllowed && (a.status >= 300 || method == "OPTIONS") && a.status != http.StatusForbidden {
				t.Errorf("%s %s: %d", method, path, a.status)
			}
		}
	}
	if b.cookie != cookie {
		t.Error("a read handed out a cookie")
	}
	b.lives(true)
	other.lives(true)
}

func TestRow052NobodyIsSignedInByAnotherSite(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	_, email := h.member(t)
	bare := set("Sec-Fetch-Site")
	for name, edits := range map[string][]edit{
		"cross-site": {set("Sec-Fetch-Site", "cross-site")}, "same-site": {set("Sec-Fetch-Site", "same-site")},
		"another origin": {bare, set("Origin", "https://evil.example")}, "a sandboxed frame": {bare, set("Origin", "null")},
	} {
		for way, sign := range map[string]func(*browser, ...edit) answer{
			"page": func(b *browser, e ...edit) answer {
				return b.form("/sign-in", url.Values{"email": {email}, "password": {goodPassword}}, e...)
			},
			"sign-up page": func(b *browser, e ...edit) answer {
				return b.form("/sign-up", url.Values{"email": {newEmail()}, "password": {goodPassword}}, e...)
			},
			"API": func(b *browser, e ...edit) answer {
				return b.do("POST", "/v1/sign-in", object("email", email, "password", goodPassword), e...)
			},
			"sign-up": func(b *browser, e ...edit) answer {
				return b.do("POST", "/v1/sign-up", object("email", newEmail(), "password", goodPassword), e...)
			},
		} {
			if a := sign(h.browser(t), edits...); a.status != http.StatusForbidden || a.header["Set-Cookie"] != nil {
				t.Errorf("%s, %s: %d %s", name, way, a.status, a.header["Set-Cookie"])
			}
		}
	}
}

func TestRow053JSONRoutesRefuseWhatAFormCanSend(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, email := h.member(t)
	for _, kind := range []string{
		"text/plain", "text/plain; application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
		"text/json", "application/json, text/plain", "",
	} {
		edits := []edit{set("Content-Type", kind)}
		if kind == "" {
			edits = []edit{set("Content-Type")}
		}
		b.do("POST", "/v1/sign-in", object("email", email, "password", goodPassword), edits...).refuses(http.StatusUnsupportedMediaType)
		b.do("POST", "/v1/sign-up", object("email", newEmail(), "password", goodPassword), edits...).refuses(http.StatusUnsupportedMediaType)
		b.do("POST", "/v1/reauthenticate", object("password", goodPassword), edits...).refuses(http.StatusUnsupportedMediaType)
	}
	b.lives(true)
}

func TestRow062OnlyDeclaredMethodsWork(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, email := h.member(t)
	other := h.signIn(t, email)
	overrides := []edit{set("X-HTTP-Method-Override", "DELETE"), set("X-HTTP-Method", "DELETE"), set("X-Method-Override", "DELETE")}
	for path, declared := range declaredMethods(t, h) {
		path = strings.Replace(path, "/x", "/"+other.sessionID(), 1)
		for _, method := range append([]string{"TRACE", "FOO", "PROPFIND", "get"}, methods...) {
			if slices.Contains(declared, method) {
				continue
			}
			a := b.do(method, path, "", overrides...).refuses(http.StatusMethodNotAllowed)
			allow := strings.Split(a.header.Get("Allow"), ", ")
			slices.Sort(allow)
			if !slices.Equal(allow, declared) {
				t.Errorf("%s: Allow: %s, and %s are declared", a.asked, allow, declared)
			}
		}
		if slices.Contains(declared, "GET") {
			b.do("GET", path+"?_method=DELETE", "", overrides...)
		}
	}
	b.form("/account/sessions?_method=DELETE", url.Values{"_method": {"DELETE"}}, overrides...).refuses(http.StatusMethodNotAllowed)
	b.do("POST", "/v1/sessions/"+other.sessionID(), `{"_method":"DELETE"}`, overrides...).refuses(http.StatusMethodNotAllowed)
	b.lives(true)
	other.lives(true)
}

// declaredMethods are the methods of each path: of the contract, and of the pages
// and their forms. HEAD comes with GET.
func declaredMethods(t *testing.T, h *house) map[string][]string {
	t.Helper()
	declared := map[string][]string{}
	add := func(path string, more ...string) {
		for _, method := range more {
			if !slices.Contains(declared[path], method) {
				declared[path] = append(declared[path], method)
			}
		}
		slices.Sort(declared[path])
	}
	for _, o := range operations(t, h) {
		if add(o.path, o.method); o.read() {
			add(o.path, "HEAD")
		}
	}
	for _, page := range pages {
		if path, _, _ := strings.Cut(page, "?"); path != "" && path != "/" && !strings.HasSuffix(path, "/nothing") {
			add(path, "GET", "HEAD")
		}
	}
	for _, act := range acts {
		add(act, "POST")
	}
	return declared
}
