package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"cloakroom/internal/signin"
)

func TestSignUpSignsInAndLeadsBack(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox)
	b.get("/auth/sign-up").is(200).shows("At least 15 characters", `minlength="15"`)
	b.post("/auth/sign-up", url.Values{
		"email": {"Ada@Example.com"}, "password": {secret}, "name": {" Ada "}, "return_to": {"/app"},
	}).redirects("/app")
	b.get("/auth/account").is(200).shows("<h1><bdi>Ada</bdi></h1>", "ada@example.com", "this device only")
}

func TestSignUpNamesTheFieldAndTheRule(t *testing.T) {
	s := newSite(t)
	for name, c := range map[string]struct {
		email, password, name, field, says string
	}{
		"short password":    {email, "fourteen chars", "Ada", "password", "at least 15 characters"},
		"long password":     {email, strings.Repeat("x", 1025), "Ada", "password", "at most 256 characters"},
		"untypable":         {email, "fifteen chars, \x00 or so", "Ada", "password", "cannot be typed again"},
		"common password":   {email, "Password-password-1", "Ada", "password", "nothing to do with each other"},
		"one's own address": {email, "ada+example+com!", "Bee", "password", "nothing to do with you"},
		"one's own name":    {email, "Kleiderhaken 1815", "Bea Kleiderhaken", "password", "nothing to do with you"},
		"no address":        {"ada", secret, "Ada", "email", "name@example.com"},
		"address in spaces": {"ada @example.com", secret, "Ada", "email", "name@example.com"},
		"long name":         {email, secret, strings.Repeat("a", 300), "name", "too long"},
	} {
		t.Run(name, func(t *testing.T) {
			page := s.browser(firefox).post("/auth/sign-up",
				url.Values{"email": {c.email}, "password": {c.password}, "name": {c.name}, "return_to": {"/app"}}).
				is(http.StatusUnprocessableEntity).setsNoCookie()
			page.shows(c.says, `aria-invalid="true"`, `role="alert"`, `value="`+c.email+`"`, `value="`+c.name+`"`, `value="/app"`)
			page.hides(c.password)
			marked := page.Body.String()[strings.Index(page.Body.String(), `id="`+c.field+`"`):]
			if end := strings.Index(marked, ">"); !strings.Contains(marked[:end], "aria-invalid") {
				t.Errorf("the field %q is not marked: %s", c.field, marked[:end])
			}
		})
	}
}

func TestATakenAddressLeadsToSignIn(t *testing.T) {
	s := newSite(t)
	s.browser(firefox).signUp()
	s.browser(iphone).post("/auth/sign-up", url.Values{
		"email": {strings.ToUpper(email)}, "password": {"another good password"}, "return_to": {"/app"},
	}).is(http.StatusConflict).setsNoCookie().
		shows("There is an account with this address already", `href="/auth/sign-in?return_to=%2fapp"`).
		hides("another good password")
}

// Where nobody makes an account alone, no page invites to it, and an old form
// makes none either.
func TestWhereNobodySignsUpNothingLeadsThere(t *testing.T) {
	open := newSite(t).browser(firefox)
	open.get("/auth/sign-in").is(200).shows("/auth/sign-up")
	for policy, says := range map[signin.Policy]string{
		signin.Invited: "Ask whoever runs this service to invite you",
		signin.Closed:  "No accounts are made here at present",
		"a typo":       "No accounts are made here at present",
	} {
		s := newSite(t, func(c *Config) { c.SignIn.Policy = policy })
		b := s.browser(firefox)
		b.get("/auth/sign-in").is(200).hides("/auth/sign-up")
		b.get("/auth/sign-up").is(http.StatusForbidden).shows(says, `href="/auth/sign-in"`)
		b.post("/auth/sign-up", url.Values{"email": {email}, "password": {secret}}).
			is(http.StatusForbidden).setsNoCookie().shows(says)
		b.post("/auth/sign-in", url.Values{"email": {email}, "password": {secret}}).is(http.StatusUnauthorized)
	}
}
