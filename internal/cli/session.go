package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// sessionCommands are the commands about sessions.
type sessionCommands struct {
	List      sessionList      `cmd:"" help:"List the sessions of an account, the newest first."`
	Show      sessionShow      `cmd:"" help:"Show one session of an account."`
	Revoke    sessionRevoke    `cmd:"" help:"End one session of an account."`
	RevokeAll sessionRevokeAll `cmd:"" help:"End all sessions of an account, or of everybody."`
}

// sessions calls each with all sessions of an account.
func (o *operator) sessions(ctx context.Context, id string, each func(sessionShape) error) error {
	for after := ""; ; {
		var page struct {
			Sessions []sessionShape `json:"sessions"`
			Next     string         `json:"next"`
		}
		path := accountPath(id) + "/sessions?after=" + url.QueryEscape(after)
		if err := o.call(ctx, http.MethodGet, path, nil, &page); err != nil {
			return err
		}
		for _, one := range page.Sessions {
			if err := each(one); err != nil {
				return err
			}
		}
		if after = page.Next; after == "" {
			return nil
		}
	}
}

type sessionList struct {
	who
	JSON bool `help:"Print JSON, a line for each session."`
}

// Run prints all of them.
func (c sessionList) Run(ctx context.Context, s streams, load loader) error {
	return operate(ctx, s, load, func(ctx context.Context, o *operator) error {
		a, err := o.find(ctx, c.Who)
		if err != nil {
			return err
		}
		if c.JSON {
			return o.sessions(ctx, a.ID, func(one sessionShape) error { return printJSON(s.out, one) })
		}
		t := newTable(s.out, "DEVICE", "KIND", "ADDRESS", "SIGNED IN", "LAST SEEN", "ENDS", "ID")
		err = o.sessions(ctx, a.ID, func(one sessionShape) error {
			t.row(one.device(), one.Carrier, one.Client.Address, when(one.CreatedAt), when(one.LastSeenAt), when(one.ExpiresAt), one.ID)
			return nil
		})
		return errors.Join(err, t.end())
	})
}

type sessionShow struct {
	who
	Session string `arg:"" help:"The session's id."`
	JSON    bool   `help:"Print JSON."`
}

// Run prints the session.
func (c sessionShow) Run(ctx context.Context, s streams, load loader) error {
	return operate(ctx, s, load, func(ctx context.Context, o *operator) error {
		a, err := o.find(ctx, c.Who)
		if err != nil {
			return err
		}
		found := false
		err = o.sessions(ctx, a.ID, func(one sessionShape) error {
			if one.ID != c.Session {
				return nil
			}
			found = true
			if c.JSON {
				return printJSON(s.out, one)
			}
			return one.print(s, a)
		})
		if err == nil && !found {
			err = fmt.Errorf("%s has no session %s; it may have ended", a.Email, c.Session)
		}
		return err
	})
}

func (s sessionShape) print(to streams, a accountShape) error {
	t := newTable(to.out, "id", s.ID)
	t.row("account", a.Email+" ("+a.ID+")")
	t.row("device", s.device())
	t.row("kind", s.Carrier)
	t.row("address", s.Client.Address)
	t.row("signed in", when(s.CreatedAt))
	t.row("password given", when(s.AuthenticatedAt))
	t.row("last seen", when(s.LastSeenAt))
	t.row("ends unused", when(s.IdleExpiresAt))
	t.row("ends", when(s.ExpiresAt))
	t.row("level", fmt.Sprint(s.Level))
	t.row("methods", strings.Join(s.Methods, ", "))
	return t.end()
}

type sessionRevoke struct {
	who
	Session string `arg:"" help:"The session's id."`
}

// Run ends the session. When it has returned every node refuses it.
func (c sessionRevoke) Run(ctx context.Context, s streams, load loader) error {
	return operate(ctx, s, load, func(ctx context.Context, o *operator) error {
		a, err := o.find(ctx, c.Who)
		if err != nil {
			return err
		}
		path := accountPath(a.ID) + "/sessions/" + url.PathEscape(c.Session) + "?strict=true"
		if err := o.call(ctx, http.MethodDelete, path, nil, nil); err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "The session is ended.\n")
		return err
	})
}

type sessionRevokeAll struct {
	Who       string `arg:"" optional:"" name:"who" help:"The account's email address or id."`
	Everybody bool   `help:"End every session of everybody."`
}

// Run ends all sessions of one or of all. When it has returned every node
// refuses them.
func (c sessionRevokeAll) Run(ctx context.Context, s streams, load loader) error {
	if (c.Who == "") == !c.Everybody {
		return errors.New("name an account, or say --everybody")
	}
	return operate(ctx, s, load, func(ctx context.Context, o *operator) error {
		if c.Everybody {
			if err := o.call(ctx, http.MethodPost, "/v1/admin/revoke-everything?strict=true", nil, nil); err != nil {
				return err
			}
			_, err := fmt.Fprintln(s.out, "Every session of everybody is ended.")
			return err
		}
		a, err := o.find(ctx, c.Who)
		if err != nil {
			return err
		}
		if err := o.call(ctx, http.MethodDelete, accountPath(a.ID)+"/sessions?strict=true", nil, nil); err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "All sessions of %s are ended.\n", a.Email)
		return err
	})
}
