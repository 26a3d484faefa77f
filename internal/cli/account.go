package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// accountCommands are the commands about accounts. WHO is an address or an id.
type accountCommands struct {
	Create   accountCreate   `cmd:"" help:"Make an account, and a link by which its owner sets the password."`
	List     accountList     `cmd:"" help:"List accounts by their address."`
	Show     accountShow     `cmd:"" help:"Show one account."`
	Disable  accountDisable  `cmd:"" help:"End all sessions of an account, and let nobody sign in to it."`
	Enable   accountEnable   `cmd:"" help:"Let an account be signed in to again."`
	Roles    accountRoles    `cmd:"" help:"Give an account exactly these roles."`
	Profile  accountProfile  `cmd:"" help:"Change an account's name, attributes, or whether its address is verified."`
	Password accountPassword `cmd:"" help:"Set an account's password, and end all of its sessions."`
	Link     accountLink     `cmd:"" help:"Make a one-time link by which an account's owner sets the password."`
	Delete   accountDelete   `cmd:"" help:"End all sessions of an account and delete it."`
	Export   accountExport   `cmd:"" help:"Print all that is kept about an account, as JSON."`
}

// who is the argument of commands about one account.
type who struct {
	Who string `arg:"" name:"who" help:"The account's email address or id."`
}

type accountList struct {
	Email  string `placeholder:"PREFIX" help:"Those whose address begins with this."`
	Status string `enum:",active,disabled" default:"" placeholder:"STATUS" help:"active or disabled."`
	JSON   bool   `help:"Print JSON, a line for each account."`
}

// Run prints all that match, however many.
func (c accountList) Run(ctx context.Context, s streams, load loader) error {
	return operate(ctx, s, load, func(ctx context.Context, o *operator) error {
		query := url.Values{}
		if c.Email != "" {
			query.Set("email", c.Email)
		}
		if c.Status != "" {
			query.Set("status", c.Status)
		}
		t := &table{}
		if !c.JSON {
			t = newTable(s.out, "EMAIL", "NAME", "STATUS", "ROLES", "CREATED", "ID")
		}
		for more := true; more; {
			var page struct {
				Accounts []accountShape `json:"accounts"`
				Next     string         `json:"next"`
			}
			if err := o.call(ctx, http.MethodGet, "/v1/admin/accounts?"+query.Encode(), nil, &page); err != nil {
				return err
			}
			for _, a := range page.Accounts {
				if !c.JSON {
					t.row(a.Email, a.Name, a.Status, joined(a.Roles), when(a.CreatedAt), a.ID)
				} else if err := printJSON(s.out, a); err != nil {
					return err
				}
			}
			query.Set("after", page.Next)
			more = page.Next != ""
		}
		if c.JSON {
			return nil
		}
		return t.end()
	})
}

type accountShow struct {
	who
	JSON bool `help:"Print JSON."`
}

// Run prints the account.
func (c accountShow) Run(ctx context.Context, s streams, load loader) error {
	return operate(ctx, s, load, func(ctx context.Context, o *operator) error {
		a, err := o.find(ctx, c.Who)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s.out, a)
		}
		return a.print(s.out)
	})
}

type accountDisable struct{ who }

// Run disables the account.
func (c accountDisable) Run(ctx context.Context, s streams, load loader) error {
	return setStatus(ctx, s, load, c.Who, "disabled", "%s is disabled, and signed out everywhere.\n")
}

type accountEnable struct{ who }

// Run enables the account.
func (c accountEnable) Run(ctx context.Context, s streams, load loader) error {
	return setStatus(ctx, s, load, c.Who, "active", "%s can be signed in to.\n")
}

func setStatus(ctx context.Context, s streams, load loader, who, status, said string) error {
	return operate(ctx, s, load, func(ctx context.Context, o *operator) error {
		a, err := o.find(ctx, who)
		if err != nil {
			return err
		}
		if err := o.call(ctx, http.MethodPut, accountPath(a.ID)+"/status", map[string]string{"status": status}, nil); err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, said, a.Email)
		return err
	})
}

// profileRequest is what replaces a profile.
type profileRequest struct {
	Name          string         `json:"name"`
	Roles         []string       `json:"roles"`
	Attributes    jsontext.Value `json:"attributes"`
	EmailVerified bool           `json:"email_verified"`
}

