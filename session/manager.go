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

// Manager issues, checks and revokes sessions. It is one node: two Managers on
// a store, in one process or in two, are two nodes. All methods are safe for
// concurrent use.
type Manager struct {
	cfg   Config
	store Store
	terms Terms
	feed  *feed.Feed
	cache *cache.Cache
	loads loads
	seen  seen

	// base is the zero of this Manager's monotonic clock; wallBase the Unix
	// second, by Config.Now, at which it lay, and half a second. The half
	// makes deadlines that are rounded down on the one clock come out whole on
	// the other.
	base     time.Time
	wallBase int64
	noticed  time.Duration // of jumped, what the cache was dropped for; the feed's own
	outage   outage

	running  atomic.Bool
	started  chan struct{} // closed when Run is called for the first time
	starting sync.Once     // closes it
	// pause, in tests of this package only, is called between two steps of a
	// check or a load; set before Run.
	pause func(step string)
}

// New returns a Manager. It starts nothing: without a live Run every check is
// ErrUnavailable. A store that admits one node only refuses a second Manager
// with ErrWrongStore.
func New(cfg Config) (*Manager, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	terms, err := cfg.Store.Attach()
	if err != nil {
		return nil, fmt.Errorf("attach to the store: %w", err)
	}
	m := &Manager{cfg: cfg, store: cfg.Store, terms: terms, started: make(chan struct{})}
	m.setClock()
	m.cache = cache.New(cache.Config{
		Bytes:     cfg.CacheBytes,
		MarkerAge: int32((cfg.Delta+time.Second-1)/time.Second) + 1,
	})
	m.feed = feed.New(feed.Config{
		Delta: cfg.Delta, Cache: m.cache, Mono: m.mono, Tick: m.tick,
		Failed: m.tickFailed,
	})
	m.loads.init()
	m.seen.init()
	return m, nil
}

func (m *Manager) setClock() {
	wall, now := m.cfg.Now(), time.Now()
	back := time.Duration(wall.Nanosecond()) - time.Second/2
	if back < 0 {
		back += time.Second
	}
	m.base = now.Add(-back)
	m.wallBase = wall.Add(-back).Unix()
}

// mono is the clock that decides: monotonic, and read anew for each check.
func (m *Manager) mono() time.Duration { return time.Since(m.base) }

// now is the time that the store is told: the wall clock, which is followed when it
// is set forward, as on a machine that slept. When it is set back time goes on by
// the monotonic clock, or nothing would end until it has caught up.
func (m *Manager) now() time.Time { return m.steady().Add(m.jumped()) }

// steady is the wall clock as it would be if nobody had set it.
func (m *Manager) steady() time.Time {
	return time.Unix(m.wallBase, 0).Add(time.Second/2 + m.mono()).UTC()
}

// jumped is by how much it was set forward since the Manager was made.
func (m *Manager) jumped() time.Duration { return max(m.cfg.Now().Sub(m.steady()), 0) }

// jumpTolerated is how far the clock may be set forward before what is cached is
// forgotten, whose limits count from before.
const jumpTolerated = time.Minute

// noticeJump has everything be asked of the store again when the wall clock was set
// forward. By that clock sessions are over which the cache still takes for live,
// and the store may have deleted them: nobody could revoke them any more.
func (m *Manager) noticeJump() {
	jumped := m.jumped()
	if jumped > m.noticed+jumpTolerated {
		m.feed.Forget()
		m.noticed = jumped
	}
	m.noticed = min(m.noticed, jumped)
}

// seconds rounds an instant down.
func seconds(t time.Duration) int32 { return int32(t / time.Second) }

// wall turns a second that was rounded down on the monotonic clock into the
// Unix second it stands for; second is its inverse.
func (m *Manager) wall(s int32) int64       { return m.wallBase + 1 + int64(s) }
func (m *Manager) second(unix int64) int32  { return int32(unix - 1 - m.wallBase) }
func (m *Manager) wallAt(s int32) time.Time { return time.Unix(m.wall(s), 0).UTC() }
func (m *Manager) at(step string) {
	if m.pause != nil {
		m.pause(step)
	}
}

var errNotRunning = fmt.Errorf("%w: Manager.Run is not running", ErrUnavailable)

// Run keeps the node in step with the store until ctx ends: it follows the log,
// writes down when sessions were seen, and deletes what ended long ago. It
// returns when all of that has stopped, nil unless it was running already. It
// should outlive the last request, and the store should outlive it: stop the
// HTTP server, then Run, then close the store.
func (m *Manager) Run(ctx context.Context) error {
	if !m.running.CompareAndSwap(false, true) {
		return errors.New("session: Run is running already")
	}
	m.starting.Do(func() { close(m.started) })
	var tasks sync.WaitGroup
	for _, task := range []func(context.Context){m.watch, m.feed.Run, m.writeSeen, m.sweep} {
		tasks.Go(func() { task(ctx) })
	}
	<-ctx.Done()
	m.running.Store(false)
	tasks.Wait()
	m.writeAllSeen(ctx)
	return nil
}

// Ready returns once Run is running and the store has answered it, so that what
// follows is not ErrUnavailable only because it came early. It fails when ctx
// ends, and when the store does not answer.
func (m *Manager) Ready(ctx context.Context) error {
	select {
	case <-m.started:
		return m.waitFresh(ctx)
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", errNotRunning, ctx.Err())
	}
}

