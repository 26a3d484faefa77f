//go:build browser

package e2e

import (
	"strings"
	"testing"
)

// TestTheLongestNameFitsAPhone signs up with the longest name and address that
// are accepted, without a place to break them at.
func TestTheLongestNameFitsAPhone(t *testing.T) {
	base := startServer(t)
	d := newWindow(t)
	d.width(320)
	label := strings.Repeat("w", 60)
	long := strings.Repeat("w", 64) + "@" + label + "." + label + "." + label
	d.open(base + "/auth/sign-up")
	d.fill("name", strings.Repeat("W", 256), "email", long, "password", secret)
	d.press("main button:not([type])")
	d.at("/auth/account")
	d.shows(long)
	for _, path := range []string{"/auth/account", "/auth/account/sessions", "/auth/account/password", "/auth/account/activity", "/auth/sign-in", "/auth/sign-out", "/auth/reauthenticate"} {
		d.open(base + path)
		for _, found := range read[[]string](d, wide) {
			t.Errorf("%s: does not fit: %s", path, found)
		}
	}
}
