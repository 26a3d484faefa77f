package session_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"cloakroom/session"
	"cloakroom/session/memory"
)

// TestAStoreThatDoesNotHeedItsContextHoldsUpNoCheck: a read from a disk that
// hangs cannot be interrupted.
func TestAStoreThatDoesNotHeedItsContextHoldsUpNoCheck(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		token, _ := a.signIn("ada")
		release := make(chan struct{})
		b.link.onLoad(func(next func() (session.Loaded, error)) (session.Loaded, error) {
			<-release
			return next()
		})
		began := time.Now()
		b.undecided("I14", token)
		if took := time.Since(began); took > session.LoadTimeout+time.Second {
			t.Errorf("I14: answered after %v", took)
		}
		close(release)
		b.link.mend()
		time.Sleep(time.Millisecond) // the load that hung ends
		b.accepts("I8", token)
	})
}

// TestASignOutOfAnExpiredSessionIsFinal: another node holds a use that came in
// time and was not written yet.
func TestASignOutOfAnExpiredSessionIsFinal(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store, limits(time.Hour, 24*time.Hour)), join(t, store, limits(time.Hour, 24*time.Hour))
		token, _ := a.signIn("ada")
		b.accepts("I8", token)
		time.Sleep(59 * time.Minute)
		b.accepts("I8", token) // a use, which is written later
		b.link.cut()
		time.Sleep(2 * time.Minute)
		a.ends("I8", token)
		r := httptest.NewRequest("POST", "/sign-out", nil)
		r.Header.Set("Cookie", cookieName+"="+token)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if err := a.SignOut(httptest.NewRecorder(), r); err != nil {
			t.Fatal(err)
		}
		b.link.mend()
		time.Sleep(5 * time.Minute) // b has written it
		a.rejects("I10", token)
		b.rejects("I10", token)
	})
}

// TestRealMissesAreServedBetweenInventedTokens, of which the store sees none.
func TestRealMissesAreServedBetweenInventedTokens(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		loads := countLoads(b)
		const real, each = 100, 1000
		for range real {
			token, _ := a.signIn("ada")
			for i := range each {
				b.rejects("I16", invented(token, i))
			}
			b.accepts("I8", token)
		}
		if n := loads.Load(); n != real {
			t.Errorf("I16: %d loads for %d real tokens", n, real)
		}
	})
}
