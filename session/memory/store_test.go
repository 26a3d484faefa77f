package memory

import (
	"context"
	"sync"
	"testing"

	"cloakroom/session"
	"cloakroom/session/sessiontest"
)

func TestStore(t *testing.T) { sessiontest.Run(t, open) }

func open(*testing.T) sessiontest.Engine {
	s := New()
	var written sync.Map
	return sessiontest.Engine{
		Store: s,
		JoinWrite: func(key string, then func(context.Context) error) session.Join {
			return Join(func(ctx context.Context) error {
				OnCommit(ctx, func() { written.Store(key, true) })
				if then == nil {
					return nil
				}
				return then(ctx)
			})
		},
		Written: func(key string) bool {
			_, ok := written.Load(key)
			return ok
		},
		LoseSubject: func(subject string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.state.subjects, subject)
		},
		CutLog: func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.state.trim(1)
		},
	}
}
