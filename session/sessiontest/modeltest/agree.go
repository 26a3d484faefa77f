package modeltest

import (
	"errors"
	"slices"

	"pgregory.net/rapid"

	"cloakroom/session"
)

// held is a token of a session that has not ended.
type held struct {
	of         *record
	superseded bool
}

// valid returns the tokens of sessions that have not ended, expired or not.
func (r *run) valid() map[session.Hash]held {
	valid := make(map[session.Hash]held)
	for _, s := range r.model.sessions {
		if r.model.ended(s) {
			continue
		}
		for _, h := range s.hashes() {
			valid[h] = held{s, slices.Contains(s.old.hashes(), h)}
		}
	}
	return valid
}

// changed reads what the last operation logged. Whatever it ended must be named
// by an entry, whatever is named must have ended or changed, and subjects have
// the number of the last entry that names them as their version.
func (r *run) changed(before map[session.Hash]held, position session.Position) {
	batch, err := r.store.Tick(r.t.Context(), r.head, 1000)
	r.ok(err)
	if batch.Reset {
		r.t.Fatalf("reset at %v", r.head)
	}
	after := r.valid()
	hashes, superseded := make(map[session.Hash]bool), make(map[session.Hash]bool)
	subjects, all := make(map[string]bool), false
	for i, e := range batch.Entries {
		if e.Number != r.head.Number+1+uint64(i) {
			r.t.Fatalf("entry %d follows %d", e.Number, r.head.Number+uint64(i))
		}
		switch e.Kind {
		case session.EntrySession:
			for _, h := range e.Hashes {
				hashes[h] = true
				if after[h].of != nil || before[h].of == nil {
					r.t.Fatal("an entry names a token that did not end")
				}
			}
		case session.EntrySuperseded:
			for _, h := range e.Hashes {
				superseded[h] = true
				if !after[h].superseded || before[h].superseded {
					r.t.Fatal("an entry names a token that was not superseded")
				}
			}
		case session.EntrySubject:
			subjects[e.Subject] = true
			r.model.subjects[e.Subject].version = e.Number
		case session.EntryAll:
			all = true
		}
	}
	for h, s := range before {
		if after[h].superseded && !s.superseded && !superseded[h] {
			r.t.Fatal("a token was superseded and no entry says so")
		}
		old := s.superseded && !r.model.ended(s.of) // and what was said of it then holds
		if after[h].of == nil && !old && !hashes[h] && !subjects[s.of.subject] && !all {
			r.t.Fatal("a session ended and no entry says so")
		}
	}
	if n := len(batch.Entries); n > 0 && position.Number != batch.Entries[n-1].Number {
		r.t.Fatalf("position %d, and the last entry is %d", position.Number, batch.Entries[n-1].Number)
	}
	r.head = batch.Head
}

// agree compares everything that the model knows with the store.
func (r *run) agree(t *rapid.T) {
	r.t = t
	if batch, err := r.store.Tick(t.Context(), r.head, 10); err != nil || len(batch.Entries) > 0 {
		t.Fatalf("%d entries that nothing accounts for, %v", len(batch.Entries), err)
	}
	infos, err := r.store.Subjects(t.Context(), r.names)
	r.ok(err)
	for _, name := range r.names {
		r.agreeSubject(name, infos)
	}
	for _, s := range r.model.sessions {
		r.agreeSession(s)
	}
}

func (r *run) agreeSubject(name string, infos []session.SubjectInfo) {
	want := r.model.subjects[name]
	i := slices.IndexFunc(infos, func(s session.SubjectInfo) bool { return s.Subject == name })
	if (i >= 0) != want.row {
		r.t.Fatalf("subject %s has a row: %v, want %v", name, i >= 0, want.row)
	}
	if i < 0 {
		return
	}
	got := infos[i]
	if want.version == 0 && got.Version <= r.head.Number {
		want.version = got.Version
	}
	if got.Deleted != want.deleted || got.Version != want.version || got.Profile.Name != want.profile {
		r.t.Fatalf("subject %+v, want %+v", got, *want)
	}
}

func (r *run) agreeSession(want *record) {
	l, err := r.store.Load(r.t.Context(), r.passed(), want.own.access)
	if want.swept {
		r.is(err, session.ErrNoSession)
		return
	}
	if errors.Is(err, session.ErrNoSession) {
		r.t.Fatal("a session was lost")
	}
	r.ok(err)
	got := l.Session
	if got.ID != want.id || l.Subject.Subject != want.subject || got.Level != want.level {
		r.t.Fatalf("session %+v, want %+v", got, *want)
	}
	if l.Ended != r.model.ended(want) {
		r.t.Fatalf("ended %v, want %v", l.Ended, r.model.ended(want))
	}
	if !got.Created.Equal(want.created) || !got.LastSeen.Equal(want.seen) ||
		!got.IdleEnds.Equal(want.ends) || !got.Absolute.Equal(want.expires) {
		r.t.Fatalf("times %+v, want %+v", got, *want)
	}
	r.agreePairs(want)
	if l.IdleLeft != want.ends.Sub(r.model.latest) || l.AbsoluteLeft != want.expires.Sub(r.model.latest) {
		r.t.Fatalf("idle left %v, absolute left %v, at %v of %+v", l.IdleLeft, l.AbsoluteLeft, r.model.latest, *want)
	}
}
