package web

import (
	"errors"
	"net/http"
	"time"

	"cloakroom/internal/audit"
	"cloakroom/session"
)

// happening is an entry of the audit as the account's owner sees it.
type happening struct {
	What    string
	At      time.Time // of several the last
	Since   time.Time // of several the first, otherwise zero
	From    string    // browser and system in words, or "" if that is not known
	Address string
	Refused bool // it changed nothing
}

func newHappening(e audit.Entry) happening {
	h := happening{What: e.Sentence(), At: e.Until, Address: e.Address, Refused: e.Event.Refusal()}
	if e.Until.IsZero() {
		h.At = e.At
	}
	if h.At.After(e.At) {
		h.Since = e.At
	}
	if e.UserAgent != "" {
		h.From, _ = inWords(session.Client{UserAgent: e.UserAgent})
	}
	return h
}

// recentActivity is how much of it the account page shows, and activityPage how
// much a page of all of it.
const (
	recentActivity = 10
	activityPage   = 50
)

// activity returns what happened to the account, the latest first, and the
// cursor of what came before, "" at the end.
func (p *pages) activity(r *http.Request, s session.Session, after string, limit int) ([]happening, string, error) {
	entries, next, err := audit.OwnActivity(r.Context(), p.cfg.SignIn.Audit, s.Subject(), after, limit)
	if err != nil {
		return nil, "", err
	}
	list := make([]happening, len(entries))
	for i, e := range entries {
		list[i] = newHappening(e)
	}
	return list, next, nil
}

// activityBody is what the page of all activity shows.
type activityBody struct {
	Activity []happening
	Later    bool   // this is not the first page
	Earlier  string // the cursor of the next
}

func (p *pages) activityPage(w http.ResponseWriter, r *http.Request, s session.Session) error {
	after := r.URL.Query().Get("after")
	list, next, err := p.activity(r, s, after, activityPage)
	if errors.Is(err, session.ErrInvalid) {
		return errNoPart
	}
	if err != nil {
		return err
	}
	return p.forMember(w, r, http.StatusOK, "/account/activity", "activity", "Activity",
		activityBody{list, after != "", next})
}
