package problem

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"

	"cloakroom/internal/factor/password"
	"cloakroom/session"
)

// HandlerFunc is a handler that returns what went wrong, having written
// nothing then.
type HandlerFunc func(http.ResponseWriter, *http.Request) error

// Handle makes a handler of f. It answers the error that f returns, and a
// panic as the outage that it is: the process lives on.
func Handle(logger *slog.Logger, f HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch v := recover(); v {
			case nil:
			case http.ErrAbortHandler:
				panic(v)
			default:
				logger.ErrorContext(r.Context(), "request: panic", "pattern", r.Pattern, "stack", string(debug.Stack()))
				Answer(w, r, errors.New("panic"))
			}
		}()
		err := f(w, r)
		if err == nil {
			return
		}
		// A full queue is no failure: a flood of sign-ins must not fill the log.
		if status := Answer(w, r, err); status >= 500 && r.Context().Err() == nil && !errors.Is(err, password.ErrBusy) {
			logger.ErrorContext(r.Context(), "request: failed", "pattern", r.Pattern, "status", status, "error", err)
		}
	})
}

// Answer writes the problem that err is and returns its status.
func Answer(w http.ResponseWriter, r *http.Request, err error) int {
	p, ok := of(err)
	if !ok {
		return answerSession(w, r, err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if p.Allow != "" {
		h.Set("Allow", p.Allow)
	}
	if p.Status == http.StatusServiceUnavailable || p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(max(2, p.RetryAfter)))
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a client that has gone is nobody to tell
	return p.Status
}

// answerSession leaves the answer to the table that Load and Require use, where
// an error that is none of session's is an outage.
func answerSession(w http.ResponseWriter, r *http.Request, err error) int {
	seen := &statusWriter{ResponseWriter: w}
	session.Problem(seen, r, err)
	return seen.status
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
