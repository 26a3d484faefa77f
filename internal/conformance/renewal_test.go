package conformance

import (
	"bytes"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRow029ASessionIsRenewedWithAnOverlapAndAThiefIsFound(t *testing.T) {
	t.Parallel()
	c := newClockwork(t)
	b, email := c.member(t)
	id, before := b.sessionID(), *b
	c.ahead(day + time.Minute) // which is how long a token lives
	for _, path := range []string{"/check", "/v1/session", "/v1/sessions"} {
		before.house = c.house
		before.do("GET", path, "").is(http.StatusUnauthorized)
	}
	owner, thief := before, before
	if a := owner.renew().is(http.StatusOK); a.word("session.id") != id || owner.cookie == before.cookie {
		t.Errorf("renewed: %s", a.text)
	}
	again := before // an answer that was lost
	if again.renew().is(http.StatusOK); again.cookie != owner.cookie || again.refresh != owner.refresh {
		t.Error("one renewal has two answers")
	}
	owner.lives(true)
	if again := before; again.renew().status != http.StatusOK || again.cookie != owner.cookie {
		t.Error("within the overlap it is answered in another way")
	}
	c.ahead(day + 2*time.Minute)
	thief.house, owner.house = c.house, c.house
	thief.renew().refuses(http.StatusUnauthorized)
	owner.lives(false)
	owner.renew().refuses(http.StatusUnauthorized)
	told := c.signIn(t, email)
	if page := told.do("GET", "/account", "").is(http.StatusOK).text; !strings.Contains(page, "Somebody used a copy of your sign-in") {
		t.Error("nobody tells the owner")
	}
}

func TestRow031ARenewalIsNoPresence(t *testing.T) {
	t.Parallel()
	c := newClockwork(t)
	b, email := c.member(t)
	phone := c.script(t, email)
	for at := day; at < idle; at += day { // every day, and no other use
		c.ahead(at)
		b.house, phone.house = c.house, c.house
		b.renew().is(http.StatusOK)
		phone.take(phone.refresh())
	}
	c.ahead(idle + time.Minute)
	b.house, phone.house = c.house, c.house
	b.renew().refuses(http.StatusUnauthorized)
	phone.refresh().refuses(http.StatusUnauthorized)
	b.lives(false)
	phone.bearer(http.StatusUnauthorized)

	fresh := c.signIn(t, email)
	c.script(t, email)
	kinds := map[any]any{}
	for _, s := range fresh.do("GET", "/v1/sessions", "").is(http.StatusOK).json("sessions").([]any) {
		one := s.(map[string]any)
		kinds[one["carrier"]] = one["client"].(map[string]any)["label"]
	}
	if len(kinds) != 2 || kinds["bearer"] != "a phone" || kinds["cookie"] != "" {
		t.Errorf("the list of devices does not tell them apart: %v", kinds)
	}
}

func TestRow113AUsedRefreshTokenThatComesBackEndsItsSession(t *testing.T) {
	t.Parallel()
	c := newClockwork(t)
	b, email := c.member(t)
	phone := c.script(t, email)
	old := *phone
	next := old
	phone.take(phone.refresh())
	if next.take(next.refresh()); next.token != phone.token || next.renewal != phone.renewal || phone.renewal == old.renewal {
		t.Error("it does not rotate, or there are two successors")
	}
	phone.bearer(http.StatusOK)
	c.ahead(time.Minute)
	phone.house, old.house = c.house, c.house
	old.refresh().refuses(http.StatusUnauthorized)
	phone.bearer(http.StatusUnauthorized)
	phone.refresh().refuses(http.StatusUnauthorized)
	b.at(c.house).lives(true) // another session of the same account
}

func TestRow034And035And114RefreshTokensDieWithTheirSession(t *testing.T) {
	t.Parallel()
	h := open(t, driven, "--cheap")
	admin := h.administrator(t)
	for name, end := range map[string]func(v victim, of *phone, web *browser){
		"revoked in the list": func(v victim, of *phone, _ *browser) {
			id := of.do("GET", "/v1/session", "", set("Authorization", "Bearer "+of.token)).word("session.id")
			v.member.do("DELETE", "/v1/sessions/"+id, "").is(http.StatusNoContent)
			v.member.do("DELETE", "/v1/sessions", "").is(http.StatusNoContent)
		},
		"all signed out": func(v victim, _ *phone, _ *browser) {
			v.member.do("DELETE", "/v1/sessions?all=true", "").is(http.StatusNoContent)
		},
		"password changed": func(v victim, _ *phone, _ *browser) { v.member.changePassword().is(http.StatusOK) },
		"disabled": func(v victim, _ *phone, _ *browser) {
			admin.setStatus(v.account, "disabled").is(http.StatusOK)
			admin.setStatus(v.account, "active").is(http.StatusOK)
		},
		"deleted": func(v victim, _ *phone, _ *browser) {
			admin.do("DELETE", "/v1/admin/accounts/"+v.account, "").is(http.StatusNoContent)
		},
		"a link for a lost password": func(v victim, _ *phone, _ *browser) {
			h.browser(t).useLink("reset", admin.issueLink(v.account, "reset"), newPassword).is(http.StatusSeeOther)
		},
		"by an administrator": func(v victim, _ *phone, _ *browser) {
			admin.do("DELETE", "/v1/admin/accounts/"+v.account+"/sessions", "").is(http.StatusNoContent)
		},
	} {
		v := newVictim(admin)
		script, web := h.script(t, v.email), h.signIn(t, v.email)
		renewed, pending := *script, *web
		renewed.take(renewed.refresh())
		pending.renew().is(http.StatusOK)
		end(v, script, web)
		for _, p := range []*phone{script, &renewed} {
			p.refresh().refuses(http.StatusUnauthorized)
			p.bearer(http.StatusUnauthorized)
		}
		for _, b := range []*browser{web, &pending} {
			if a := b.renew(); a.status != http.StatusUnauthorized {
				t.Errorf("%s: renewed all the same: %d", name, a.status)
			}
			b.lives(false)
		}
	}
}

func TestRow009And115ATokenIsUselessOutOfItsPlace(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, email := h.member(t)
	p := h.script(t, email)
	for _, token := range []string{b.cookie, b.refresh, p.renewal} {
		for _, path := range []string{"/check", "/v1/session", "/v1/sessions"} {
			h.browser(t).do("GET", path, "", set("Authorization", "Bearer "+token)).refuses(http.StatusUnauthorized)
		}
	}
	for _, token := range []string{b.refresh, p.token, p.renewal} {
		h.browser(t).with(token).lives(false)
	}
	for _, token := range []string{b.cookie, b.refresh, p.token} {
		h.browser(t).do("POST", "/v1/token/refresh", object("refresh_token", token)).refuses(http.StatusUnauthorized)
	}
	stranger, _ := h.member(t)
	for _, pair := range [][2]string{{b.cookie, p.renewal}, {b.cookie, stranger.refresh}, {stranger.cookie, b.refresh}, {p.token, p.renewal}, {"", b.refresh}} {
		h.browser(t).do("POST", "/v1/session/renew", "", set("Cookie", cookieName+"="+pair[0]+"; "+refreshName+"="+pair[1])).refuses(http.StatusUnauthorized)
	}
	both := set("Authorization", "Bearer "+p.token)
	b.do("GET", "/v1/session", "", both).refuses(http.StatusBadRequest)
	b.do("GET", "/check", "", both).refuses(http.StatusUnauthorized)
	b.renew().is(http.StatusOK)
	p.bearer(http.StatusOK)
}

func TestRow011RefreshTokensLieAsHashesAlone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b, email := h.member(t)
	p := h.script(t, email)
	var secrets []string
	for range 2 {
		secrets = append(secrets, b.cookie, b.refresh, p.token, p.renewal)
		b.renew().is(http.StatusOK)
		p.take(p.refresh())
	}
	secrets = append(secrets, b.cookie, b.refresh, p.token, p.renewal)
	all, _ := h.copied(t)
	for _, token := range secrets {
		for _, text := range []string{token, core(token), string(secretOf(t, token)), hex.EncodeToString(secretOf(t, token))} {
			if bytes.Contains(all, []byte(text)) {
				t.Errorf("a %.4s token lies in the files", token)
			}
		}
	}
	if log := h.log.String(); strings.Contains(log, core(b.refresh)) || strings.Contains(log, core(p.token)) {
		t.Error("the log holds a token")
	}
}

func TestRow099TokensAreGivenAsSessionsAre(t *testing.T) {
	t.Parallel()
	h := open(t, driven, "--cheap")
	admin := h.administrator(t)
	v := newVictim(admin)
	in := object("email", v.email, "password", goodPassword)
	admin.setStatus(v.account, "disabled").is(http.StatusOK)
	h.browser(t).do("POST", "/v1/token", in).refuses(http.StatusForbidden)
	admin.setStatus(v.account, "active").is(http.StatusOK)
	h.browser(t).do("POST", "/v1/token", object("email", v.email, "password", wrongAnswer)).refuses(http.StatusUnauthorized)
	for range guessesAtOnce {
		guessAt(h.browser(t), v.email)
	}
	h.browser(t).do("POST", "/v1/token", in).throttled()
}
