// Package visitor reads from a request who asks: the client's address, what it
// says it is, and the device that it is known as. It knows HTTP and decides
// nothing.
package visitor

import (
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

// SignIn carries an outcome out: the session cookie is set, and with it the
// device that the browser is known as from now on.
func SignIn(w http.ResponseWriter, r *http.Request, m *session.Manager, o signin.Outcome) (session.Session, error) {
	s, err := m.SignIn(w, r, o.Attempt, o.Grant)
	if err == nil && o.Device != (throttle.Device{}) {
		Remember(w, o.Device)
	}
	return s, err
}

// Remember has the browser keep the device that it is known as from now on.
func Remember(w http.ResponseWriter, d throttle.Device) {
	http.SetCookie(w, &http.Cookie{
		Name: deviceCookie, Value: d.Reveal(), Path: "/", MaxAge: int(deviceLife / time.Second),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}
