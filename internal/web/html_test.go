package web

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

var nonceAttribute = regexp.MustCompile(` nonce="[A-Z2-7]+"`)

// everyPage returns an answer of each page in each of its states, by name.
func everyPage(t *testing.T) map[string]page {
	t.Helper()
	s := newSite(t)
	visitor := s.browser(firefox)
	wrong := url.Values{"email": {"x"}, "password": {"short"}, "name": {"a\x00"}, "return_to": {"/app"}}
	pages := map[string]page{
		"sign-in":        visitor.get("/auth/sign-in"),
		"sign-in back":   visitor.get("/auth/sign-in?return_to=/app"),
		"sign-in wrong":  visitor.post("/auth/sign-in", wrong),
		"sign-up":        visitor.get("/auth/sign-up?return_to=/app"),
		"sign-up email":  visitor.post("/auth/sign-up", wrong),
		"sign-up name":   visitor.post("/auth/sign-up", url.Values{"email": {email}, "password": {secret}, "name": {"a\x00"}}),
		"sign-up secret": visitor.post("/auth/sign-up", url.Values{"email": {email}, "password": {"short"}}),
		"signed-out":     visitor.get("/auth/sign-out"),
		"404":            visitor.get("/auth/nowhere"),
		"405":            visitor.get("/auth/account/sessions/revoke-others"),
	}
	member := s.browser(firefox).signUp()
	pages["devices one"] = member.get("/auth/account/sessions")
	s.browser(iphone).signIn()
	other := s.browser("<script>").signIn()
	list := member.get("/auth/account/sessions")
	pages["devices"] = list
	pages["sign-up taken"] = visitor.post("/auth/sign-up", url.Values{"email": {email}, "password": {secret}})
	pages["account"] = member.get("/auth/account")
	pages["activity"] = member.get("/auth/account/activity")
	pages["password"] = member.get("/auth/account/password")
	pages["password wrong"] = member.act(list, "/auth/account/password", url.Values{"current_password": {"x"}, "new_password": {renewed}})
	pages["password short"] = member.act(list, "/auth/account/password", url.Values{"current_password": {secret}, "new_password": {"x"}})
	pages["already"] = member.get("/auth/sign-in")
	pages["sign-out"] = member.get("/auth/sign-out")
	pages["reauthenticate"] = member.get("/auth/reauthenticate")
	pages["reauthenticate others"] = member.get("/auth/reauthenticate?then=revoke-others")
	pages["reauthenticate all"] = member.get("/auth/reauthenticate?then=revoke-all")
	pages["reauthenticate wrong"] = member.act(list, "/auth/reauthenticate", url.Values{"password": {"x"}})
	pages["old form"] = other.post("/auth/account/sessions/revoke-others", url.Values{"form_token": {list.formToken()}})
	member.act(list, "/auth/account/sessions/revoke-others", nil)
	pages["devices done"] = member.get("/auth/account/sessions?done")
	member.act(pages["devices done"], "/auth/account/password", url.Values{"current_password": {secret}, "new_password": {renewed}})
	pages["account done"] = member.get("/auth/account?done")
	member.act(pages["account done"], "/auth/account/sessions/revoke-all", nil)
	pages["sign-in done"] = member.get("/auth/sign-in")
	member.post("/auth/sign-in", url.Values{"email": {email}, "password": {renewed}})
	maps.Copy(pages, filePages(t))
	s.stop()
	s.awaitStop()
	pages["503"] = member.get("/auth/account")
	return pages
}

// filePages are the pages of which the store is a file.
func filePages(t *testing.T) map[string]page {
	t.Helper()
	s, office, code := newFileSite(t, wide)
	visitor := s.browser(firefox)
	pages := map[string]page{
		"setup":       visitor.get("/auth/setup"),
		"setup code":  visitor.post("/auth/setup", firstAdmin("wrong")),
		"setup email": visitor.post("/auth/setup", url.Values{"code": {code.Reveal()}, "email": {"x"}, "password": {secret}}),
		"link gone":   visitor.get("/auth/link/reset"),
	}
	visitor.post("/auth/setup", firstAdmin(code.Reveal()))
	pages["setup done"] = s.browser(iphone).get("/auth/setup")
	token := reset(office, visitor)
	pages["link"] = s.browser(iphone).get("/auth/link/reset?token=" + token)
	pages["link short"] = s.browser(iphone).useLink("reset", token, "x")
	return pages
}

// awaitStop waits until nothing can be decided any more.
func (s *site) awaitStop() {
	for range 2000 {
		if s.browser(firefox).get("/auth/sign-in").Code == http.StatusServiceUnavailable {
			return
		}
	}
	s.t.Fatal("the Manager still decides")
}

// walk calls f for every element of a page.
func walk(t *testing.T, p page, f func(e *html.Node, attr map[string]string)) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(p.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
		}
		f(n, attr)
	}
}

func hidden(attr map[string]string) bool { _, ok := attr["hidden"]; return ok }

