package web

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"cloakroom/session"
)

// device is a session as its owner sees it.
type device struct {
	ID       string
	Name     string // "Firefox on Windows"
	Kind     string // "computer", "phone", "tablet" or "program"
	Address  string // that it signed in from
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

// devicesShown is how many devices stand on one page of the list.
const devicesShown = 40

// part returns page n of the list and whether there are more. What is no page of
// it is the first.
func part(list []device, asked string) (shown []device, n int, more bool) {
	n, err := strconv.Atoi(asked)
	if err != nil || n < 1 || n > (len(list)+devicesShown-1)/devicesShown {
		n = 1
	}
	from, to := (n-1)*devicesShown, n*devicesShown
	return list[from:min(to, len(list))], n, to < len(list)
}

// devicesBody is what the device list shows.
type devicesBody struct {
	Devices   []device
	Previous  int    // the page of the list before this one, or 0
	Next      int    // and after it, or 0
	Others    int    // on all pages
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
	body := devicesBody{Done: done, FormToken: p.cfg.Sessions.FormToken(r)}
	n, more := 0, false
	body.Devices, n, more = part(devices, r.URL.Query().Get("page"))
	body.Previous = n - 1
	if more {
		body.Next = n + 1
	}
	for _, d := range devices {
		if !d.Current {
			body.Others++
		}
	}
	return p.forMember(w, r, http.StatusOK, "/account/sessions", "devices", "Devices", body)
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