// tick asks the store and speaks the feed's types.
func (m *Manager) tick(ctx context.Context, after feed.Position, limit int) (feed.Batch, error) {
	m.noticeJump()
	b, err := m.store.Tick(ctx, Position(after), limit)
	if err != nil {
		return feed.Batch{}, err
	}
	m.tickAnswered(ctx)
	out := feed.Batch{
		Head: feed.Position(b.Head), Reset: b.Reset, Lease: feed.Lease(b.Lease),
		Entries: make([]feed.Entry, len(b.Entries)),
	}
	for i, e := range b.Entries {
		out.Entries[i] = feed.Entry{Number: e.Number, Nonce: e.Nonce, Kind: feed.Kind(e.Kind), Subject: e.Subject}
		for _, h := range e.Hashes {
			out.Entries[i].Hashes = append(out.Entries[i].Hashes, h)
		}
	}
	return out, nil
}

// watch passes the store's signals on, and begins again when it fails.
func (m *Manager) watch(ctx context.Context) {
	signals := Signals{Wake: m.feed.Wake, Lapse: m.feed.Lapse}
	for ctx.Err() == nil {
		if err := m.store.Watch(ctx, signals); err != nil && ctx.Err() == nil {
			m.cfg.Logger.Warn("session: wake-ups from the store stopped; they are asked for again", "error", err)
			sleep(ctx, m.cfg.Delta)
		}
	}
}

const (
	sweepEvery = time.Minute
	sweepBatch = 1000
)

// sweep deletes what ended long ago, in batches.
func (m *Manager) sweep(ctx context.Context) {
	for sleep(ctx, sweepEvery) {
		for {
			n, err := m.store.Sweep(ctx, m.now(), sweepBatch)
			if err != nil && ctx.Err() == nil {
				m.cfg.Logger.Warn("session: ended sessions could not be deleted", "error", err)
			}
			if err != nil || n < sweepBatch {
				break
			}
		}
	}
}

// sleep waits and reports whether ctx is still alive.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Apply carries out one change of authority, the joins first, in one
// transaction. When it returns, no check that starts later on this node sees
// the old state; other nodes follow within Config.Delta. Wait for the position
// to know that they have.
func (m *Manager) Apply(ctx context.Context, c Change, joins ...Join) (Position, error) {
	if !m.running.Load() {
		return Position{}, errNotRunning
	}
	if err := c.validate(); err != nil {
		return Position{}, err
	}
	pos, err := m.store.Apply(ctx, m.now(), c, joins)
	if err != nil {
		return Position{}, storeError(err)
	}
	m.settle(pos)
	return pos, nil
}

// settle returns once this node can no longer accept what pos took away.
func (m *Manager) settle(pos Position) {
	m.feed.WaitApplied(feed.Position(pos), m.mono())
}

// Wait makes a revocation strict: once it has returned nil, no check that
// starts later accepts what pos took away, on any node. On a store with one
// node that is so when Apply has returned; elsewhere it waits until every lease
// given before has run out, with a tenth for clocks that run apart.
func (m *Manager) Wait(ctx context.Context, _ Position) error {
	if !m.terms.Leased {
		return nil
	}
	if !sleep(ctx, m.cfg.Delta+m.cfg.Delta/10+10*time.Millisecond) {
		return fmt.Errorf("%w: waiting for every node was cut short: %w", ErrUnknownOutcome, ctx.Err())
	}
	return nil
}

const listPage = 50

// List returns the live sessions of a subject, newest first, 50 at a time, and
// the cursor of the next page, "" at the end. When each was last seen is known
// to the minute.
func (m *Manager) List(ctx context.Context, subject, after string) ([]Details, string, error) {
	if !ValidSubject(subject) {
		return nil, "", nil
	}
	list, next, err := m.store.List(ctx, m.now(), subject, after, listPage)
	if err != nil {
		return nil, "", storeError(err)
	}
	return list, next, nil
}

const maxSubjects = 100

// Subjects returns those of the subjects that the store knows, tombstones
// included, in any order; at most 100 ids.
func (m *Manager) Subjects(ctx context.Context, ids ...string) ([]SubjectInfo, error) {
	if len(ids) > maxSubjects {
		return nil, invalid("at most %d subjects at a time", maxSubjects)
	}
	infos, err := m.store.Subjects(ctx, ids)
	if err != nil {
		return nil, storeError(err)
	}
	return infos, nil
}

func (c Change) validate() error {
	if c.Kind != ChangeEverything && !ValidSubject(c.Subject) {
		return invalid("a subject is 1 to %d bytes of UTF-8 without control characters", MaxSubject)
	}
	if c.Kind == ChangeProfile {
		return c.Profile.Validate()
	}
	return nil
}

// storeError turns a store's error into what callers get: a Join's own error
// as it is, a sentinel as it is, everything else ErrUnavailable.
func storeError(err error) error {
	if join, ok := errors.AsType[*JoinError](err); ok {
		return join.Err
	}
	for _, known := range []error{
		ErrNoSession, ErrMoved, ErrDeleted, ErrSessionLimit, ErrUnknownOutcome,
		ErrWrongStore, ErrInvalid, ErrTooLarge, ErrUnavailable,
	} {
		if errors.Is(err, known) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
