package conformance

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// unsafeActs are a member's acts, each with what it would do if it were let
// through, and those of nobody.
func unsafeActs(t *testing.T, b *browser, other string) map[string]func(who *browser, edits ...edit) answer {
	t.Helper()
	token := b.formToken("/account")
	email := newEmail()
	forms := map[string]url.Values{}
	for _, act := range acts {
		forms[act] = url.Values{"form_token": {token}, "email": {email}, "password": {goodPassword}}
	}
	all := map[string]func(*browser, ...edit) answer{}
	for act, fields := range forms {
		act = strings.Replace(act, "/x/", "/"+other+"/", 1)
		all["page "+act] = func(who *browser, edits ...edit) answer { return who.form(act, fields, edits...) }
	}
	for _, o := range operations(t, b.house) {
		if o.read() {
			continue
		}
		path, body := strings.Replace(o.path, "/x", "/"+other, 1), "{}"
		switch {
		case strings.HasSuffix(path, "/sign-in"), strings.HasSuffix(path, "/sign-up"):
			body = object("email", email, "password", goodPassword)
		case strings.HasSuffix(path, "/reauthenticate"):
			body = object("password", goodPassword)
		case strings.HasSuffix(path, "/account/password"):
			body = object("current_password", goodPassword, "new_password", newPassword)
		case o.method == http.MethodDelete:
			body = ""
		}
		all[o.method+" "+path] = func(who *browser, edits ...edit) answer { return who.do(o.method, path, body, edits...) }
	}
	return all
}

func TestRow046And047And049RequestsFromElsewhereAreRefusedAndDoNothing(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, email := h.member(t)
	other := h.signIn(t, email)
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
	all := unsafeActs(t, b, other.sessionID())
	for name, edits := range elsewhere {
		for what, act := range all {
			for _, who := range []*browser{b.with(b.cookie), h.browser(t)} {
				if a := act(who, edits...); a.status != http.StatusForbidden || a.header["Set-Cookie"] != nil {
					t.Errorf("%s from elsewhere (%s): %d, %s", what, name, a.status, a.header["Set-Cookie"])
				}
			}
		}
	}
	b.lives(true)
	other.lives(true)
	for name, edits := range map[string][]edit{
		"same-origin": {}, "none": {set("Sec-Fetch-Site", "none")}, "the other public URL": {bare, set("Origin", "http://localhost"+port)},
		"our origin": {bare, set("Origin", h.url())},
	} {
		if a := b.do("POST", "/v1/reauthenticate", object("password", goodPassword), edits...); a.status != http.StatusOK {
			t.Errorf("a request from here (%s): %d", name, a.status)
		}
	}
}

func TestRow048ACookieWithoutProofOfOriginIsRefused(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, email := h.member(t)
	other := h.signIn(t, email)
	for what, act := range unsafeActs(t, b, other.sessionID()) {
		if a := act(b.with(b.cookie), set("Sec-Fetch-Site")); a.status != http.StatusForbidden || a.header["Set-Cookie"] != nil {
			t.Errorf("%s with a cookie and neither header: %d", what, a.status)
		}
	}
	b.lives(true)
	other.lives(true)
	h.browser(t).do("POST", "/v1/sign-in", object("email", email, "password", goodPassword), set("Sec-Fetch-Site")).is(http.StatusOK)
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
		"/account/sessions/" + other.sessionID() + "/revoke": {},
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
	for _, page := range []string{"/account", "/account/sessions", "/sign-out", "/reauthenticate"} {
		if text := b.do("GET", page, "").is(http.StatusOK).text; strings.Contains(text, "?form_token=") || strings.Contains(text, "method=\"get\"") {
			t.Errorf("%s puts a token into an address", page)
		}
	}
	if strings.Contains(h.log.String(), own) {
		t.Error("the log holds the token of a form")
	}
	b.form("/account/sessions/revoke-others", url.Values{"form_token": {own}}).is(http.StatusSeeOther)
	other.lives(false)
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
	id := other.sessionID()
	overrides := []edit{set("X-HTTP-Method-Override", "DELETE"), set("X-HTTP-Method", "DELETE"), set("X-Method-Override", "DELETE")}
	for _, path := range []string{"/v1/session", "/v1/sessions", "/v1/sessions/" + id, "/v1/sign-in", "/v1/sign-out", "/account", "/sign-in", "/openapi.json"} {
		for _, method := range []string{"TRACE", "FOO", "PROPFIND", "PATCH", "PUT"} {
			a := b.do(method, path, "", overrides...).refuses(http.StatusMethodNotAllowed)
			if a.header.Get("Allow") == "" {
				t.Errorf("%s %s: no Allow", method, path)
			}
		}
		b.do("GET", path+"?_method=DELETE", "", overrides...)
	}
	b.form("/account/sessions?_method=DELETE", url.Values{"_method": {"DELETE"}}, overrides...).refuses(http.StatusMethodNotAllowed)
	b.do("POST", "/v1/sessions/"+id, `{"_method":"DELETE"}`, overrides...).refuses(http.StatusMethodNotAllowed)
	b.lives(true)
	other.lives(true)
}
