package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"cloakroom/internal/server"
)

type explain struct {
	Policy  string `placeholder:"NAME" help:"The policy that the proxy asks for."`
	Request string `placeholder:"FILE" help:"A whole request instead of a cookie: its first line and headers, as curl -v or a browser's tools show them; - is the standard input."`
	From    string `placeholder:"ADDRESS" help:"With --request: who has the connection with the server, such as the proxy."`
	JSON    bool   `help:"Print JSON."`
}

// Run says what a check says of a session cookie, and why, and of a whole request
// also what refuses it before. It reads the cookie's value, or a whole Cookie header,
// as anything else that opens an account, and prints none of it.
func (c explain) Run(ctx context.Context, s streams, load loader) error {
	q, err := c.question(s)
	if err != nil {
		return err
	}
	return operate(ctx, s, load, func(ctx context.Context, o *operator) error {
		var e server.Explanation
		if err := o.call(ctx, http.MethodPost, "/v1/operator/explain", q, &e); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s.out, e)
		}
		return explained(s, e)
	})
}

func (c explain) question(s streams) (server.Question, error) {
	q := server.Question{Policy: c.Policy}
	if c.Request != "" {
		head, err := s.requestHead(c.Request)
		head.From = c.From
		q.Request = &head
		return q, err
	}
	if c.From != "" {
		return q, errors.New("--from belongs to a whole request; give that with --request")
	}
	given, err := s.secret("cookie")
	if err != nil {
		return q, err
	}
	q.Token = given
	if _, header, ok := strings.Cut(given, "ookie: "); ok {
		given = header
	}
	if strings.Contains(given, "=") {
		q.Token, q.Cookie = "", given
	}
	return q, nil
}

func explained(s streams, e server.Explanation) error {
	status := func(code int) string { return fmt.Sprintf("%d %s", code, http.StatusText(code)) }
	t := newTable(s.out, "check", status(e.Status))
	t.row("because", e.Reason)
	if e.Refused != nil {
		t.row("request", status(e.Refused.Status)+", whatever the check says")
		t.row("because", e.Refused.Rule)
	}
	if e.Session != "" {
		t.row("session", e.Session)
		t.row("account", e.Account)
	}
	if e.Client != "" {
		t.row("from", e.Client)
	}
	for _, n := range e.Notes {
		t.row("note", n)
	}
	return t.end()
}
