package web

import "testing"

func TestSmoke(t *testing.T) {
	s := newSite(t)
	one, two := s.browser(firefox).signUp(), s.browser(iphone).signIn()
	list := one.get("/auth/account/sessions").is(200).shows("Firefox on Linux", "Safari on iPhone", "This device")
	t.Log(list.Body.String())
	one.get("/auth/account").is(200)
	one.get("/auth/sign-out").is(200)
	one.get("/auth/sign-in").is(200)
	one.get("/auth/reauthenticate?then=revoke-others").is(200)
	s.browser(firefox).get("/auth/sign-in?return_to=/x?y=1").is(200)
	s.browser(firefox).get("/auth/sign-up?return_to=/x?y=1").is(200)
	one.act(list, "/auth/account/sessions/revoke-others", nil).redirects("/auth/account/sessions?done")
	one.get("/auth/account/sessions?done").is(200).shows("All your other devices are signed out")
	two.get("/auth/account").redirects("/auth/sign-in?return_to=%2Fauth%2Faccount")
}
