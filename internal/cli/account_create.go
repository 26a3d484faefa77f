package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/go-json-experiment/json"
)

type accountCreate struct {
	Email    string   `arg:"" optional:"" help:"The address to sign in with."`
	Name     string   `placeholder:"NAME" help:"The name."`
	Role     []string `placeholder:"ROLE" help:"A role; several times for several."`
	Password bool     `help:"Ask for a password, or read it from the standard input, instead of making a link."`
	Batch    string   `placeholder:"FILE" help:"Make many: a file of JSON lines with email, name, roles and, if there is to be no link, password; - is the standard input."`
	JSON     bool     `help:"Print JSON."`
}

// newAccount is a line of a batch.
type newAccount struct {
	Email    string   `json:"email"`
	Name     string   `json:"name,omitzero"`
	Roles    []string `json:"roles,omitzero"`
	Password string   `json:"password,omitzero"`
}

// made is what was made: the account, and the link unless there is a password.
type made struct {
	Account accountShape `json:"account"`
	Link    *linkShape   `json:"link,omitzero"`
}

// Run makes one account or many.
func (c accountCreate) Run(ctx context.Context, s streams, load loader) error {
	if (c.Email == "") == (c.Batch == "") {
		return errors.New("give one address, or --batch with a file")
	}
	if c.Batch != "" {
		if c.Name != "" || c.Role != nil || c.Password {
			return errors.New("--name, --role and --password belong to one account; in a batch they stand in the file")
		}
		return c.many(ctx, s, load)
	}
	wanted := newAccount{Email: c.Email, Name: c.Name, Roles: c.Role}
	if c.Password {
		var err error
		if wanted.Password, err = s.secret("password"); err != nil {
			return err
		}
	}
	return operate(ctx, s, load, func(ctx context.Context, o *operator) error {
		m, err := o.create(ctx, wanted)
		switch {
		case err != nil:
			return err
		case c.JSON:
			return printJSON(s.out, m)
		case m.Link != nil:
			return m.Link.print(s, m.Account.Email)
		}
		return m.Account.print(s.out)
	})
}

func (o *operator) create(ctx context.Context, a newAccount) (m made, err error) {
	path := "/v1/admin/accounts"
	if a.Password != "" {
		path = "/v1/operator/accounts"
	}
	err = o.call(ctx, http.MethodPost, path, a, &m)
	return m, err
}

// many makes accounts until one cannot be made, and then says which: what was
// made before it stays, and is printed.
func (c accountCreate) many(ctx context.Context, s streams, load loader) error {
	var in io.Reader = s.in
	total := int64(-1)
	if c.Batch != "-" {
		f, err := os.Open(c.Batch)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		in = f
		if info, err := f.Stat(); err == nil {
			total = info.Size()
		}
	}
	return operate(ctx, s, load, func(ctx context.Context, o *operator) error {
		shown := newProgress(s.err, "accounts", total)
		defer shown.end()
		lines := bufio.NewScanner(in)
		lines.Buffer(nil, 64<<10)
		n, read := 0, int64(0)
		for n = 1; lines.Scan(); n++ {
			read += int64(len(lines.Bytes())) + 1
			var a newAccount
			if err := json.Unmarshal(lines.Bytes(), &a, json.RejectUnknownMembers(true)); err != nil {
				return fmt.Errorf("line %d is not a JSON object with email, name, roles and password; the %d before it are made", n, n-1)
			}
			m, err := o.create(ctx, a)
			if err != nil {
				return fmt.Errorf("line %d: %w (the %d before it are made)", n, err, n-1)
			}
			if err := printJSON(s.out, m); err != nil {
				return err
			}
			shown.at(read, n)
		}
		return lines.Err()
	})
}
