package web

import (
	"errors"
	"fmt"
	"net/http"

	"cloakroom/session"
)

// noticeKey is where the session's data keeps what the next page has to say.
const noticeKey = "web.notice"

// leaveNotice leaves to the page after the redirect what was done. The act
// stands also if that gets lost: it is no reason to say that it failed.
func (p *pages) leaveNotice(r *http.Request, s session.Session, text string) {
	if err := p.cfg.Sessions.Data(s).Put(r.Context(), noticeKey, []byte(text)); err != nil {
		p.cfg.Logger.WarnContext(r.Context(), "web: what was done will not be said", "error", err)
	}
}

// takeNotice returns what an act before the redirect left to be said, once. It
// is kept with the session, not in the address, so that a link cannot make the
// page say something that has not happened.
func (p *pages) takeNotice(r *http.Request, s session.Session) (string, error) {
	if !r.URL.Query().Has("done") || r.Method != http.MethodGet {
		return "", nil
	}
	text, _, err := p.cfg.Sessions.Data(s).Take(r.Context(), noticeKey)
	if err != nil && !errors.Is(err, session.ErrNoSession) {
		return "", fmt.Errorf("take a notice: %w", err)
	}
	return string(text), nil
}

// noticeCookie carries to the sign-in page what was done, where there is no
// session to keep it. It holds one of few words, is read once, and only this
// host can set it.
const noticeCookie = "__Host-notice"

// What the sign-in page may have to say.
const (
	everywhereOut = "everywhere-out"
	passwordSet   = "password-set"
)

var signInNotices = map[string]string{
	everywhereOut: "You are signed out on all your devices, this one too. Each is refused on its next request.",
	passwordSet:   "Your password is set. Sign in with it. Whatever was signed in before is signed out.",
}

func (p *pages) sayAtSignIn(w http.ResponseWriter, what string) { writeNotice(w, what, 60) }

// heardAtSignIn returns what the cookie says, and takes it back.
func (p *pages) heardAtSignIn(w http.ResponseWriter, r *http.Request) string {
	if r.Method != http.MethodGet {
		return ""
	}
	cookies := r.CookiesNamed(noticeCookie)
	if len(cookies) == 0 {
		return ""
	}
	writeNotice(w, "", -1)
	return signInNotices[cookies[0].Value]
}

func writeNotice(w http.ResponseWriter, what string, seconds int) {
	http.SetCookie(w, &http.Cookie{
		Name: noticeCookie, Value: what, Path: "/", MaxAge: seconds,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}
