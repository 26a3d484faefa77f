package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strconv"

	"cloakroom/internal/account"
	"cloakroom/internal/problem"
	"cloakroom/session"

	"github.com/go-json-experiment/json/jsontext"
)

type profileRequest struct {
	Name          string         `json:"name"`
	Roles         []string       `json:"roles"`
	Attributes    jsontext.Value `json:"attributes"` // null for none
	EmailVerified bool           `json:"email_verified"`
}

// setProfile replaces the profile of the version that If-Match names: of two
// administrators who change it at the same time, one is told to look again.
func (a *API) setProfile(w http.ResponseWriter, r *http.Request, c caller) error {
	strict, err := onlyStrict(r)
	if err != nil {
		return err
	}
	version, err := ifMatch(r.Header)
	if err != nil {
		return err
	}
	body, err := decode[profileRequest](r)
	if err != nil {
		return err
	}
	p := session.Profile{Name: body.Name, Roles: body.Roles, EmailVerified: body.EmailVerified}
	if body.Attributes.Kind() != 'n' {
		if err := body.Attributes.Compact(); err != nil {
			return problem.Invalid("attributes", "The key \"attributes\" must be JSON.")
		}
		p.Attributes = json.RawMessage(body.Attributes)
	}
	pos, err := a.authority.SetProfile(r.Context(), c.By, r.PathValue("id"), p, version)
	if errors.Is(err, session.ErrMoved) {
		return problem.PreconditionFailed()
	}
	if err != nil {
		return err
	}
	return a.changed(w, r, pos, strict)
}

var versionTag = regexp.MustCompile(`^"[0-9]{1,19}"$`)

// ifMatch reads the version that a change is based on. "*", any version, is none:
// who says that has not looked. Neither is a weak tag, which never matches.
func ifMatch(h http.Header) (uint64, error) {
	tags := h["If-Match"]
	if len(tags) == 0 {
		return 0, problem.PreconditionRequired()
	}
	if len(tags) > 1 || !versionTag.MatchString(tags[0]) {
		return 0, problem.Malformed("If-Match", `The header If-Match must be one version of the account, in quotes: "17".`)
	}
	version, err := strconv.ParseUint(tags[0][1:len(tags[0])-1], 10, 64)
	if err != nil || version == 0 { // which no subject has
		return 0, problem.PreconditionFailed()
	}
	return version, nil
}

type statusRequest struct {
	Status string `json:"status"`
}

func (a *API) setStatus(w http.ResponseWriter, r *http.Request, c caller) error {
	strict, err := onlyStrict(r)
	if err != nil {
		return err
	}
	body, err := decode[statusRequest](r)
	if err != nil {
		return err
	}
	status, ok := account.ParseStatus(body.Status)
	if !ok {
		return problem.Invalid("status", `The key "status" must be "active" or "disabled".`)
	}
	change := a.authority.Enable
	if status == account.Disabled {
		change = a.authority.Disable
	}
	id := r.PathValue("id")
	pos, err := change(r.Context(), c.By, id)
	if err != nil {
		return err
	}
	if c.isOwn(id) {
		_ = a.sessions.SignOut(w, r) // dead by now: this clears the cookie
	}
	return a.changed(w, r, pos, strict)
}
