package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"cloakroom/internal/account"
	"cloakroom/internal/config"
	"cloakroom/internal/control"
	"cloakroom/internal/problem"
	"cloakroom/internal/server"

	"github.com/go-json-experiment/json"
)

// operator speaks to the server that holds the database, or to one that was
// opened for this command alone.
type operator struct {
	streams
	client *http.Client
}

// operate calls act with an operator. While a server holds the database the
// command reaches it over the socket beside the file; otherwise the file is
// opened for as long as act takes.
func operate(ctx context.Context, s streams, load loader, act func(context.Context, *operator) error) error {
	loaded, settings, err := configured(load)
	if err != nil {
		return err
	}
	quiet := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelError}))
	for tries := 1; ; tries++ {
		c, err := control.Dial(ctx, settings.SQLitePath)
		if err == nil {
			_ = c.Close()
			return act(ctx, &operator{s, clientOf(func(ctx context.Context) (net.Conn, error) {
				return control.Dial(ctx, settings.SQLitePath)
			})})
		}
		if !errors.Is(err, control.ErrNobody) {
			return err
		}
		err = server.Offline(ctx, server.Options{Config: loaded.Config, Logger: quiet}, func(h http.Handler) error {
			return act(ctx, &operator{s, &http.Client{Transport: control.Direct{Handler: h}}})
		})
		if !errors.Is(err, server.ErrInUse) || tries == mostTries {
			return err
		}
		time.Sleep(tryEvery) // it is just starting, or another command is at it
	}
}

// A server that starts holds the database a moment before it listens.
const (
	mostTries = 50
	tryEvery  = 100 * time.Millisecond
)

// configured reads the configuration and checks it.
func configured(load loader) (config.Loaded, config.Settings, error) {
	loaded, err := load()
	if err != nil {
		return config.Loaded{}, config.Settings{}, err
	}
	settings, err := loaded.Settings()
	return loaded, settings, err
}

func clientOf(dial func(context.Context) (net.Conn, error)) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}}
}

// ask sends a request and returns the answer, which the caller closes, or what
// the server's problem document says.
func (o *operator) ask(ctx context.Context, method, path string, body any, edits ...func(*http.Request)) (*http.Response, error) {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://operator"+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, edit := range edits {
		edit(r)
	}
	a, err := o.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("the server does not answer: %w", err)
	}
	if a.StatusCode < 300 {
		return a, nil
	}
	defer func() { _ = a.Body.Close() }()
	var p problem.Problem
	if err := json.UnmarshalRead(a.Body, &p); err != nil || p.Detail == "" {
		return nil, fmt.Errorf("the server answers %s", a.Status)
	}
	return nil, p
}

// call is ask for an answer that is a JSON document, or none.
func (o *operator) call(ctx context.Context, method, path string, body, answer any, edits ...func(*http.Request)) error {
	a, err := o.ask(ctx, method, path, body, edits...)
	if err != nil {
		return err
	}
	defer func() { _ = a.Body.Close() }()
	if answer == nil || a.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.UnmarshalRead(a.Body, answer); err != nil {
		return fmt.Errorf("the server's answer cannot be read; are both of one version? %w", err)
	}
	return nil
}

// find returns the account that has this address or this id.
func (o *operator) find(ctx context.Context, who string) (accountShape, error) {
	if !strings.Contains(who, "@") {
		var one struct {
			Account accountShape `json:"account"`
		}
		err := o.call(ctx, http.MethodGet, accountPath(who), nil, &one)
		if p, ok := errors.AsType[problem.Problem](err); ok && p.Status == http.StatusNotFound {
			return accountShape{}, fmt.Errorf("there is no account with the id %s", who)
		}
		return one.Account, err
	}
	email, err := account.CanonicalEmail(who)
	if err != nil {
		return accountShape{}, fmt.Errorf("%s is not an email address", who)
	}
	var list struct { // by address, so that it is the first if it is there
		Accounts []accountShape `json:"accounts"`
	}
	if err := o.call(ctx, http.MethodGet, "/v1/admin/accounts?email="+url.QueryEscape(email), nil, &list); err != nil {
		return accountShape{}, err
	}
	if len(list.Accounts) == 0 || list.Accounts[0].Email != email {
		return accountShape{}, fmt.Errorf("there is no account with the address %s", email)
	}
	return list.Accounts[0], nil
}

func accountPath(id string) string { return "/v1/admin/accounts/" + url.PathEscape(id) }
