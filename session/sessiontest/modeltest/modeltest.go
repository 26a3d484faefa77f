package modeltest

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cloakroom/session"
	"cloakroom/session/sessiontest"
)

// Run compares the store that open returns with the model. It opens one, and
// gives each sequence of operations subjects of its own. It is not for an engine
// with a clock of its own: the model has to know the time.
func Run(t *testing.T, open func(*testing.T) sessiontest.Engine) {
	e := open(t)
	if e.Now != nil {
		t.Fatal("the model has to know the time, and the engine's clock is its own")
	}
	shared := &shared{store: e.Store, now: time.Date(2031, 5, 6, 7, 8, 9, 250_000_000, time.UTC)}
	rapid.Check(t, func(rt *rapid.T) {
		r := newRun(rt, shared)
		rt.Repeat(map[string]func(*rapid.T){
			"advance":  r.advance,
			"set back": r.setBack,
			"begin":    r.begin,
			"create":   r.create,
			"create 2": r.create, // twice as often as the rest
			"apply":    r.apply,
			"renew":    r.renew,
			"turns":    r.turns,
			"confirm":  r.confirm,
			"touch":    r.touch,
			"put":      r.put,
			"take":     r.take,
			"list":     r.list,
			"sweep":    r.sweep,
			"":         r.agree,
		})
	})
}

// shared is what one sequence leaves to the next.
type shared struct {
	store session.Store
	now   time.Time // never falls from one sequence to the next
	count int
}

// run is one sequence.
type run struct {
	*shared
	t        *rapid.T // of the operation under way
	model    *model
	names    []string
	attempts []session.Creation // begun, some of them long ago
	head     session.Position
	back     time.Duration // how far the caller's clock is set back
}

func newRun(t *rapid.T, s *shared) *run {
	s.count++
	r := &run{
		shared: s, t: t,
		model: &model{subjects: make(map[string]*subject)},
	}
	for i := range 3 {
		name := fmt.Sprintf("%d-%d", s.count, i)
		r.names = append(r.names, name)
		r.model.subjects[name] = &subject{epoch: 1}
	}
	r.judge()
	epochs, err := s.store.Begin(context.Background(), r.names[0])
	r.ok(err)
	r.model.global = epochs.Global
	batch, err := s.store.Tick(context.Background(), session.Position{}, 0)
	r.ok(err)
	r.head = batch.Head
	return r
}

func (r *run) ok(err error) {
	if err != nil {
		r.t.Fatalf("unexpected error: %v", err)
	}
}

// passed is the time that the caller's clock shows.
func (r *run) passed() time.Time { return r.now.Add(-r.back) }

// judge has the store judge by the present time, so that the model knows the
// latest time that it has judged by: a call that is refused may or may not.
func (r *run) judge() {
	_, _, err := r.store.List(context.Background(), r.now, r.names[0], "", 1)
	r.ok(err)
	r.model.latest = r.now
}

func (r *run) advance(t *rapid.T) {
	d := rapid.SampledFrom([]time.Duration{
		time.Second, 20 * time.Second, time.Minute, 20 * time.Minute, time.Hour, 5 * time.Hour, 30 * time.Hour,
	}).Draw(t, "by")
	r.t = t
	r.now, r.back = r.now.Add(d), 0
	r.judge()
}

func (r *run) setBack(t *rapid.T) {
	r.back = time.Duration(rapid.IntRange(0, 100).Draw(t, "minutes")) * time.Minute
}

func (r *run) name(t *rapid.T) string { return rapid.SampledFrom(r.names).Draw(t, "subject") }

// any returns a session that was issued once, or one that never was.
func (r *run) any(t *rapid.T) *record {
	i := rapid.IntRange(-1, len(r.model.sessions)-1).Draw(t, "session")
	if i < 0 {
		return &record{id: session.NewID(), own: pair{access: newHash(), refresh: newHash()}, swept: true}
	}
	return r.model.sessions[i]
}

func newHash() (h session.Hash) {
	_, _ = rand.Read(h[:])
	return h
}

func (r *run) begin(t *rapid.T) {
	r.t = t
	name := r.name(t)
	epochs, err := r.store.Begin(t.Context(), name)
	if r.model.subjects[name].deleted {
		r.is(err, session.ErrDeleted)
		return
	}
	r.ok(err)
	if want := r.model.epochs(name); epochs != want {
		t.Fatalf("epochs %v, want %v", epochs, want)
	}
	r.attempts = append(r.attempts, session.Creation{Subject: name, Epochs: epochs})
}

func (r *run) is(err error, targets ...error) {
	for _, target := range targets {
		if errors.Is(err, target) {
			return
		}
	}
	r.t.Fatalf("got %v, want one of %v", err, targets)
}

