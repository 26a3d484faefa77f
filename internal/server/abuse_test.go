package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"cloakroom/internal/factor/password"
)

// TestOnesOwnPasswordHoldsNobodyUp is the attack: a member sends her own password
// on forty connections, from a device that is known. It is right, so that the
// throttle gives each back; and the pool is full of those who go first.
func TestOnesOwnPasswordHoldsNobodyUp(t *testing.T) {
	const queue, connections = 4, 40
	s := newSite(t, func(o *Options) { o.Passwords.Slots, o.Passwords.Queue, o.Passwords.Wait = 1, queue, time.Minute })
	eve, ada := s.browser().signUp("eve@example.com"), s.browser().signUp("ada@example.com")
	turn, err := s.signin.Passwords.Turn(t.Context(), password.Place{Rank: password.First})
	if err != nil {
		t.Fatal(err)
	}
	flood := make(chan answer, connections)
	for range connections {
		b := s.browser()
		b.device = eve.device
		go func() { flood <- b.do("POST", "/v1/sign-in", credentials("eve@example.com", goodPassword)) }()
	}
	for range connections - queue {
		(<-flood).problem(http.StatusServiceUnavailable, "busy")
	}
	signedIn := make(chan answer, 1)
	go func() { signedIn <- ada.do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword)) }()
	select {
	case a := <-flood:
		a.problem(http.StatusServiceUnavailable, "busy") // to make room
	case a := <-signedIn:
		turn.End()
		t.Fatalf("the other member was answered %d", a.status)
	}
	turn.End()
	(<-signedIn).is(http.StatusOK)
	for range queue - 1 {
		<-flood
	}
}

// TestAGuessedAtOwnerEntersAfterALink is the attack: a stranger keeps the
// account's guesses used up. Its owner sets a new password by a link, which
// forgets all devices, and signs in on the browser that used it.
func TestAGuessedAtOwnerEntersAfterALink(t *testing.T) {
	s := newSite(t)
	root := s.admin("root@example.com")
	invited := root.do("POST", "/v1/admin/accounts", `{"email":"ada@example.com"}`).is(http.StatusCreated)
	for range 10 {
		s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", wrongAnswer))
	}
	s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword)).problem(http.StatusTooManyRequests, "throttled")
	ada := s.browser()
	address, _ := invited.at("link.url").(string)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"token": {u.Query().Get("token")}, "new_password": {goodPassword}}
	host := func(r *http.Request) { r.Host = s.URL()[len("http://"):] }
	ada.to("POST", u.Path, form.Encode(), host, set("Content-Type", "application/x-www-form-urlencoded"), set("Sec-Fetch-Site", "same-origin")).is(http.StatusSeeOther)
	if ada.device == "" {
		t.Fatal("the browser got no device")
	}
	ada.do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword)).is(http.StatusOK)
	s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword)).problem(http.StatusTooManyRequests, "throttled")
}

// TestAnInvitedAdministratorIsNotAnother is the attack, or the typing error: the
// last administrator invites somebody and leaves; nobody may ever come.
func TestAnInvitedAdministratorIsNotAnother(t *testing.T) {
	s := newSite(t)
	root := s.admin("root@example.com")
	one := "/v1/admin/accounts/" + root.accountID()
	invited := root.do("POST", "/v1/admin/accounts", `{"email":"nobody@example.con","roles":["admin"]}`).is(http.StatusCreated)
	read := root.account(root.accountID())
	root.do("DELETE", one, "").problem(http.StatusConflict, "last-administrator")
	root.do("PUT", one+"/status", `{"status":"disabled"}`).problem(http.StatusConflict, "last-administrator")
	root.do("PUT", one+"/profile", newProfile, ifMatch(read)).problem(http.StatusConflict, "last-administrator")
	address, _ := invited.at("link.url").(string)
	if err := s.useLink(address, goodPassword); err != nil {
		t.Fatal(err)
	}
	root.do("DELETE", one, "").is(http.StatusNoContent)
}

