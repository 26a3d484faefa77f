package server

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestASecondDeviceIsRevokedFromTheFirstAndRefusedAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	laptop := s.browser().signUp("ada@example.com")
	phone := s.browser().signIn("ada@example.com")
	id := phone.sessionID()
	list := laptop.do("GET", "/v1/sessions", "").is(http.StatusOK).at("sessions").([]any)
	if len(list) != 2 {
		t.Fatalf("%d sessions in the list", len(list))
	}
	laptop.do("DELETE", "/v1/sessions/"+id, "").is(http.StatusNoContent).setsNoCookie()
	phone.do("GET", "/v1/session", "").problem(http.StatusUnauthorized, "signed-out")
	phone.do("GET", "/check", "").problem(http.StatusUnauthorized, "signed-out")
	laptop.do("GET", "/v1/session", "").is(http.StatusOK)
	laptop.do("DELETE", "/v1/sessions/"+id, "").is(http.StatusNoContent) // once more is no error
}

func TestTheListSaysWhichIsWhich(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	laptop := s.browser().signUp("ada@example.com")
	s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword), set("User-Agent",
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")).is(http.StatusOK)
	a := laptop.do("GET", "/v1/sessions", "").is(http.StatusOK)
	var current, firefox int
	for _, v := range a.at("sessions").([]any) {
		one := v.(map[string]any)
		if one["current"] == true && one["id"] == laptop.sessionID() {
			current++
		}
		if client := one["client"].(map[string]any); client["browser"] == "Firefox" && client["os"] == "Linux" && client["address"] == "127.0.0.1" {
			firefox++
		}
	}
	if current != 1 || firefox != 1 || a.at("next") != nil {
		t.Error(a.text)
	}
	if strings.Contains(a.text, "cks_") {
		t.Error("the list holds a token")
	}
}

func TestALongListComesInPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser().signUp("ada@example.com")
	for range 60 {
		s.browser().signIn("ada@example.com")
	}
	first := b.do("GET", "/v1/sessions", "").is(http.StatusOK)
	next, ok := first.at("next").(string)
	if !ok {
		t.Fatal("no second page")
	}
	second := b.do("GET", "/v1/sessions?after="+next, "").is(http.StatusOK)
	ids := func(a answer) (ids []string) {
		for _, v := range a.at("sessions").([]any) {
			ids = append(ids, v.(map[string]any)["id"].(string))
		}
		return ids
	}
	all := append(ids(first), ids(second)...)
	slices.Sort(all)
	if len(slices.Compact(all)) != 61 || second.at("next") != nil {
		t.Errorf("%d sessions in all, next %v", len(all), second.at("next"))
	}
	b.do("GET", "/v1/sessions?after=nonsense", "").problem(http.StatusBadRequest, "malformed")

	root, of := s.admin("root@example.com"), "/v1/admin/accounts/"+b.accountID()+"/sessions"
	read := root.do("GET", of, "").is(http.StatusOK)
	next, _ = read.at("next").(string)
	if rest := root.do("GET", of+"?after="+next, "").is(http.StatusOK); !slices.Equal(ids(read), ids(first)) || !slices.Equal(ids(rest), ids(second)) {
		t.Errorf("an administrator reads\n%s\n%s", read.text, rest.text)
	}
	root.do("GET", of+"?after=nonsense", "").problem(http.StatusBadRequest, "malformed")
}

func TestOtherPeoplesSessionsAreNotFound(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.browser().signUp("ada@example.com")
	eve := s.browser().signUp("eve@example.com")
	for _, id := range []string{ada.sessionID(), strings.Repeat("a", 26), "x", "..", "%2e%2e", "a%2Fb", strings.ToUpper(ada.sessionID()), ada.cookie} {
		eve.do("DELETE", "/v1/sessions/"+id, "").problem(http.StatusNotFound, "not-found")
	}
	ada.do("GET", "/v1/session", "").is(http.StatusOK)
}

func TestAllOthersAndAllAreRevoked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := s.browser().signUp("ada@example.com")
	two, three := s.browser().signIn("ada@example.com"), s.browser().signIn("ada@example.com")
	bystander := s.browser().signUp("eve@example.com")
	old := one.cookie
	one.do("DELETE", "/v1/sessions", "").is(http.StatusNoContent).setsNoCookie()
	two.do("GET", "/v1/session", "").is(http.StatusUnauthorized)
	three.do("GET", "/check", "").is(http.StatusUnauthorized)
	one.do("GET", "/v1/session", "").is(http.StatusOK)

	two.signIn("ada@example.com")
	one.do("DELETE", "/v1/sessions?all=true", "").is(http.StatusNoContent)
	if one.cookie != "" {
		t.Error("the cookie was not cleared")
	}
	two.do("GET", "/v1/session", "").is(http.StatusUnauthorized)
	s.with(old).do("GET", "/v1/session", "").is(http.StatusUnauthorized)
	bystander.do("GET", "/v1/session", "").is(http.StatusOK)
}

func TestAStrictRevocationTellsItsPosition(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := s.browser().signUp("ada@example.com")
	two := s.browser().signIn("ada@example.com")
	first := one.do("DELETE", "/v1/sessions/"+two.sessionID()+"?strict=true", "").is(http.StatusOK).at("position")
	two.do("GET", "/v1/session", "").is(http.StatusUnauthorized)
	two.signIn("ada@example.com")
	second := one.do("DELETE", "/v1/sessions?strict=true", "").is(http.StatusOK).at("position")
	two.do("GET", "/v1/session", "").is(http.StatusUnauthorized)
	if first == "" || first == second {
		t.Errorf("positions %v and %v", first, second)
	}
	one.do("DELETE", "/v1/sessions?strict=false", "").is(http.StatusNoContent)
}

func TestAMisspeltParameterRevokesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := s.browser().signUp("ada@example.com")
	two := s.browser().signIn("ada@example.com")
	for _, query := range []string{"strct=true", "strict=1", "strict=", "all=yes", "all=true&all=true", "all=%zz", "all=true;strict=true"} {
		one.do("DELETE", "/v1/sessions?"+query, "").problem(http.StatusBadRequest, "malformed")
		one.do("DELETE", "/v1/sessions/"+two.sessionID()+"?"+query, "").problem(http.StatusBadRequest, "malformed")
	}
	two.do("GET", "/v1/session", "").is(http.StatusOK)
}

func TestTheCurrentSessionIsEndedLikeBySigningOut(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser().signUp("ada@example.com")
	old := b.cookie
	b.do("DELETE", "/v1/sessions/"+b.sessionID(), "").is(http.StatusNoContent)
	if b.cookie != "" {
		t.Error("the cookie was not cleared")
	}
	s.with(old).do("GET", "/v1/session", "").is(http.StatusUnauthorized)
}

func TestOtherSessionsAreRevokedOnlyShortlyAfterASignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) { o.ReauthenticateAfter = time.Nanosecond })
	one := s.browser().signUp("ada@example.com")
	two := s.browser().signIn("ada@example.com")
	one.do("DELETE", "/v1/sessions/"+two.sessionID(), "").problem(http.StatusForbidden, "not-recent")
	one.do("DELETE", "/v1/sessions/nobody", "").problem(http.StatusForbidden, "not-recent")
	one.do("DELETE", "/v1/sessions", "").problem(http.StatusForbidden, "not-recent")
	one.do("DELETE", "/v1/sessions?all=true", "").problem(http.StatusForbidden, "not-recent")
	two.do("GET", "/v1/session", "").is(http.StatusOK)
	one.do("DELETE", "/v1/sessions/"+one.sessionID(), "").is(http.StatusNoContent)
}

func TestReauthenticationContinuesTheSessionUnderANewToken(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser().signUp("ada@example.com")
	id, old := b.sessionID(), b.cookie
	other := s.browser().signIn("ada@example.com")
	b.do("POST", "/v1/reauthenticate", `{"password":"`+wrongAnswer+`"}`).problem(http.StatusForbidden, "wrong-password")
	a := b.do("POST", "/v1/reauthenticate", `{"password":"`+goodPassword+`"}`).is(http.StatusOK)
	if b.cookie == old || a.at("session.id") != id {
		t.Errorf("the same token, or the session %v instead of %v", a.at("session.id"), id)
	}
	s.with(old).do("GET", "/v1/session", "").problem(http.StatusUnauthorized, "signed-out")
	s.with(old).do("GET", "/check", "").problem(http.StatusUnauthorized, "signed-out")
	s.with(old).do("POST", "/v1/reauthenticate", `{"password":"`+goodPassword+`"}`).problem(http.StatusUnauthorized, "signed-out")
	other.do("GET", "/v1/session", "").is(http.StatusOK)
	if n := len(b.do("GET", "/v1/sessions", "").at("sessions").([]any)); n != 2 {
		t.Errorf("%d sessions", n)
	}
}

func TestAPlantedCookieIsDeadAfterTheSignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.browser().signUp("ada@example.com")
	eve := s.browser().signUp("eve@example.com")
	planted := eve.cookie
	victim := s.with(planted).signIn("ada@example.com")
	if victim.cookie == planted {
		t.Fatal("the planted token was kept")
	}
	s.with(planted).do("GET", "/v1/session", "").problem(http.StatusUnauthorized, "signed-out")
	invented := "cks_" + strings.Repeat("A", 49)
	if b := s.with(invented).signIn("ada@example.com"); b.cookie == invented {
		t.Fatal("an invented token was adopted")
	}
	s.with(invented).do("GET", "/v1/session", "").problem(http.StatusUnauthorized, "signed-out")
}

func TestSignOutEndsTheSessionWhetherItLivesOrNot(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser().signUp("ada@example.com")
	old := b.cookie
	for range 2 {
		a := s.with(old).do("POST", "/v1/sign-out", "").is(http.StatusNoContent)
		if got := a.header.Get("Set-Cookie"); got != "__Host-session=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax" {
			t.Errorf("Set-Cookie: %s", got)
		}
		if got := a.header.Get("Clear-Site-Data"); got != `"cache", "storage"` {
			t.Errorf("Clear-Site-Data: %s", got)
		}
		s.with(old).do("GET", "/v1/session", "").problem(http.StatusUnauthorized, "signed-out")
	}
	s.browser().do("POST", "/v1/sign-out", "").is(http.StatusNoContent)
	for _, path := range []string{"/v1/sessions", "/check"} {
		s.with(old).do("GET", path, "").problem(http.StatusUnauthorized, "signed-out")
	}
}

func TestSessionsOutliveARestart(t *testing.T) {
	t.Parallel()
	var options Options
	first := newSite(t, func(o *Options) { options = *o })
	kept := first.browser().signUp("ada@example.com")
	revoked := first.browser().signIn("ada@example.com")
	kept.do("DELETE", "/v1/sessions/"+revoked.sessionID(), "").is(http.StatusNoContent)
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	second := newSite(t, func(o *Options) { o.Config.Database = options.Config.Database })
	second.with(kept.cookie).do("GET", "/v1/session", "").is(http.StatusOK)
	second.with(revoked.cookie).do("GET", "/v1/session", "").is(http.StatusUnauthorized)
}
