package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

var revokeAddress = regexp.MustCompile(`action="(/auth/account/sessions/[a-z2-7]{26}/revoke)"`)

// revokeURL is the address of the button beside the device with this name.
func revokeURL(t *testing.T, list page, name string) string {
	t.Helper()
	_, from, found := strings.Cut(list.Body.String(), "<h2>"+name+"</h2>")
	address := revokeAddress.FindStringSubmatch(from)
	if !found || address == nil {
		t.Fatalf("no device %q in\n%s", name, list.Body)
	}
	return address[1]
}

func TestTheListShowsEachDeviceInWords(t *testing.T) {
	s := newSite(t)
	one := s.browser(firefox).signUp()
	one.get("/auth/account/sessions").is(200).shows("Nowhere else").hides("Sign out all others")
	s.browser(iphone).signIn()
	s.browser("curl/8.5.0").signIn()
	list := one.get("/auth/account/sessions").is(200)
	list.shows("Safari on iPhone", "curl", "Last seen <time datetime=", "just now</time>", "192.0.2.1", "Sign out all others",
		"refused on its next request", "Active now")
	body := list.Body.String()
	if strings.Count(body, "This device") != 1 || strings.Index(body, "Firefox on Linux") > strings.Index(body, "curl") {
		t.Errorf("this device does not come first, once:\n%s", body)
	}
	one.get("/auth/account").is(200).shows("this device and 2 others")
}

// Also the most devices that a person may have fit pages that are small.
func TestALongListIsInParts(t *testing.T) {
	s := newSite(t)
	one := s.browser(firefox).signUp()
	const most = 100
	for range most - 1 {
		s.browser(iphone).signIn()
	}
	seen := map[string]bool{}
	for n, want := range []int{devicesShown, devicesShown, most - 2*devicesShown} {
		page := one.get("/auth/account/sessions?page=" + strconv.Itoa(n+1)).is(200)
		if page.Body.Len() > 40<<10 {
			t.Errorf("page %d: %d bytes", n+1, page.Body.Len())
		}
		if got := strings.Count(page.Body.String(), `<li class="device`); got != want {
			t.Errorf("page %d shows %d devices, want %d", n+1, got, want)
		}
		if first := strings.Contains(page.Body.String(), "This device"); first != (n == 0) {
			t.Errorf("page %d shows this device: %v", n+1, first)
		}
		for _, found := range revokeAddress.FindAllString(page.Body.String(), -1) {
			seen[found] = true
		}
	}
	if len(seen) != most-1 {
		t.Errorf("%d other devices are on the pages", len(seen))
	}
	first := one.get("/auth/account/sessions").shows("?page=2").hides("More recently seen")
	one.get("/auth/account/sessions?page=3").shows("?page=2").hides("Seen longer ago")
	for _, hostile := range append(hostileText, "0", "-1", "4", "1e3", "99999999999999999999", "9223372036854775807") {
		got := one.get("/auth/account/sessions?page=" + url.QueryEscape(hostile)).is(200)
		if a, b := withoutNonce(got), withoutNonce(first); a != b {
			t.Errorf("page %.30q is not the first", hostile)
		}
	}
}

func TestTimesAreSaidAsAPersonWould(t *testing.T) {
	later := time.Now().Add(3*time.Minute + 10*time.Second)
	s := newSite(t, func(c *Config) { c.Now = func() time.Time { return later } })
	one := s.browser(firefox).signUp()
	s.browser(iphone).signIn()
	one.get("/auth/account/sessions").is(200).shows(">3 minutes ago</time>")
}

func TestARevokedDeviceIsRefusedOnItsNextRequest(t *testing.T) {
	s := newSite(t)
	one, two := s.browser(firefox).signUp(), s.browser(iphone).signIn()
	three := s.browser("curl/8.5.0").signIn()
	list := one.get("/auth/account/sessions")
	one.act(list, revokeURL(t, list, "Safari on iPhone"), nil).redirects("/auth/account/sessions?done")
	one.get("/auth/account/sessions").is(200).hides("is signed out.") // only the page after the redirect says it
	two.get("/auth/account").redirects("/auth/sign-in?return_to=%2Fauth%2Faccount")
	three.get("/auth/account").is(200)
	one.get("/auth/account/sessions?done").is(200).shows("Safari on iPhone is signed out.", `role="status"`).hides("<h2>Safari on iPhone")
	one.get("/auth/account/sessions?done").is(200).hides("is signed out.") // said once
}

func TestRevokingTwiceIsNoError(t *testing.T) {
	s := newSite(t)
	one := s.browser(firefox).signUp()
	s.browser(iphone).signIn()
	list := one.get("/auth/account/sessions")
	for range 2 {
		one.act(list, revokeURL(t, list, "Safari on iPhone"), nil).redirects("/auth/account/sessions?done")
	}
	one.get("/auth/account/sessions?done").shows("The device is signed out.")
}

func TestRevokingAllOthersLeavesThisOne(t *testing.T) {
	s := newSite(t)
	one, two := s.browser(firefox).signUp(), s.browser(iphone).signIn()
	one.act(one.get("/auth/account/sessions"), "/auth/account/sessions/revoke-others", nil).
		redirects("/auth/account/sessions?done")
	one.get("/auth/account/sessions?done").is(200).shows("All your other devices are signed out.", "Nowhere else")
	two.get("/auth/account").is(303)
}

func TestNobodyRevokesWhatIsNotTheirs(t *testing.T) {
	s := newSite(t)
	ada := s.browser(firefox).signUp()
	s.browser(iphone).signIn()
	theirs := revokeURL(t, ada.get("/auth/account/sessions"), "Safari on iPhone")
	eve := s.browser(firefox)
	eve.post("/auth/sign-up", url.Values{"email": {"eve@example.com"}, "password": {secret}}).is(303)
	list := eve.get("/auth/account/sessions")
	for _, address := range []string{
		theirs, "/auth/account/sessions/aaaaaaaaaaaaaaaaaaaaaaaaaa/revoke", "/auth/account/sessions/x/revoke",
		"/auth/account/sessions/" + strings.Repeat("a", 1000) + "/revoke", "/auth/account/sessions/%00/revoke",
	} {
		eve.act(list, address, nil).is(http.StatusNotFound).shows("no such device")
	}
	ada.get("/auth/account/sessions").is(200).shows("<h2>Safari on iPhone")
}

func TestRevokingThisDeviceIsSigningOut(t *testing.T) {
	s := newSite(t, stale) // and needs no password
	b := s.browser(firefox).signUp()
	check, err := s.sessions.Check(t.Context(), b.cookie, 0)
	if err != nil {
		t.Fatal(err)
	}
	b.act(b.get("/auth/account"), "/auth/account/sessions/"+check.ID().String()+"/revoke", nil).redirects("/auth/sign-out")
	b.get("/auth/account").is(303)
}

// A link cannot make the page say what has not happened.
func TestANoticeCannotBeForged(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox).signUp()
	for _, query := range []string{"?done", "?done=All+your+other+devices", "?done=1&notice=x"} {
		b.get("/auth/account/sessions" + query).is(200).hides(`role="status"`)
	}
}
