package main

import (
	"context"
	"net/http"
	"slices"

	"cloakroom/session"
)

// member is one on the editors' page.
type member struct {
	ID, Name, Email string
	Editor, Self    bool
}

// members is what only an editor gets to see.
func (a *app) members(w http.ResponseWriter, r *http.Request) error {
	s, _ := session.FromContext(r.Context())
	users, err := a.listUsers(r.Context())
	if err != nil {
		return err
	}
	profiles, err := a.profiles(r.Context(), users)
	if err != nil {
		return err
	}
	var list []member
	for _, u := range users {
		p := profiles[u.id]
		list = append(list, member{
			ID: u.id, Name: p.Name, Email: u.email,
			Editor: slices.Contains(p.Roles, editor), Self: u.id == s.Subject(),
		})
	}
	return a.render(w, r, http.StatusOK, "members", list)
}

func (a *app) profiles(ctx context.Context, users []user) (map[string]session.Profile, error) {
	var ids []string
	for _, u := range users {
		ids = append(ids, u.id)
	}
	infos, err := a.sessions.Subjects(ctx, ids...)
	if err != nil {
		return nil, err
	}
	profiles := make(map[string]session.Profile)
	for _, info := range infos {
		profiles[info.Subject] = info.Profile
	}
	return profiles, nil
}

// setEditor gives the role or takes it away. It holds from the member's next
// request on, without a new sign-in: a check shows the profile as it is.
func (a *app) setEditor(w http.ResponseWriter, r *http.Request) error {
	s, _ := session.FromContext(r.Context())
	id := r.PathValue("id")
	if id == s.Subject() {
		return session.ErrForbidden // or the last editor could stop being one
	}
	infos, err := a.sessions.Subjects(r.Context(), id)
	if err != nil {
		return err
	}
	if len(infos) == 0 {
		return errNoUser
	}
	profile, event := infos[0].Profile, "is no editor any more"
	profile.Roles = slices.DeleteFunc(slices.Clone(profile.Roles), func(role string) bool { return role == editor })
	if r.PostFormValue("editor") == "yes" {
		profile.Roles, event = append(profile.Roles, editor), "is an editor"
	}
	// With the version that was read, so that nobody's change is undone by ours.
	_, err = a.sessions.Apply(r.Context(), session.SetProfile(id, profile, infos[0].Version),
		record(id, s.Subject(), event))
	if err != nil {
		return err
	}
	redirect(w, "/members")
	return nil
}
