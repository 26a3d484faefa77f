package api

import (
	"net/http"

	"cloakroom/internal/authority"
	"cloakroom/session"
)

// showOwnAccount answers one's own account, as the session shows it.
func (a *API) showOwnAccount(w http.ResponseWriter, _ *http.Request, current session.Session) error {
	return answer(w, http.StatusOK, identityOf(current).Account)
}

type ownAccountRequest struct {
	Name string `json:"name"`
}

// changeOwnAccount changes what a person may change of their own account without
// proving again who they are: the name. If an administrator changes the profile
// at the same time, the person is asked to look again.
func (a *API) changeOwnAccount(w http.ResponseWriter, r *http.Request, current session.Session) error {
	body, err := decode[ownAccountRequest](r)
	if err != nil {
		return err
	}
	_, info, err := a.authority.Find(r.Context(), current.Subject())
	if err != nil {
		return err
	}
	if name := authority.PlainName(body.Name); name != info.Profile.Name {
		if err := a.rename(r, current, info, name); err != nil {
			return err
		}
	}
	now, err := a.sessions.PeekRequest(r, session.Cached)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, identityOf(now).Account)
}

// rename is counted: each is an entry of the record, and costs no password.
func (a *API) rename(r *http.Request, current session.Session, info session.SubjectInfo, name string) error {
	if err := a.authority.Throttle.Act(r.Context(), current.Subject()); err != nil {
		return err
	}
	profile := info.Profile
	profile.Name = name
	_, err := a.authority.SetProfile(r.Context(), by(r, current), current.Subject(), profile, info.Version)
	return err
}
