package problem

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cloakroom/internal/account"
	"cloakroom/internal/authority"
	"cloakroom/internal/factor/password"
	"cloakroom/internal/signin"
	"cloakroom/internal/throttle"
	"cloakroom/session"
)

// answered is what Handle makes of an error, and the log.
func answered(f HandlerFunc) (*httptest.ResponseRecorder, string) {
	var log bytes.Buffer
	w := httptest.NewRecorder()
	Handle(slog.New(slog.NewTextHandler(&log, nil)), f).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	return w, log.String()
}

func TestEveryErrorHasItsStatusAndType(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		status int
	}{
		"bad-credentials": {signin.ErrBadCredentials, 401},
		"disabled":        {signin.ErrDisabled, 403},
		"taken":           {account.ErrTaken, 409},
		"busy":            {password.ErrBusy, 503},
		"throttled":       {&throttle.Error{RetryAfter: 2500 * time.Millisecond}, 429},

		"last-administrator":    {account.ErrLastAdmin, 409},
		"account-disabled":      {authority.ErrDisabled, 409},
		"precondition-required": {PreconditionRequired(), 428},
		"precondition-failed":   {PreconditionFailed(), 412},

		"invalid":            {&signin.InputError{Field: "email", Err: account.ErrInvalidEmail}, 422},
		"moved":              {session.ErrMoved, 409},
		"session-limit":      {session.ErrSessionLimit, 409},
		"unknown-outcome":    {session.ErrUnknownOutcome, 503},
		"signed-out":         {session.ErrNoSession, 401},
		"not-recent":         {session.ErrNotRecent, 403},
		"forbidden":          {session.ErrForbidden, 403},
		"origin":             {session.ErrOrigin, 403},
		"unavailable":        {session.ErrUnavailable, 503},
		"not-found":          {NotFound(), 404},
		"method-not-allowed": {MethodNotAllowed("GET"), 405},
		"too-large":          {TooLarge(1), 413},
		"media-type":         {MediaType(), 415},
		"malformed":          {Malformed("a", "b"), 400},
		"wrong-password":     {WrongPassword(), 403},
	} {
		t.Run(name, func(t *testing.T) {
			w, log := answered(func(http.ResponseWriter, *http.Request) error { return fmt.Errorf("context: %w", c.err) })
			if w.Code != c.status || !strings.Contains(w.Body.String(), `"urn:cloakroom:problem:`+name+`"`) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if (log != "") != (c.status >= 500 && name != "busy") { // a flood of sign-ins fills no log
				t.Errorf("the log: %q", log)
			}
			if (w.Header().Get("Retry-After") != "") != (c.status == 503 || c.status == 429) {
				t.Errorf("Retry-After: %q", w.Header().Get("Retry-After"))
			}
		})
	}
}

func TestAnUnknownErrorIsAnOutageWithTheCauseInTheLogAlone(t *testing.T) {
	w, log := answered(func(http.ResponseWriter, *http.Request) error { return errors.New("SELECT s3cret") })
	if w.Code != 503 || strings.Contains(w.Body.String(), "s3cret") || !strings.Contains(log, "s3cret") {
		t.Errorf("%d %s\n%s", w.Code, w.Body, log)
	}
}

func TestAPanicIsAnOutageAndStaysInside(t *testing.T) {
	w, log := answered(func(http.ResponseWriter, *http.Request) error { panic("s3cret") })
	if w.Code != 503 || strings.Contains(w.Body.String(), "s3cret") || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(log, "problem_test.go") || strings.Contains(log, "s3cret") {
		t.Errorf("the log: %s", log)
	}
}

func TestAnAbortedHandlerIsNotAnswered(t *testing.T) {
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("the panic did not go on")
		}
	}()
	answered(func(http.ResponseWriter, *http.Request) error { panic(http.ErrAbortHandler) })
}

func TestAClientThatHasGoneIsNoFault(t *testing.T) {
	var log bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h := Handle(slog.New(slog.NewTextHandler(&log, nil)), func(_ http.ResponseWriter, r *http.Request) error { return r.Context().Err() })
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/", nil))
	if log.Len() > 0 {
		t.Errorf("the log: %s", &log)
	}
}
