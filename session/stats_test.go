package session_test

import (
	"testing"
	"time"

	"cloakroom/session"
	"cloakroom/session/memory"
)

func TestStatsTellHowAManagerIsDoing(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		n := join(t, store)
		token, _ := n.signIn("ada")
		other := join(t, store)
		other.accepts("accuracy", token)
		other.accepts("accuracy", token)
		time.Sleep(time.Minute + delta/10) // a tenth after a tick
		st := other.Stats()
		if st.CachedSessions != 1 || st.CachedSubjects != 1 || st.CacheBytes < 1000 || st.Loads != 1 || st.LoadsUndecided != 0 || st.LoadsUnderWay != 0 {
			t.Errorf("%+v", st)
		}
		if st.Behind <= 0 || st.Behind > delta/4 {
			t.Errorf("behind by %v, with ticks every %v", st.Behind, delta/4)
		}
		other.link.cut()
		time.Sleep(time.Hour)
		if st := other.Stats(); st.Behind < time.Hour-delta || st.Behind > time.Hour+delta {
			t.Errorf("behind by %v, cut off for an hour", st.Behind)
		}
		_, _ = other.Check(t.Context(), token, session.Cached)
		if st := other.Stats(); st.LoadsUndecided != 1 || st.Loads != 2 {
			t.Errorf("%+v", st)
		}
	})
}
