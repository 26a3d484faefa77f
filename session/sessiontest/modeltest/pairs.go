package modeltest

import (
	"crypto/sha256"
	"slices"
	"time"

	"pgregory.net/rapid"

	"cloakroom/session"
)

// lifetime is an access token's, and grace that of what is superseded: both short
// beside a session's idle limit, so that all of it happens within one.
const (
	lifetime = 10 * time.Minute
	grace    = 30 * time.Second
)

// pair is a session's access token and, if it is renewable, the refresh token beside
// it.
type pair struct {
	access, refresh session.Hash
	salt            session.Salt
	ends            time.Time // zero: with the session
	grace           time.Time // of what was superseded
}

func (p *pair) hashes() []session.Hash {
	if p == nil {
		return nil
	}
	if p.refresh == (session.Hash{}) {
		return []session.Hash{p.access}
	}
	return []session.Hash{p.access, p.refresh}
}

// derive stands for what a Manager derives of a token's text.
func derive(refresh session.Hash, salt session.Salt) (access, next session.Hash) {
	part := func(kind byte) session.Hash {
		return sha256.Sum256(slices.Concat(refresh[:], salt[:], []byte{kind}))
	}
	return part('a'), part('r')
}

// hashes are all that the session has.
func (r *record) hashes() []session.Hash {
	return slices.Concat(r.own.hashes(), r.next.hashes(), r.old.hashes())
}

// holds reports whether one of its access tokens is this.
func (r *record) holds(access session.Hash) bool {
	return r.own.access == access || r.next != nil && r.next.access == access || r.old != nil && r.old.access == access
}

// confirm has the next pair take the own one's place.
func (r *record) confirm(now time.Time) {
	if r.old != nil {
		r.gone = append(r.gone, *r.old)
	}
	old := r.own
	old.grace = now.Truncate(time.Second).Add(grace)
	r.own, r.next, r.old = *r.next, nil, &old
}

// forget is what becomes of its tokens when it goes on under others.
func (r *record) forget() {
	for _, p := range []*pair{&r.own, r.next, r.old} {
		if p != nil {
			r.gone = append(r.gone, *p)
		}
	}
	r.next, r.old = nil, nil
}

// pair draws one that a session has or had, or one that never was.
func (r *run) pair(t *rapid.T) (*record, *pair) {
	s := r.any(t)
	all := []*pair{&s.own, {access: newHash(), refresh: newHash()}}
	for _, p := range []*pair{s.next, s.old} {
		if p != nil {
			all = append(all, p)
		}
	}
	for i := range s.gone {
		all = append(all, &s.gone[i])
	}
	return s, rapid.SampledFrom(all).Draw(t, "pair")
}

// turns has a session that can be renewed go on as it does where it is used, which
// single steps seldom come to.
func (r *run) turns(t *rapid.T) {
	r.t = t
	var renewable []*record
	for _, s := range r.model.sessions {
		if s.own.refresh != (session.Hash{}) && r.model.live(s) {
			renewable = append(renewable, s)
		}
	}
	if len(renewable) == 0 {
		t.Skip("nothing can be renewed")
	}
	s := rapid.SampledFrom(renewable).Draw(t, "renewable")
	for range rapid.IntRange(1, 3).Draw(t, "turns") {
		r.renewPair(s, &s.own, renewalOf(s, s.own.refresh))
		r.confirmToken(s, s.next, s.next.access)
	}
}

func renewalOf(s *record, refresh session.Hash) session.Renewal {
	return session.Renewal{
		Refresh: refresh, Bearer: s.bearer, Salt: session.Salt(newHash()), Lifetime: lifetime, Grace: grace,
		Derive: func(salt session.Salt) (session.Hash, session.Hash) { return derive(refresh, salt) },
	}
}

func (r *run) renew(t *rapid.T) {
	r.t = t
	s, p := r.pair(t)
	renewal := renewalOf(s, p.refresh)
	switch rapid.IntRange(0, 9).Draw(t, "beside") {
	case 0:
		renewal.Bearer = !s.bearer
	case 1:
		renewal.Beside = newHash()
	case 2, 3:
		renewal.Beside = p.access
	}
	r.renewPair(s, p, renewal)
}

