package cli

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"cloakroom/internal/server"
)

type explain struct {
	Policy string `placeholder:"NAME" help:"The policy that the proxy asks for."`
	JSON   bool   `help:"Print JSON."`
}

// Run says what a check says of a session cookie, and why. It reads the cookie's
// value, or a whole Cookie header, as anything else that opens an account.
func (c explain) Run(ctx context.Context, s streams, load loader) error {
	given, err := s.secret("cookie")
	if err != nil {
		return err
	}
	q := server.Question{Policy: c.Policy, Token: given}
	if _, header, ok := strings.Cut(given, "ookie: "); ok {
		given = header
	}
	if strings.Contains(given, "=") {
		q.Token, q.Cookie = "", given
	}
	return operate(ctx, s, load, func(ctx context.Context, o *operator) error {
		var e server.Explanation
		if err := o.call(ctx, http.MethodPost, "/v1/operator/explain", q, &e); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s.out, e)
		}
		t := newTable(s.out, "check", fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status)))
		t.row("because", e.Reason)
		if e.Session != "" {
			t.row("session", e.Session)
			t.row("account", e.Account)
		}
		return t.end()
	})
}