func (r *run) create(t *rapid.T) {
	r.t = t
	if len(r.attempts) == 0 {
		t.Skip("nothing was begun")
	}
	c := rapid.SampledFrom(r.attempts).Draw(t, "attempt")
	c.ID, c.Token = session.NewID(), newHash()
	c.Level = rapid.Uint8Range(1, 2).Draw(t, "level")
	c.Limit = rapid.IntRange(1, 4).Draw(t, "limit")
	c.Idle, c.Absolute = time.Hour, 3*time.Hour
	c.Bearer = rapid.Bool().Draw(t, "bearer")
	if rapid.Bool().Draw(t, "renewable") {
		c.Refresh, c.Salt, c.TokenLifetime = newHash(), session.Salt(newHash()), lifetime
	}
	c.RevokeOthers = rapid.IntRange(0, 4).Draw(t, "others") == 0
	if rapid.IntRange(0, 3).Draw(t, "replace") == 0 {
		c.Replace = r.any(t).id
	}
	if rapid.IntRange(0, 3).Draw(t, "present") == 0 {
		_, p := r.pair(t)
		c.Presented = p.access
	}
	if rapid.IntRange(0, 3).Draw(t, "profile") == 0 {
		c.Profile = &session.Profile{Name: c.ID.String()}
	}
	now := r.passed()
	refusals := r.model.refusals(c)
	created, err := r.store.Create(t.Context(), now, c, nil)
	if len(refusals) > 0 {
		r.is(err, refusals...)
		return
	}
	r.ok(err)
	before := r.valid()
	r.model.create(c, r.gone(c))
	r.changed(before, created.Position)
}

// gone returns those that went for the limit: the longest unseen. Among those
// last seen in the same second the store may choose.
func (r *run) gone(c session.Creation) []*record {
	over, candidates := r.model.crowd(c)
	if over == 0 {
		return nil
	}
	slices.SortStableFunc(candidates, func(a, b *record) int {
		if n := a.seen.Compare(b.seen); n != 0 {
			return n
		}
		return cmp.Compare(r.chosen(a), r.chosen(b))
	})
	return candidates[:over]
}

// chosen returns 0 for a session that the store has ended, else 1.
func (r *run) chosen(s *record) int {
	if l, err := r.store.Load(r.t.Context(), r.passed(), s.own.access); err == nil && !l.Ended {
		return 1
	}
	return 0
}

func (r *run) apply(t *rapid.T) {
	r.t = t
	kind := rapid.SampledFrom([]session.ChangeKind{
		session.ChangeRevoke, session.ChangeRevoke, session.ChangeOthers, session.ChangeOthers,
		session.ChangeAll, session.ChangeEverything, session.ChangeProfile, session.ChangeDelete,
	}).Draw(t, "kind")
	s := r.any(t)
	c := session.Change{Kind: kind, Subject: r.name(t), Session: s.id}
	if s.subject != "" && rapid.Bool().Draw(t, "its own") {
		c.Subject = s.subject
	}
	switch kind {
	case session.ChangeEverything:
		c = session.RevokeEverything()
	case session.ChangeProfile:
		c.Profile = session.Profile{Name: session.NewID().String()}
		c.Version = rapid.SampledFrom([]uint64{0, r.model.subjects[c.Subject].version, r.head.Number}).Draw(t, "version")
	}
	now, before := r.passed(), r.valid()
	refused := r.model.apply(c)
	position, err := r.store.Apply(t.Context(), now, c, nil)
	if refused != nil {
		r.is(err, refused)
		return
	}
	r.ok(err)
	r.changed(before, position)
	if position != r.head {
		t.Fatalf("position %v, and the head is %v", position, r.head)
	}
}

func (r *run) touch(t *rapid.T) {
	r.t = t
	ago := time.Duration(rapid.IntRange(0, 120).Draw(t, "minutes ago")) * time.Minute
	now := r.passed()
	touch := session.Touch{ID: r.any(t).id, Seen: now.Add(-ago)}
	r.ok(r.store.Touch(t.Context(), now, []session.Touch{touch}))
	r.model.touch(touch)
}

func (r *run) put(t *rapid.T) {
	r.t = t
	s := r.any(t)
	value := rapid.StringN(0, 8, 8).Draw(t, "value")
	err := r.store.PutData(t.Context(), r.passed(), s.id, "k", []byte(value))
	if s.data == nil || !r.model.live(s) {
		r.is(err, session.ErrNoSession)
		return
	}
	r.ok(err)
	s.data["k"] = value
}

func (r *run) take(t *rapid.T) {
	r.t = t
	s := r.any(t)
	value, ok, err := r.store.TakeData(t.Context(), r.passed(), s.id, "k")
	if s.data == nil || !r.model.live(s) {
		r.is(err, session.ErrNoSession)
		return
	}
	r.ok(err)
	if want, there := s.data["k"]; ok != there || string(value) != want {
		t.Fatalf("took %q, %v; want %q, %v", value, ok, want, there)
	}
	delete(s.data, "k")
}

func (r *run) list(t *rapid.T) {
	r.t = t
	name, now, cursor := r.name(t), r.passed(), ""
	limit := rapid.IntRange(1, 3).Draw(t, "limit")
	listed := make(map[session.ID]int)
	for {
		page, next, err := r.store.List(t.Context(), now, name, cursor, limit)
		r.ok(err)
		for _, d := range page {
			listed[d.ID]++
		}
		if cursor = next; next == "" {
			break
		}
	}
	live := 0
	for _, s := range r.model.sessions {
		if s.subject == name && r.model.live(s) {
			live++
			if listed[s.id] != 1 {
				t.Fatalf("a live session was listed %d times", listed[s.id])
			}
		}
	}
	if len(listed) != live {
		t.Fatalf("%d listed, %d live", len(listed), live)
	}
}

func (r *run) sweep(t *rapid.T) {
	r.t = t
	now := r.passed()
	for {
		n, err := r.store.Sweep(t.Context(), now, 100)
		if r.ok(err); n == 0 {
			break
		}
	}
	r.model.sweep()
}
