package api

import (
	"context"
	"fmt"
	"net/http"

	"cloakroom/internal/account"
	"cloakroom/internal/link"
	"cloakroom/internal/problem"
	"cloakroom/session"
)

// adminPage is how many accounts or entries are on a page.
const adminPage = 50

type accountsShape struct {
	Accounts []adminAccountShape `json:"accounts"`
	Next     *string             `json:"next"` // null at the end
}

func (a *API) listAccounts(w http.ResponseWriter, r *http.Request, _ caller) error {
	query, err := parseQuery(r, "after", "email", "status")
	if err != nil {
		return err
	}
	q := account.Query{
		EmailPrefix: account.EmailPrefix(query.text("email")), After: query.text("after"), Limit: adminPage,
	}
	if _, given := query["status"]; given {
		var ok bool
		if q.Status, ok = account.ParseStatus(query.text("status")); !ok {
			return problem.Malformed("status", `The parameter "status" must be "active" or "disabled".`)
		}
	}
	list, next, err := a.authority.Directory.List(r.Context(), q)
	if err != nil {
		return badCursor(err)
	}
	page := accountsShape{}
	if page.Accounts, err = a.withProfiles(r.Context(), list); err != nil {
		return err
	}
	if next != "" {
		page.Next = &next
	}
	return answer(w, http.StatusOK, page)
}

// withProfiles adds to accounts what stands with their subjects. Those that were
// deleted since they were listed are left out.
func (a *API) withProfiles(ctx context.Context, list []account.Account) ([]adminAccountShape, error) {
	ids := make([]string, len(list))
	for i, found := range list {
		ids[i] = found.ID
	}
	infos, err := a.sessions.Subjects(ctx, ids...)
	if err != nil {
		return nil, err
	}
	subjects := make(map[string]session.SubjectInfo, len(infos))
	for _, info := range infos {
		subjects[info.Subject] = info
	}
	shapes := make([]adminAccountShape, 0, len(list))
	for _, found := range list {
		info, ok := subjects[found.ID]
		if !ok {
			return nil, fmt.Errorf("the account %s has no subject", found.ID)
		}
		if !info.Deleted {
			shapes = append(shapes, adminAccountOf(found, info))
		}
	}
	return shapes, nil
}

type inviteRequest struct {
	Email string   `json:"email"`
	Name  string   `json:"name,omitzero"`
	Roles []string `json:"roles,omitzero"`
}

type invitedShape struct {
	Account adminAccountShape `json:"account"`
	Link    linkShape         `json:"link"`
}

func (a *API) inviteAccount(w http.ResponseWriter, r *http.Request, c caller) error {
	body, err := decode[inviteRequest](r)
	if err != nil {
		return err
	}
	issued, err := a.authority.Invite(r.Context(), c.By, body.Email, body.Name, body.Roles)
	if err != nil {
		return err
	}
	found, info, err := a.authority.Find(r.Context(), issued.Account.ID)
	if err != nil {
		return err
	}
	return answer(w, http.StatusCreated, invitedShape{adminAccountOf(found, info), a.linkOf(issued)})
}

func (a *API) showAccount(w http.ResponseWriter, r *http.Request, _ caller) error {
	if _, err := parseQuery(r); err != nil {
		return err
	}
	return a.answerAccount(w, r, r.PathValue("id"))
}

func (a *API) deleteAccount(w http.ResponseWriter, r *http.Request, c caller) error {
	strict, err := onlyStrict(r)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	pos, err := a.authority.Delete(r.Context(), c.By, id)
	if err != nil {
		return err
	}
	return a.revoked(w, r, pos, strict, c.isOwn(id))
}

type linkRequest struct {
	Kind string `json:"kind"`
}

func (a *API) issueLink(w http.ResponseWriter, r *http.Request, c caller) error {
	body, err := decode[linkRequest](r)
	if err != nil {
		return err
	}
	kind, ok := link.ParseKind(body.Kind)
	if !ok {
		return problem.Invalid("kind", `The key "kind" must be "reset" or "invite".`)
	}
	issued, err := a.authority.IssueLink(r.Context(), c.By, r.PathValue("id"), kind)
	if err != nil {
		return err
	}
	return answer(w, http.StatusCreated, a.linkOf(issued))
}
