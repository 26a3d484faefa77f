package web

import (
	"net/http"
	"time"

	"cloakroom/internal/account"
	"cloakroom/session"
)

// accountBody is what the account page shows.
type accountBody struct {
	Name, Email   string
	Since         time.Time
	Here          device
	Authenticated time.Time
	Ends          time.Time
	Others        int
	Activity      []happening
	Done          string // what was just done
	Alerted       time.Time
}

func (p *pages) accountPage(w http.ResponseWriter, r *http.Request, s session.Session) error {
	devices, err := p.devices(r, s)
	if err != nil {
		return err
	}
	body := accountBody{
		Name: s.Name(), Email: s.Email(), Since: account.CreatedAt(s.Subject()),
		Authenticated: s.AuthenticatedAt(), Ends: s.ExpiresAt(),
	}
	credentials, err := p.cfg.SignIn.Accounts.Credentials(r.Context(), s.Subject())
	if err != nil {
		return err
	}
	body.Alerted = credentials.AlertedAt
	for _, d := range devices {
		if d.Current {
			body.Here = d
		} else {
			body.Others++
		}
	}
	if body.Activity, _, err = p.activity(r, s, "", recentActivity); err != nil {
		return err
	}
	if body.Done, err = p.takeNotice(r, s); err != nil {
		return err
	}
	return p.forMember(w, r, http.StatusOK, "/account", "account", "Account", body)
}
