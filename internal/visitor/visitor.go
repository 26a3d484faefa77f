// Package visitor reads from a request who asks: the client's address, what it
// says it is, and the device that it is known as. It knows HTTP and decides
// nothing.
package visitor

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"cloakroom/internal/signin"
	"cloakroom/internal/throttle"
	"cloakroom/session"
)

// deviceCookie is worth nothing but a place in the throttle: whoever has it is
// counted apart from strangers when the account's password is guessed.
const deviceCookie = "__Host-device"

// deviceLife is as long as browsers keep a cookie.
const deviceLife = 400 * 24 * time.Hour

// Of returns who sends the request. What cannot be told is left empty.
func Of(r *http.Request) signin.Client {
	c := signin.Client{UserAgent: r.UserAgent()}
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		c.Address = from.Addr().Unmap().WithZone("")
	}
	if cookies := r.CookiesNamed(deviceCookie); len(cookies) == 1 && !cookies[0].Quoted {
		c.Device, _ = throttle.ParseDevice(cookies[0].Value)
	}
	return c
}

// RenewPath is where a session is renewed, under the base path: browsers send the
// refresh token nowhere else.
const RenewPath = "/v1/session/renew"

// SignIn carries an outcome out: the session cookie is set, and with it the
// device that the browser is known as from now on.
func SignIn(w http.ResponseWriter, r *http.Request, m *session.Manager, o signin.Outcome) (session.Session, error) {
	o.Grant.Renewable = true
	s, err := m.SignIn(w, r, o.Attempt, o.Grant)
	if err == nil && o.Device != (throttle.Device{}) {
		Remember(w, o.Device)
	}
	return s, err
}

// Issue carries out what was decided about a client without cookies, which gets the
// token itself.
func Issue(ctx context.Context, m *session.Manager, o signin.Outcome) (session.Token, session.Session, error) {
	o.Grant.Bearer, o.Grant.Renewable = true, true
	return m.Issue(ctx, o.Attempt, o.Grant)
}

// GoOn is SignIn for an outcome by which the request's own session goes on: if its
// token stands in the Authorization header, the new one is returned.
func GoOn(w http.ResponseWriter, r *http.Request, m *session.Manager, o signin.Outcome) (session.Token, session.Session, error) {
	if m.IsBearer(r) {
		o.Grant.Client = Of(r).Described("")
		return Issue(r.Context(), m, o)
	}
	s, err := SignIn(w, r, m, o)
	return session.Token{}, s, err
}

// Remember has the browser keep the device that it is known as from now on.
func Remember(w http.ResponseWriter, d throttle.Device) {
	http.SetCookie(w, &http.Cookie{
		Name: deviceCookie, Value: d.Reveal(), Path: "/", MaxAge: int(deviceLife / time.Second),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}
