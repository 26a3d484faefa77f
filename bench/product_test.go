package main

import (
	"context"
	"math"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cloakroom/internal/account"
)

func newTinyBench(t *testing.T) *bench {
	t.Helper()
	return &bench{
		rounds: 1, dir: t.TempDir(), progress: t.Output(),
		size: size{
			callers: 12, flood: 400 * time.Millisecond, patience: time.Second, guesses: 6, tokens: 40, accounts: 1000, pages: 3,
		},
	}
}

// What the figures are does not matter here, but each row must have got one.
func TestEveryRowOfTheProductIsMeasured(t *testing.T) {
	b := newTinyBench(t)
	for _, e := range []experiment{b.flood(12), b.lists(), b.alike(), b.weight(), b.footprint(), b.batch(), b.backup()} {
		if e.needs != nil {
			if err := e.needs(); err != nil {
				t.Log(err)
				continue
			}
		}
		taken, err := b.carryOut(t.Context(), e)
		if err != nil {
			t.Errorf("%s: %v", e.name, err)
			continue
		}
		outcomes := evaluate(e.rows, taken)
		if len(outcomes) != len(e.rows) {
			t.Errorf("%s: %d of %d rows are measured", e.name, len(outcomes), len(e.rows))
		}
		for _, o := range outcomes {
			if math.IsNaN(o.value) || o.row.peer != "" && o.peer == 0 || o.measured < 0 ||
				o.measured == 0 && o.unit != probability { // samples may differ beyond what a figure shows
				t.Errorf("%s: measured %v beside %v", o.what, o.measured, o.peer)
			}
		}
	}
}

// The rows that are written by SQL must be what the stores would have written.
func TestTheFilledFileIsReadByTheStores(t *testing.T) {
	b := newTinyBench(t)
	b.size.accounts = 100
	path := filepath.Join(b.dir, "filled.db")
	if err := b.fillFile(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	store, people, err := openTables(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	m, stop, err := startManager(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for _, n := range []int{0, 5, 99} {
		id := accountID(n)
		found, err := people.Credentials(t.Context(), id)
		if err != nil || found.Status != account.Active || found.CreatedAt.Unix() != firstSecond+int64(n) {
			t.Errorf("account %d: %+v, %v", n, found, err)
		}
		if canonical, err := account.CanonicalEmail(found.Email); err != nil || canonical != found.Email {
			t.Errorf("account %d has the address %q: %v", n, found.Email, err)
		}
		list, _, err := m.List(t.Context(), id, "")
		if err != nil || len(list) != sessionsEach {
			t.Errorf("account %d has %d sessions: %v", n, len(list), err)
		}
		infos, err := m.Subjects(t.Context(), id)
		if err != nil || len(infos) != 1 || infos[0].Profile.Email != found.Email {
			t.Errorf("subject %d: %+v, %v", n, infos, err)
		}
	}
	if _, err := people.Credentials(t.Context(), accountID(100)); err == nil {
		t.Error("there are more accounts than were asked for")
	}
}

// Each request is answered when all have come: whoever waited for an answer
// before asking again would wait for ever.
func TestThePacedDoNotWaitForEachOther(t *testing.T) {
	const n = 20
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var all sync.WaitGroup
	all.Add(n)
	took, err := paced(ctx, time.Millisecond, n, func(ctx context.Context) error {
		all.Done()
		came := make(chan struct{})
		go func() { all.Wait(); close(came) }()
		select {
		case <-came:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if err != nil || len(took) != n {
		t.Errorf("%d were answered: %v", len(took), err)
	}
}

func TestAPercentileIsOneOfTheValues(t *testing.T) {
	var values []float64
	for i := range 200 {
		values = append(values, float64(200-i))
	}
	for of, want := range map[float64]float64{0: 1, 1: 2, 50: 100, 99: 198, 99.9: 200, 100: 200} {
		if got := percentile(values, of); got != want {
			t.Errorf("percentile %v: %v, want %v", of, got, want)
		}
	}
}

func TestAWrongTokenDiffersInOnePlace(t *testing.T) {
	const token = "cks_AbcdefghA"
	for _, place := range []int{4, 5, len(token) - 1} {
		wrong := wrongAt(token, place)
		if len(wrong) != len(token) || wrong[:place] != token[:place] || wrong[place] == token[place] || wrong[place+1:] != token[place+1:] {
			t.Errorf("wrong in %d: %s", place, wrong)
		}
	}
}

func TestARefusalSaysWhenToComeAgain(t *testing.T) {
	for name, c := range map[string]struct {
		answer
		ok bool
	}{
		"busy":               {answer{status: 503, retryAfter: "2"}, true},
		"throttled":          {answer{status: 429, retryAfter: "60"}, true},
		"without a time":     {answer{status: 503}, false},
		"at once":            {answer{status: 429, retryAfter: "0"}, false},
		"a date":             {answer{status: 503, retryAfter: strings.Repeat("x", 29)}, false},
		"something else":     {answer{status: 500, retryAfter: "2"}, false},
		"looked at":          {answer{status: 401}, false},
		"no refusal at all":  {answer{status: 200}, false},
		"an error of theirs": {answer{status: 400, retryAfter: "2"}, false},
	} {
		if _, err := c.refusal(); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOnlyA200IsWanted(t *testing.T) {
	for _, status := range []int{204, 303, 404, 503} {
		if err := (answer{status: status}).wanted("a list"); err == nil {
			t.Errorf("%d is taken for the list", status)
		}
	}
}
