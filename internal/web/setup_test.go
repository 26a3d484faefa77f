package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cloakroom/internal/throttle"
	"cloakroom/session"
)

func firstAdmin(code string) url.Values {
	return url.Values{"code": {code}, "email": {email}, "password": {secret}, "name": {"Ada"}}
}

func TestTheCodeMakesTheFirstAdministratorAndThenNobody(t *testing.T) {
	s, _, code := newFileSite(t, wide)
	b := s.browser(firefox)
	b.get("/auth/setup").is(200).shows("first administrator", `name="code"`).setsNoCookie()
	typed := strings.ToLower(strings.ReplaceAll(code.Reveal(), "-", " "))
	b.post("/auth/setup", firstAdmin(typed)).redirects("/auth/account")
	b.get("/auth/account").is(200).shows("Ada", email, "Became administrator with the setup code")
	who, err := s.sessions.Check(t.Context(), b.cookie, session.Cached)
	if err != nil || !who.HasRole("admin") {
		t.Fatalf("no administrator: %v", err)
	}
	visitor, fields := s.browser(iphone), firstAdmin(code.Reveal())
	fields.Set("email", "eve@example.com")
	visitor.get("/auth/setup").is(http.StatusNotFound).shows("This is set up already")
	right := visitor.post("/auth/setup", fields).is(http.StatusNotFound).setsNoCookie()
	fields.Set("code", "wrong")
	wrong := visitor.post("/auth/setup", fields).is(http.StatusNotFound).setsNoCookie()
	if a, b := withoutNonce(right), withoutNonce(wrong); a != b {
		t.Errorf("afterwards the right code is told from a wrong one:\n%s\n%s", a, b)
	}
	visitor.post("/auth/sign-in", url.Values{"email": {"eve@example.com"}, "password": {secret}}).is(http.StatusUnauthorized)
}

func TestWithoutAnAuthorityThereIsNothingToSetUp(t *testing.T) {
	b := newSite(t).browser(firefox)
	for _, path := range []string{"/auth/setup", "/auth/link/reset", "/auth/link/invite"} {
		b.get(path).is(http.StatusNotFound).shows("There is no such page")
		b.post(path, firstAdmin("x")).is(http.StatusNotFound).shows("There is no such page")
	}
}

func TestWhatIsWrongWithASetupStandsBesideItsField(t *testing.T) {
	s, _, code := newFileSite(t, wide)
	b := s.browser(firefox)
	for field, c := range map[string]struct {
		value, says string
		status      int
	}{
		"code":     {"ABCD-EFGH", "not the code that the server printed", http.StatusForbidden},
		"email":    {"ada", "name@example.com", http.StatusUnprocessableEntity},
		"password": {"too short", "at least 15 characters", http.StatusUnprocessableEntity},
		"name":     {"a\x00b", "cannot be shown", http.StatusUnprocessableEntity},
	} {
		fields := firstAdmin(code.Reveal())
		fields.Set(field, c.value)
		page := b.post("/auth/setup", fields).is(c.status).setsNoCookie().wrongBeside(field).shows(c.says, "<title>Error: Set up")
		page.hides(secret, code.Reveal(), "ABCD-EFGH", "too short\"")
	}
	b.post("/auth/setup", firstAdmin(code.Reveal())).redirects("/auth/account")
}

func TestOf200UsesOfTheSetupCodeOneSucceeds(t *testing.T) {
	s, _, code := newFileSite(t, wide)
	var made atomic.Int32
	var asking sync.WaitGroup
	for i := range 200 {
		asking.Go(func() {
			fields := firstAdmin(code.Reveal())
			fields.Set("email", fmt.Sprintf("ada%d@example.com", i))
			switch page := s.browser(firefox).post("/auth/setup", fields); page.Code {
			case http.StatusSeeOther:
				made.Add(1)
			case http.StatusNotFound, http.StatusServiceUnavailable:
			default:
				t.Errorf("status %d", page.Code)
			}
		})
	}
	asking.Wait()
	if made.Load() != 1 {
		t.Errorf("%d administrators", made.Load())
	}
}

func TestWhoGuessesSetupCodesIsToldToWait(t *testing.T) {
	s, _, code := newFileSite(t, throttle.Limit{Burst: 3, Every: time.Hour})
	b := s.browser(firefox)
	for range 3 {
		b.post("/auth/setup", firstAdmin("wrong")).is(http.StatusForbidden)
	}
	page := b.post("/auth/setup", firstAdmin(code.Reveal())).is(http.StatusTooManyRequests).setsNoCookie().
		shows("came from your network", `role="alert"`)
	if page.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}
