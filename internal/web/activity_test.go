package web

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"cloakroom/internal/audit"
)

func TestTheAccountShowsWhatHappenedInWords(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox).signUp()
	s.browser(iphone).signIn()
	now := time.Now()
	s.audit.add(t, audit.Entry{
		Event: audit.SignInRefused, Reason: audit.Credentials, Subject: b.subject(), Address: "198.51.100.0/24",
		Count: 3, At: now.Add(-3 * time.Hour), Until: now.Add(-time.Hour - time.Minute),
	})
	s.audit.add(t, audit.Entry{
		Event: audit.AccountRolesChanged, Actor: "somebody", Subject: b.subject(), Address: "203.0.113.7", UserAgent: "curl/8.5.0",
	})
	s.audit.add(t, audit.Entry{Event: audit.SessionIssued, Actor: "eve", Subject: "eve", Address: "203.0.113.9"})
	for _, path := range []string{"/auth/account", "/auth/account/activity"} {
		b.get(path).is(200).shows("Account created", "Signed in", "Safari on iPhone", "192.0.2.1",
			"3 sign-ins were refused: wrong password", "3 hours ago</time>, last ", "1 hour ago</time> · 198.51.100.0/24",
			"An administrator changed your roles").
			hides("203.0.113", "curl", "Unknown browser")
	}
}

var whatHappened = regexp.MustCompile(`<p>(\d+) sign-ins were refused`)

func TestAllActivityIsOnExactlyOnePage(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox).signUp()
	const total = 2*activityPage + 20
	for i := range total {
		s.audit.add(t, audit.Entry{Event: audit.SignInRefused, Subject: b.subject(), Count: 1000 + i})
	}
	if got := len(whatHappened.FindAllString(b.get("/auth/account").Body.String(), -1)); got != recentActivity {
		t.Errorf("the account page shows %d entries", got)
	}
	earlier := regexp.MustCompile(`href="(/auth/account/activity\?after=[^"]+)">Earlier`)
	want, address, pages := 1000+total-1, "/auth/account/activity", 0
	for address != "" {
		page := b.get(address).is(200)
		for _, found := range whatHappened.FindAllStringSubmatch(page.Body.String(), -1) {
			if found[1] != fmt.Sprint(want) {
				t.Fatalf("page %d shows %s where %d is next", pages, found[1], want)
			}
			want--
		}
		if pages++; pages > 1 {
			page.shows(`href="/auth/account/activity">Latest`)
		}
		address = ""
		if next := earlier.FindStringSubmatch(page.Body.String()); next != nil {
			address = next[1]
		}
	}
	if want != 999 || pages != 3 {
		t.Errorf("%d pages, and %d would be next", pages, want)
	}
}

func TestHostileCursorsAreNoPart(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox).signUp()
	for _, after := range append(hostileText, "x", "1.5x", strings.Repeat("9", 1000)) {
		b.get("/auth/account/activity?after="+url.QueryEscape(after)).is(http.StatusNotFound).
			shows("There is no such part of the list", `href="/auth/account/activity"`)
	}
}

// What a client says it is, and from where, is shown as text and as nothing else.
func TestHostileClientsAreShownAsText(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox).signUp()
	for _, text := range hostileText {
		s.audit.add(t, audit.Entry{
			Event: audit.SessionIssued, Subject: b.subject(), UserAgent: text, Address: text, Detail: map[string]string{text: text},
		})
	}
	b.get("/auth/account/activity").is(200).hides("<script>alert", "<svg onload", "' onfocus='", "\u202e", "\x00")
}
