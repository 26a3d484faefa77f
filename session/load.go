package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"cloakroom/session/internal/cache"
	"cloakroom/session/internal/feed"
)

// Limits of what a node asks of its store, so that a store that was down comes
// back to a trickle and not to the whole rate of checks.
const (
	maxLoads    = 64              // loads in flight
	loadQueue   = time.Second     // how long a load may wait for its turn
	loadTimeout = 2 * time.Second // how long the store may take
)

// loads are the loads under way, at most one that can still be joined for each
// token.
type loads struct {
	slots chan struct{} // one for each load in flight

	mu     sync.Mutex // guards flight and the fields of its values until done
	flight map[Hash]*flight

	decided, undecided atomic.Uint64 // those that ended
}

// flight is one load. Checks of the same token share it when they may.
type flight struct {
	sent   bool
	mark   feed.Mark     // of the ring, before it was sent
	sentAt time.Duration // on the monotonic clock

	done   chan struct{} // closed when the two below are final
	loaded Loaded
	err    error
}

func (l *loads) init() {
	l.slots = make(chan struct{}, maxLoads)
	l.flight = make(map[Hash]*flight)
}

// load decides from the store.
func (m *Manager) load(ctx context.Context, key Hash, token string, c Consistency, counts bool) (Session, error) {
	if !m.running.Load() {
		return Session{}, errNotRunning
	}
	if !genuine(&m.terms.TokenKey, token) {
		return Session{}, errInvented
	}
	f := m.joinOrStart(key, c)
	limit := time.NewTimer(loadQueue + loadTimeout) // for a store that does not heed its context
	defer limit.Stop()
	select {
	case <-f.done:
	case <-ctx.Done():
		return Session{}, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	case <-limit.C:
		return Session{}, fmt.Errorf("%w: the store does not answer", ErrUnavailable)
	}
	if f.err != nil {
		return Session{}, f.err
	}
	if counts {
		m.seen.add(key, f.loaded.Session.ID, m.now())
	}
	return m.fromStore(&f.loaded, f.sentAt), nil
}

// joinOrStart returns a load whose answer this check may use.
func (m *Manager) joinOrStart(key Hash, c Consistency) *flight {
	m.loads.mu.Lock()
	defer m.loads.mu.Unlock()
	f := m.loads.flight[key]
	if f != nil && (!f.sent || c == Cached && m.joinable(f, key)) {
		return f
	}
	f = &flight{done: make(chan struct{})}
	m.loads.flight[key] = f
	go m.fly(key, f)
	return f
}

// joinable reports whether a load that was already sent is as good as one sent
// now: the lease says that all revocations older than delta have been applied,
// and nothing applied since the load was sent concerns this token. The order of
// the three readings matters; the lease comes first.
func (m *Manager) joinable(f *flight, key Hash) bool {
	leased := m.mono() < m.feed.Lease()
	m.at("joining")
	if !leased || m.feed.Ring().NamesAny(f.mark, (*[32]byte)(&key)) {
		return false
	}
	var hit cache.Hit
	state := m.cache.Get((*cache.Key)(&key), 0, false, &hit)
	return state != cache.Dead
}

