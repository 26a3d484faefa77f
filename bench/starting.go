package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"syscall"
	"time"

	"cloakroom/session"
	"cloakroom/session/sqlite"
)

// starting is how long after exec the server answers the first check of a valid
// cookie. The file was written just before, so it is in the system's cache: the
// row shows what the server does, not the disk.
func (b *bench) starting() experiment {
	what := fmt.Sprintf("first check after exec, %s sessions in the file", count(b.size.large))
	return experiment{
		name: "start",
		open: openStarting,
		rows: []row{
			{what: what, measured: "large", peer: "small", peerName: "1 session in the file", unit: milliseconds, bar: limit(200, milliseconds)},
		},
	}
}

type starting struct {
	bench        *bench
	large, small prepared
}

// prepared is a database file and the text of a token that is valid in it.
type prepared struct{ path, token string }

func openStarting(ctx context.Context, b *bench) (trial, error) {
	t := &starting{bench: b}
	if err := b.build(ctx); err != nil {
		return nil, err
	}
	for _, f := range []struct {
		name string
		n    int
		to   *prepared
	}{{"large.db", b.size.large, &t.large}, {"small.db", 1, &t.small}} {
		var err error
		if *f.to, err = b.prepareFile(ctx, filepath.Join(b.dir, f.name), f.n); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// prepareFile makes a file with n sessions by the public calls.
func (b *bench) prepareFile(ctx context.Context, path string, n int) (prepared, error) {
	store, err := sqlite.Open(ctx, path)
	if err != nil {
		return prepared{}, err
	}
	m, stop, err := startManager(ctx, store)
	if err != nil {
		return prepared{}, errors.Join(err, store.Close())
	}
	file := prepared{path: path}
	err = issue(ctx, m, issuing{
		n: n, callers: 2 * manyCallers, grant: browserGrant,
		subject: func(i int) string { return subject(i / perSubject) },
		keep: func(i int, token session.Token) {
			if i == n/2 {
				file.token = token.Reveal()
			}
		},
		told: func(done int) { b.say("issued %s sessions of %s into the file", count(done), count(n)) },
	})
	stop()
	return file, errors.Join(err, store.Close())
}

func (t *starting) round(ctx context.Context, s samples) error {
	for _, f := range []struct {
		series string
		file   prepared
	}{{"small", t.small}, {"large", t.large}} {
		took, err := t.firstCheck(ctx, f.file)
		if err != nil {
			return err
		}
		s.add(f.series, float64(took)/float64(time.Millisecond))
	}
	return nil
}

func (t *starting) close() {}

// firstCheck starts the server on the file, asks until it is answered, and
// stops it.
func (t *starting) firstCheck(ctx context.Context, f prepared) (time.Duration, error) {
	const patience = 20 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	address, err := freeAddress(ctx)
	if err != nil {
		return 0, err
	}
	server := t.bench.serving(ctx, address, f.path)
	began := time.Now()
	if err := server.Start(); err != nil {
		return 0, err
	}
	took, err := askUntilAnswered(ctx, "http://"+address+"/auth/check", f.token, began)
	cancel()
	_ = server.Wait() // ended by the signal
	return took, err
}

// freeAddress is an address that nobody listens on a moment ago.
func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// askUntilAnswered repeats the check until a server listens and answers 200.
// Any other answer is a failure: the server answers nobody before it can decide.
func askUntilAnswered(ctx context.Context, url, token string, began time.Time) (time.Duration, error) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return 0, err
		}
		r.Header.Set("Cookie", sessionCookie+"="+token)
		answer, err := client.Do(r)
		took := time.Since(began)
		switch {
		case err == nil:
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				return 0, fmt.Errorf("the first check was answered %s", answer.Status)
			}
			return took, nil
		case !errors.Is(err, syscall.ECONNREFUSED):
			return 0, err
		}
		time.Sleep(time.Millisecond)
	}
}
