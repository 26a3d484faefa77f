package sqlite

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cloakroom/session"
)

// BenchmarkCreate measures durable sign-ins of subjects that each hold a few
// sessions, from one caller and from 64.
func BenchmarkCreate(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := openAt(b, filepath.Join(b.TempDir(), "sessions.db"))
			var next atomic.Int64
			var all sync.WaitGroup
			b.ResetTimer()
			for range callers {
				all.Go(func() {
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						c := creation(fmt.Sprintf("subject-%d", i/4))
						if _, err := s.Create(context.Background(), time.Now(), c, nil); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sessions/s")
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	s := openAt(b, filepath.Join(b.TempDir(), "sessions.db"))
	c := creation("subject")
	if _, err := s.Create(context.Background(), time.Now(), c, nil); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Load(context.Background(), time.Now(), c.Token); err != nil {
			b.Fatal(err)
		}
	}
}

// creation is a sign-in that began before anything happened to the subject.
func creation(subject string) session.Creation {
	c := session.Creation{
		Subject: subject, Epochs: session.Epochs{Subject: 1, Global: 1}, ID: session.NewID(),
		Level: 1, Methods: session.Password, Idle: time.Hour, Absolute: 24 * time.Hour, Limit: 100,
		Client: session.Client{UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", Address: "192.0.2.1"},
	}
	_, _ = rand.Read(c.Token[:])
	return c
}
