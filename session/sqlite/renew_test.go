package sqlite

import (
	"testing"
	"time"

	"cloakroom/session"
)

// TestPairsGoWithTheirSession: the key of a row that is deleted may be given again.
func TestPairsGoWithTheirSession(t *testing.T) {
	s, _ := openFaulty(t)
	c := creation("ada")
	c.Refresh, c.Salt, c.TokenLifetime = session.Hash{1}, session.Salt{2}, time.Hour
	sign(t, s, c)
	pairs := func() (n int) {
		if err := s.Read().QueryRow(`SELECT count(*) FROM cloakroom_pairs`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := pairs(); n != 1 {
		t.Fatalf("%d pairs", n)
	}
	if n, err := s.Sweep(t.Context(), time.Now().Add(c.Absolute+session.SweepAfter+time.Hour), 10); n != 1 || err != nil {
		t.Fatalf("%d swept, %v", n, err)
	}
	if n := pairs(); n != 0 {
		t.Errorf("%d pairs are left", n)
	}
}
