//go:build race

package server

import (
	"net/http"
	"testing"
)

// checkContract holds nothing: with the race detector the validator of the
// contract takes minutes to compile. The tests of this package run without it,
// too, and hold the contract then.
func checkContract(*testing.T, *http.Request, string, *http.Response, []byte) {}

// notForRaces skips a long test of requests that come one after the other: the
// tests of this package run without the race detector, too, and do it then.
func notForRaces(t *testing.T) {
	t.Helper()
	t.Skip("nothing happens at the same time here")
}