// fly carries out one load, outside any caller's context: others may have
// joined it. It ends within loadQueue + loadTimeout.
func (m *Manager) fly(key Hash, f *flight) {
	defer func() {
		m.loads.mu.Lock()
		if m.loads.flight[key] == f {
			delete(m.loads.flight, key)
		}
		m.loads.mu.Unlock()
		if errors.Is(f.err, ErrUnavailable) {
			m.loads.undecided.Add(1)
		} else {
			m.loads.decided.Add(1)
		}
		close(f.done)
	}()
	queue := time.NewTimer(loadQueue)
	defer queue.Stop()
	select {
	case m.loads.slots <- struct{}{}:
		defer func() { <-m.loads.slots }()
	case <-queue.C:
		f.err = fmt.Errorf("%w: too many loads are waiting for the store", ErrUnavailable)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	f.loaded, f.err = m.ask(ctx, key, f)
	if f.err == nil && !f.loaded.Ended && f.loaded.IdleLeft <= 0 && f.loaded.AbsoluteLeft > 0 {
		f.loaded, f.err = m.askAgain(ctx, key, f)
	}
	if f.err == nil && f.loaded.Place == Next && f.loaded.live() {
		f.loaded, f.err = m.confirm(ctx, key, f)
	}
	f.err = m.judge(key, f)
}

// live reports whether the store would accept the token.
func (l *Loaded) live() bool {
	return !l.Ended && l.IdleLeft > 0 && l.AbsoluteLeft > 0 && l.TokenLeft > 0
}

// confirm has the store take the first use of a renewed token for the proof that
// the client has it, before that use is accepted.
func (m *Manager) confirm(ctx context.Context, key Hash, f *flight) (Loaded, error) {
	m.at("confirming")
	pos, err := m.store.Confirm(ctx, m.now(), key, renewalGrace)
	if err != nil && !errors.Is(err, ErrNoSession) { // then the load says why
		return Loaded{}, err
	}
	if err == nil {
		m.settle(pos)
	}
	return m.ask(ctx, key, f)
}

// askAgain gives a session that looks idle the benefit of uses that the store
// has not been told of yet.
func (m *Manager) askAgain(ctx context.Context, key Hash, f *flight) (Loaded, error) {
	wrote, err := m.settleIdle(ctx, key)
	if err != nil || !wrote {
		return f.loaded, err
	}
	return m.ask(ctx, key, f)
}

// ask sends the load. What is applied after the mark is newer than the answer.
func (m *Manager) ask(ctx context.Context, key Hash, f *flight) (Loaded, error) {
	m.loads.mu.Lock()
	f.sent, f.mark, f.sentAt = true, m.feed.Ring().Mark(), m.mono()
	m.loads.mu.Unlock()
	return m.store.Load(ctx, m.now(), key)
}

// judge decides about what the store answered, and caches what may be cached.
func (m *Manager) judge(key Hash, f *flight) error {
	l := &f.loaded
	switch {
	case errors.Is(f.err, ErrNoSession):
		return errUnknown // not cached: invented tokens must not fill the memory
	case f.err != nil:
		return storeError(f.err)
	case l.Ended:
		// Final, so it is remembered whatever the lease: once a check here
		// has answered "revoked", none that starts later accepts.
		m.cache.Bury((*cache.Key)(&key), seconds(m.mono()))
		return errRevoked
	case l.Place == Superseded && l.TokenLeft <= 0:
		return errReplaced
	case l.IdleLeft <= 0 || l.AbsoluteLeft <= 0:
		return &expiredError{l.Subject.Subject, l.Session.ID, errExpired}
	case l.TokenLeft <= 0:
		return &expiredError{l.Subject.Subject, l.Session.ID, ErrTokenEnded}
	case l.Place == Next:
		return errNotConfirmed
	}
	m.at("loaded")
	m.remember(key, l, f.mark, f.sentAt)
	return nil
}

// remember puts what a load or a sign-in saw into the cache, unless something
// applied since the mark is newer. Deadlines count from the instant of sending:
// from the instant of receipt they would lie too late.
func (m *Manager) remember(key Hash, l *Loaded, mark feed.Mark, sentAt time.Duration) {
	k := (*cache.Key)(&key)
	record := cache.Record{
		ID: l.Session.ID, Level: l.Session.Level, Methods: uint16(l.Session.Methods),
		Created:       m.second(l.Session.Created.Unix()),
		Authenticated: floorSeconds(sentAt - l.Age),
		Idle:          floorSeconds(sentAt + l.IdleLeft),
		Absolute:      floorSeconds(sentAt + l.AbsoluteLeft),
		Ends:          floorSeconds(sentAt + l.TokenLeft),
	}
	subject := l.Subject.Subject
	named := func() bool { return m.feed.Ring().Names(mark, k, subject) }
	m.at("caching")
	m.cache.Put(k, record, subject, l.Subject.Version, string(newIdentity(subject, l.Subject.Profile)),
		seconds(m.mono()), named)
}

// fromStore is the session that a load shows, sent at the instant sentAt.
func (m *Manager) fromStore(l *Loaded, sentAt time.Duration) Session {
	return Session{
		id: l.Session.ID, who: newIdentity(l.Subject.Subject, l.Subject.Profile),
		created: l.Session.Created.Unix(), authenticated: l.Session.Authenticated.Unix(),
		idle: l.Session.IdleEnds.Unix(), absolute: l.Session.Absolute.Unix(),
		ends:  m.wall(floorSeconds(sentAt + l.TokenLeft)),
		age:   l.Age + m.mono() - sentAt,
		level: l.Session.Level, methods: l.Session.Methods,
	}
}

// floorSeconds rounds an instant down, also one before the base.
func floorSeconds(t time.Duration) int32 {
	s := t / time.Second
	if t < 0 && t%time.Second != 0 {
		s--
	}
	return int32(s)
}

// ageAt is the time since the second authenticated, rounded up: a session never
// looks more recent than it is.
func ageAt(now, authenticated int32) time.Duration {
	return time.Duration(int64(now)-int64(authenticated)+1) * time.Second
}