// TestAMemberCannotFloodTheRecord: each entry is kept for more than a year.
func TestAMemberCannotFloodTheRecord(t *testing.T) {
	s := newSite(t)
	root, ada := s.admin("root@example.com"), s.browser().signUp("ada@example.com")
	entries := func() int {
		list := root.do("GET", "/v1/admin/audit?event=account.profile_changed&subject="+ada.accountID(), "").at("entries").([]any)
		return len(list)
	}
	ada.do("PATCH", "/v1/account", `{"name":"Ada"}`).is(http.StatusOK)
	for _, same := range []string{"Ada", " Ada", "Ada\t"} {
		body, _ := json.Marshal(map[string]string{"name": same})
		for range 15 {
			if a := ada.do("PATCH", "/v1/account", string(body)).is(http.StatusOK); a.at("name") != "Ada" {
				t.Fatalf("%q: %s", same, a.text)
			}
		}
	}
	if n := entries(); n != 1 {
		t.Errorf("%d entries of one change", n)
	}
	refused := 0
	for i := range 60 {
		a := ada.do("PATCH", "/v1/account", fmt.Sprintf(`{"name":"Ada %d"}`, i))
		if a.status == http.StatusTooManyRequests {
			a.problem(http.StatusTooManyRequests, "throttled")
			refused++
		}
	}
	if n := entries(); n > 31 || refused < 29 {
		t.Errorf("%d entries, %d refused", n, refused)
	}
}

// TestACopiedDeviceIsWorthNothingAfterANewPassword: whoever copied the cookies
// has neither the session nor a place before strangers.
func TestACopiedDeviceIsWorthNothingAfterANewPassword(t *testing.T) {
	s := newSite(t)
	ada := s.browser().signUp("ada@example.com")
	copied := ada.device
	ada.do("POST", "/v1/account/password", change(goodPassword, nextPassword)).is(http.StatusOK)
	ada.aloneHasADevice(copied)
}

// aloneHasADevice: ada's browser has another device than the copied one, and only
// hers is let through when strangers have used up their guesses.
func (b *browser) aloneHasADevice(copied string) {
	b.site.t.Helper()
	if b.device == copied || b.device == "" {
		b.site.t.Fatal("the device is what it was")
	}
	for range 10 {
		b.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", wrongAnswer))
	}
	thief := b.browser()
	thief.device = copied
	thief.do("POST", "/v1/sign-in", credentials("ada@example.com", wrongAnswer)).problem(http.StatusTooManyRequests, "throttled")
	b.do("POST", "/v1/sign-in", credentials("ada@example.com", nextPassword)).is(http.StatusOK)
}

// TestAForgottenDeviceDoesNotComeBack with its owner: on the telephone, whose
// cookies somebody copied, the new password is typed in after it was changed on
// the laptop.
func TestAForgottenDeviceDoesNotComeBack(t *testing.T) {
	s := newSite(t)
	laptop := s.browser().signUp("ada@example.com")
	phone := s.browser().signIn("ada@example.com")
	copied := phone.device
	phone.signIn("ada@example.com")
	if phone.device != copied {
		t.Fatal("a known device is made another by a sign-in")
	}
	laptop.do("POST", "/v1/account/password", change(goodPassword, nextPassword)).is(http.StatusOK)
	phone.do("POST", "/v1/sign-in", credentials("ada@example.com", nextPassword)).is(http.StatusOK)
	phone.aloneHasADevice(copied)
}

// TestACopiedDeviceLocksNobodyOut: its thief keeps its own guesses used up, and
// the owner signs in on the same device with those of everybody else.
func TestACopiedDeviceLocksNobodyOut(t *testing.T) {
	s := newSite(t)
	owner := s.browser().signUp("ada@example.com")
	thief := s.browser()
	thief.device = owner.device
	for range 10 {
		thief.do("POST", "/v1/sign-in", credentials("ada@example.com", wrongAnswer)).problem(http.StatusUnauthorized, "bad-credentials")
	}
	owner.do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword)).is(http.StatusOK)
}

// TestPasswordsThatAreRefusedAreCounted: looking through one takes longer than
// most of what a server does.
func TestPasswordsThatAreRefusedAreCounted(t *testing.T) {
	s := newSite(t)
	common := strings.Repeat("password", 20)
	for range 60 {
		s.browser().do("POST", "/v1/sign-up", credentials("ada@example.com", common)).problem(http.StatusUnprocessableEntity, "invalid")
	}
	s.browser().do("POST", "/v1/sign-up", credentials("ada@example.com", common)).problem(http.StatusTooManyRequests, "throttled")
}
