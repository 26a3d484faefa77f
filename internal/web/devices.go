package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"cloakroom/session"
)

// device is a session as its owner sees it.
type device struct {
	ID       string
	Name     string // "Firefox on Windows"
	Kind     string // "computer", "phone", "tablet" or "program"
	Address  string
	Created  time.Time
	LastSeen time.Time
	Current  bool
}

// maxPages bounds the list: 1,000 devices. Whoever has more ends them together.
const maxPages = 20

// devices returns all devices that the person is signed in on, this one first
// and the others by when they were last seen.
func (p *pages) devices(r *http.Request, s session.Session) ([]device, error) {
	var devices []device
	after := ""
	for range maxPages {
		list, next, err := p.cfg.Sessions.List(r.Context(), s.Subject(), after)
		if err != nil {
			return nil, err
		}
		for _, d := range list {
			devices = append(devices, newDevice(d, s.ID()))
		}
		if after = next; after == "" {
			break
		}
	}
	slices.SortStableFunc(devices, func(a, b device) int {
		if a.Current != b.Current {
			if a.Current {
				return -1
			}
			return 1
		}
		return b.LastSeen.Compare(a.LastSeen)
	})
	return devices, nil
}

func newDevice(d session.Details, current session.ID) device {
	name, kind := inWords(d.Client)
	return device{
		ID: d.ID.String(), Name: name, Kind: kind, Address: d.Client.Address,
		Created: d.CreatedAt, LastSeen: d.LastSeenAt, Current: d.ID == current,
	}
}

// devicesBody is what the device list shows.
type devicesBody struct {
	Devices   []device
	Others    int
	Done      string // what was just done
	FormToken string
}

func (p *pages) devicesPage(w http.ResponseWriter, r *http.Request, s session.Session) error {
	devices, err := p.devices(r, s)
	if err != nil {
		return err
	}
	done, err := p.takeNotice(r, s)
	if err != nil {
		return err
	}
	body := devicesBody{Devices: devices, Done: done, FormToken: p.cfg.Sessions.FormToken(r)}
	for _, d := range devices {
		if !d.Current {
			body.Others++
		}
	}
	return p.forMember(w, r, "/account/sessions", "devices", "Devices", body)
}

// revoke ends one session of the person's own. To end the one in use is to sign
// out, and needs no more proof than that.
func (p *pages) revoke(w http.ResponseWriter, r *http.Request, s session.Session) error {
	id, err := session.ParseID(r.PathValue("id"))
	if err != nil {
		return errNoDevice
	}
	if id == s.ID() {
		return p.signOut(w, r)
	}
	return p.endRecently(w, r, s, ending{id: id})
}

func (p *pages) revokeOthers(w http.ResponseWriter, r *http.Request, s session.Session) error {
	return p.endRecently(w, r, s, ending{others: true})
}

// endRecently carries an ending out if the person proved recently who they are,
// and otherwise asks for that first. The re-authentication page then says what
// it will do, and does it.
func (p *pages) endRecently(w http.ResponseWriter, r *http.Request, s session.Session, e ending) error {
	if s.Age() > p.cfg.Recent {
		redirect(w, p.path("/reauthenticate")+"?then="+e.String())
		return nil
	}
	return p.end(w, r, s, e)
}

// end carries an ending out and leads back to the list.
func (p *pages) end(w http.ResponseWriter, r *http.Request, s session.Session, e ending) error {
	notice := "All your other devices are signed out. Each is refused on its next request."
	change := session.RevokeOthers(s.Subject(), s.ID())
	if !e.others {
		name, err := p.deviceName(r, s, e.id)
		if err != nil {
			return err
		}
		notice = name + " is signed out. It is refused on its next request."
		change = session.Revoke(s.Subject(), e.id)
	}
	_, err := p.cfg.Sessions.Apply(r.Context(), change)
	switch {
	case errors.Is(err, session.ErrNoSession) && !e.others:
		return errNoDevice
	case errors.Is(err, session.ErrNoSession): // this session has ended meanwhile
		redirect(w, p.path("/sign-in"))
		return nil
	case err != nil:
		return err
	}
	if err := p.leaveNotice(r, s, notice); err != nil {
		return err
	}
	redirect(w, p.path("/account/sessions")+"?done")
	return nil
}

// deviceName says which device a session is, for people. One that is no longer
// listed has ended; whether it was ever theirs, the store decides.
func (p *pages) deviceName(r *http.Request, s session.Session, id session.ID) (string, error) {
	devices, err := p.devices(r, s)
	if err != nil {
		return "", err
	}
	for _, d := range devices {
		if d.ID == id.String() {
			return d.Name, nil
		}
	}
	return "The device", nil
}

// noticeKey is where the session's data keeps what the next page has to say.
const noticeKey = "web.notice"

func (p *pages) leaveNotice(r *http.Request, s session.Session, text string) error {
	if err := p.cfg.Sessions.Data(s).Put(r.Context(), noticeKey, []byte(text)); err != nil {
		return fmt.Errorf("leave a notice: %w", err)
	}
	return nil
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