// changeProfile replaces the profile that was just read by what change makes of
// it.
func changeProfile(ctx context.Context, s streams, load loader, who string, change func(*profileRequest)) error {
	return operate(ctx, s, load, func(ctx context.Context, o *operator) error {
		a, err := o.find(ctx, who)
		if err != nil {
			return err
		}
		p := profileRequest{a.Name, a.Roles, a.Attributes, a.EmailVerified}
		change(&p)
		var changed struct {
			Account accountShape `json:"account"`
		}
		of := func(r *http.Request) { r.Header.Set("If-Match", `"`+a.Version+`"`) }
		if err := o.call(ctx, http.MethodPut, accountPath(a.ID)+"/profile", p, &changed, of); err != nil {
			return err
		}
		return changed.Account.print(s.out)
	})
}

type accountRoles struct {
	who
	Roles []string `arg:"" optional:"" name:"role" help:"The roles; none takes all away."`
}

// Run replaces the roles.
func (c accountRoles) Run(ctx context.Context, s streams, load loader) error {
	return changeProfile(ctx, s, load, c.Who, func(p *profileRequest) { p.Roles = slices.Concat([]string{}, c.Roles) })
}

type accountProfile struct {
	who
	Name       *string `placeholder:"NAME" help:"The name."`
	Attributes *string `placeholder:"JSON" help:"A JSON document of at most 4 KB, or null."`
	Verified   *bool   `negatable:"" help:"Whether the address is verified."`
}

// Run changes what was given.
func (c accountProfile) Run(ctx context.Context, s streams, load loader) error {
	if c.Name == nil && c.Attributes == nil && c.Verified == nil {
		return errors.New("nothing is to be changed; give --name, --attributes or --verified")
	}
	if c.Attributes != nil && !jsontext.Value(*c.Attributes).IsValid() {
		return errors.New("--attributes is not JSON")
	}
	return changeProfile(ctx, s, load, c.Who, func(p *profileRequest) {
		if c.Name != nil {
			p.Name = *c.Name
		}
		if c.Attributes != nil {
			p.Attributes = jsontext.Value(*c.Attributes)
		}
		if c.Verified != nil {
			p.EmailVerified = *c.Verified
		}
	})
}

type accountPassword struct{ who }

// Run sets the password, which it asks for or reads.
func (c accountPassword) Run(ctx context.Context, s streams, load loader) error {
	pass, err := s.secret("new password")
	if err != nil {
		return err
	}
	return operate(ctx, s, load, func(ctx context.Context, o *operator) error {
		a, err := o.find(ctx, c.Who)
		if err != nil {
			return err
		}
		path := "/v1/operator/accounts/" + url.PathEscape(a.ID) + "/password"
		if err := o.call(ctx, http.MethodPut, path, map[string]string{"password": pass}, nil); err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "The password of %s is set, and all of its sessions are ended.\n", a.Email)
		return err
	})
}

type accountLink struct {
	who
	Kind string `enum:"reset,invite" default:"reset" help:"reset or invite: which page it opens."`
	JSON bool   `help:"Print JSON."`
}

// Run prints the link. It is worth the account's password for an hour.
func (c accountLink) Run(ctx context.Context, s streams, load loader) error {
	return operate(ctx, s, load, func(ctx context.Context, o *operator) error {
		a, err := o.find(ctx, c.Who)
		if err != nil {
			return err
		}
		var l linkShape
		if err := o.call(ctx, http.MethodPost, accountPath(a.ID)+"/links", map[string]string{"kind": c.Kind}, &l); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s.out, l)
		}
		return l.print(s, a.Email)
	})
}

func (l linkShape) print(s streams, email string) error {
	_, err := fmt.Fprintf(s.err, "Pass this on to %s. It works once, until %s.\n", email, when(l.ExpiresAt))
	if err == nil {
		_, err = fmt.Fprintln(s.out, l.URL)
	}
	return err
}

type accountDelete struct {
	who
	Yes bool `help:"Do not ask."`
}

// Run deletes the account, for good.
func (c accountDelete) Run(ctx context.Context, s streams, load loader) error {
	return operate(ctx, s, load, func(ctx context.Context, o *operator) error {
		a, err := o.find(ctx, c.Who)
		if err != nil {
			return err
		}
		if !c.Yes {
			return fmt.Errorf("this deletes %s (%s) for good; say so with --yes", a.Email, a.ID)
		}
		if err := o.call(ctx, http.MethodDelete, accountPath(a.ID), nil, nil); err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "%s is deleted.\n", a.Email)
		return err
	})
}