func TestPagesAreSoundHTML(t *testing.T) {
	for name, p := range everyPage(t) {
		t.Run(name, func(t *testing.T) {
			ids, labelled, refers := map[string]bool{}, map[string]bool{}, []string{}
			headings, autofocus, title := 0, 0, ""
			walk(t, p, func(e *html.Node, attr map[string]string) {
				if id := attr["id"]; id != "" {
					if ids[id] {
						t.Errorf("the id %q stands twice", id)
					}
					ids[id] = true
				}
				for _, key := range []string{"aria-describedby", "aria-labelledby", "aria-controls", "for"} {
					if v, ok := attr[key]; ok {
						refers = append(refers, strings.Fields(v)...)
					}
				}
				if _, ok := attr["autofocus"]; ok {
					autofocus++
				}
				switch e.Data {
				case "h1":
					headings++
				case "label":
					labelled[attr["for"]] = true
				case "title":
					title = e.FirstChild.Data
				case "html":
					if attr["lang"] != "en" {
						t.Error("the page does not say its language")
					}
				}
			})
			for _, id := range refers {
				if !ids[id] {
					t.Errorf("something refers to %q, which is not there", id)
				}
			}
			if headings != 1 || autofocus > 1 || !strings.HasSuffix(title, " · Cloakroom") {
				t.Errorf("%d h1, %d autofocus, title %q", headings, autofocus, title)
			}
			p.shows(`<link rel="expect" href="#end" blocking="render">`, "<div id=\"end\" hidden></div>\n</body>")
			walk(t, p, func(e *html.Node, attr map[string]string) {
				if e.Data == "input" && attr["type"] != "hidden" && attr["type"] != "checkbox" && !hidden(attr) && !labelled[attr["id"]] {
					t.Errorf("the field %q has no label", attr["name"])
				}
			})
		})
	}
}

// Nothing in a page runs or styles but by file, nothing is asked of another
// host, and no handler stands in the way of pasting or of a password manager.
func TestPagesCarryNothingInline(t *testing.T) {
	for name, p := range everyPage(t) {
		t.Run(name, func(t *testing.T) {
			walk(t, p, func(e *html.Node, attr map[string]string) {
				for key, value := range attr {
					if strings.HasPrefix(key, "on") || key == "style" {
						t.Errorf("<%s %s>", e.Data, key)
					}
					outside := key == "href" || key == "src" || key == "action"
					if outside && !strings.HasPrefix(value, "/") && !strings.HasPrefix(value, "#") {
						t.Errorf("<%s %s=%q> leaves the host", e.Data, key, value)
					}
				}
				if (e.Data == "script" || e.Data == "style") && e.FirstChild != nil {
					t.Errorf("an inline <%s>", e.Data)
				}
			})
		})
	}
}

func TestPasswordFieldsServeTheirManagers(t *testing.T) {
	pages := everyPage(t)
	for name, want := range map[string]map[string]string{
		"sign-in": {"password": "current-password"}, "sign-up": {"password": "new-password"},
		"reauthenticate": {"password": "current-password"},
		"setup":          {"password": "new-password"}, "link": {"new_password": "new-password"},
		"password": {"current_password": "current-password", "new_password": "new-password"},
	} {
		fields := map[string]map[string]string{}
		walk(t, pages[name], func(e *html.Node, attr map[string]string) {
			if e.Data == "input" {
				fields[attr["name"]] = attr
			}
		})
		for field, autocomplete := range want {
			secret := fields[field]
			if secret["type"] != "password" || secret["autocomplete"] != autocomplete || secret["value"] != "" {
				t.Errorf("%s: %s is %v", name, field, secret)
			}
			if _, limited := secret["maxlength"]; limited {
				t.Errorf("%s: a pasted password would be cut without a word", name)
			}
			pages[name].shows(`data-reveal="` + field + `"`)
		}
		if user := fields["email"]; user["type"] != "email" || user["autocomplete"] != "username" {
			t.Errorf("%s: email is %v", name, user)
		}
		pages[name].shows(` password" hidden>Show</button>`)
	}
}

func TestEveryFormOfAMemberCarriesTheToken(t *testing.T) {
	pages := everyPage(t)
	for _, name := range []string{"account", "activity", "password", "devices", "devices one", "already", "sign-out", "reauthenticate"} {
		forms, tokens, signOut := 0, 0, false
		walk(t, pages[name], func(e *html.Node, attr map[string]string) {
			switch {
			case e.Data == "form":
				forms++
				signOut = signOut || attr["action"] == "/auth/sign-out"
				if attr["method"] != "post" {
					t.Errorf("%s: a form that is not a POST", name)
				}
			case attr["name"] == "form_token" && attr["value"] != "":
				tokens++
			}
		})
		if forms == 0 || forms != tokens {
			t.Errorf("%s: %d forms and %d tokens", name, forms, tokens)
		}
		if !signOut && name != "reauthenticate" {
			t.Errorf("%s: no way to sign out", name)
		}
	}
}