// renewPair compares a renewal with what the model makes of it.
func (r *run) renewPair(s *record, p *pair, renewal session.Renewal) {
	t := r.t
	wrong := renewal.Bearer != s.bearer || renewal.Beside != (session.Hash{}) && renewal.Beside != p.access
	before, held := r.valid(), p.refresh != (session.Hash{}) && slices.Contains(s.hashes(), p.refresh)
	got, err := r.store.Renew(t.Context(), r.passed(), renewal)
	reused := p == s.old && !r.model.latest.Before(s.graceEnds())
	over := held && !s.swept && !r.model.live(s)
	switch {
	case !held || s.swept || !over && !reused && wrong:
		r.is(err, session.ErrNoSession)
		return
	case over || reused:
		if r.ok(err); got.Reused != reused || got.Position != (session.Position{}) || live(got.Loaded) == over {
			t.Fatalf("%+v, of a session that is over: %v, reused: %v", got, over, reused)
		}
		return
	}
	r.ok(err)
	place, salt := s.place(p), p.salt
	if place == session.Next {
		s.confirm(r.model.latest)
	}
	follows := &s.own
	if place != session.Superseded {
		if s.next == nil {
			s.next = &pair{salt: renewal.Salt}
			s.next.access, s.next.refresh = derive(renewal.Refresh, salt)
		}
		follows = s.next
		follows.ends = r.model.latest.Truncate(time.Second).Add(lifetime)
	}
	if got.Salt != salt || got.Place != place || got.Own != s.own.access || got.Session.ID != s.id || got.Reused ||
		got.TokenLeft != earlier(follows.ends, s.expires).Sub(r.model.latest) || !live(got.Loaded) {
		t.Fatalf("%+v, of %+v", got, *s)
	}
	r.changed(before, got.Position)
}

func (r *run) confirm(t *rapid.T) {
	r.t = t
	s, p := r.pair(t)
	token := p.access
	if rapid.IntRange(0, 4).Draw(t, "the refresh token") == 0 {
		token = p.refresh
	}
	r.confirmToken(s, p, token)
}

// confirmToken compares the first use of a token with what the model makes of it.
func (r *run) confirmToken(s *record, p *pair, token session.Hash) {
	t := r.t
	before := r.valid()
	position, err := r.store.Confirm(t.Context(), r.passed(), token, grace)
	if !s.holds(token) || s.swept || !r.model.live(s) {
		r.is(err, session.ErrNoSession)
		return
	}
	r.ok(err)
	if p == s.next {
		s.confirm(r.model.latest)
	}
	r.changed(before, position)
	if position != r.head {
		t.Fatalf("position %v, and the head is %v", position, r.head)
	}
}

func live(l session.Loaded) bool { return !l.Ended && l.IdleLeft > 0 && l.AbsoluteLeft > 0 }

func (r *record) graceEnds() time.Time {
	if r.old == nil {
		return time.Time{}
	}
	return r.old.grace
}

func (r *record) place(p *pair) session.Place {
	switch p {
	case r.next:
		return session.Next
	case r.old:
		return session.Superseded
	}
	return session.Own
}

// agreePairs compares every token that the session has or had with the store.
func (r *run) agreePairs(s *record) {
	for _, p := range []*pair{&s.own, s.next, s.old} {
		if p == nil {
			continue
		}
		l, err := r.store.Load(r.t.Context(), r.passed(), p.access)
		r.ok(err)
		ends := s.expires
		for _, limit := range []time.Time{p.ends, p.grace} {
			if !limit.IsZero() {
				ends = earlier(ends, limit)
			}
		}
		if l.Session.ID != s.id || l.Place != s.place(p) || l.TokenLeft != ends.Sub(r.model.latest) {
			r.t.Fatalf("token in place %d, with %v left, of %+v", l.Place, l.TokenLeft, *s)
		}
	}
	for _, p := range s.gone {
		if l, err := r.store.Load(r.t.Context(), r.passed(), p.access); err == nil {
			r.t.Fatalf("a token that its session has lost is there: %+v", l)
		}
	}
	for _, h := range s.hashes() {
		if !s.holds(h) {
			_, err := r.store.Load(r.t.Context(), r.passed(), h)
			r.is(err, session.ErrNoSession)
		}
	}
}
