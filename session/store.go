package session

import (
	"context"
	"time"
)

// Store is what a Manager needs of an engine. An implementation must pass
// sessiontest.Run; the contract is in the comments below, and every rule of it
// is a test there.
//
// Rules for all methods:
//
//   - Safe for concurrent use. A context that ends gives its error back; a
//     write that may have been committed by then is ErrUnknownOutcome.
//   - now is the Manager's wall time. An engine with a clock of its own judges
//     by that and ignores now. No engine judges by a time earlier than one
//     that it has judged by before.
//   - Nothing is written by upsert. Create fails if present; touches and
//     updates change a live row only.
//   - An error that is none of this package's sentinels means broken, and the
//     Manager answers ErrUnavailable. A missing subject, epoch or log entry is
//     never taken for a default.
//   - Whatever takes away or changes authority writes its log entry in the
//     same transaction.
type Store interface {
	Sessions
	Subjects
	Log
	Values
}

// Hash is the SHA-256 of a token's text: all that a store knows of it.
type Hash [32]byte

// Salt is what a refresh token's successors are derived with, beside its hash.
type Salt [32]byte

// Sessions are the session rows.
//
// A session is live while it is not revoked, both epochs it was issued under
// equal the current ones, and neither of its limits has passed.
type Sessions interface {
	// Create begins a session, or continues one (Creation.Replace), in one
	// transaction: the joins in their order, then the session, then whatever
	// it ends, the log entries last. It returns the session as a Load in the
	// same transaction would, and the position of the last entry written, or
	// the zero Position if nothing was logged.
	//
	// ErrMoved if either epoch is not the one in c.Epochs (a subject without
	// a row stands at 1, and its row is then made here); ErrDeleted for a
	// tombstone; ErrNoSession if c.Replace is not a live session of
	// c.Subject; ErrSessionLimit; ErrWrongStore; *JoinError.
	Create(ctx context.Context, now time.Time, c Creation, joins []Join) (Created, error)

	// Load reads one session, its subject and the times that remain, in one
	// snapshot. ErrNoSession if no session has this token; a refresh token is
	// none. A session whose subject has no row is broken data, not ErrNoSession.
	Load(ctx context.Context, now time.Time, token Hash) (Loaded, error)

	// Renew answers a session's refresh token with the pair that follows its own,
	// in one transaction: it makes the pair unless it is there, and gives the
	// access token its whole lifetime, from now, as long as the pair is
	// unconfirmed. A refresh token that is unconfirmed itself is confirmed first,
	// as by Confirm. One that was superseded has the pair that took its place, as
	// long as its grace lasts.
	//
	// Nothing is done if the session is not live, or the refresh token's grace is
	// over: the result says so. ErrNoSession if no session has this refresh token, or
	// it is live and r.Bearer or r.Beside is not what it has.
	Renew(ctx context.Context, now time.Time, r Renewal) (Renewed, error)

	// Confirm makes the pair of an unconfirmed access token the session's own. What
	// was its own is superseded, and ends after the grace; what was superseded
	// before is deleted. An entry names the superseded tokens. It returns the
	// position of that entry; of a token that is no longer unconfirmed, the head
	// of the log. ErrNoSession if no live session has the token.
	Confirm(ctx context.Context, now time.Time, token Hash, grace time.Duration) (Position, error)

	// Touch records when sessions were last seen: for each that is not ended
	// and whose limits had not passed at Touch.Seen, last-seen becomes the
	// later of the two, and its idle limit Seen + its idle time, never past
	// the absolute limit and never earlier than it was. Others are left as
	// they are, without error.
	Touch(ctx context.Context, now time.Time, touches []Touch) error

	// List returns up to limit live sessions of the subject, newest first,
	// after the cursor of an earlier call ("" for the first page), and the
	// next cursor, "" at the end. A cursor of another shape is ErrInvalid.
	List(ctx context.Context, now time.Time, subject, after string, limit int) ([]Details, string, error)

	// Sweep deletes up to limit sessions, with their data, that ended or
	// expired more than SweepAfter ago (sessions of a moved epoch count from
	// when they were last seen), and says how many. It changes nothing that a
	// check could accept.
	Sweep(ctx context.Context, now time.Time, limit int) (int, error)
}

// SweepAfter is how long an ended session's row is kept, so that a token
// presented after its end is known as revoked and a late touch finds its row.
const SweepAfter = 24 * time.Hour

// Epochs are the two numbers that a session is issued under.
type Epochs struct {
	Subject uint64
	Global  uint64
}

// Creation is one sign-in, as a Manager asks a store for it.
type Creation struct {
	Subject string
	Epochs  Epochs // as they stood when authentication began
	ID      ID     // of the new session; with Replace, ignored
	Token   Hash
	// Refresh, unless zero, is the refresh token beside Token. Salt stands beside
	// it, and TokenLifetime says when Token ends.
	Refresh       Hash
	Salt          Salt
	TokenLifetime time.Duration // whole seconds
	// Bearer says that Token travels in the Authorization header.
	Bearer  bool
	Level   uint8
	Methods Methods
	Client  Client // with Replace, one without a Label keeps the row's
	// Remember says that the client keeps the token beyond its own restart. With
	// Replace it is ignored: the row keeps what it had.
	Remember bool
	Idle     time.Duration // whole seconds
	// Absolute is counted from now, like Idle: created (unless Replace),
	// authenticated and last seen are all now, truncated to the second.
	Absolute time.Duration

	// Replace, unless zero, names the live session of Subject that goes on
	// under its id, with its creation time and data, under Token instead of
	// its own, with both limits anew. An entry names all that it had, of which
	// nothing lives on.
	Replace ID
	// Presented, unless zero, is a token whose session, whoever's it is, is
	// revoked in the same transaction, unless it is the one in Replace; also
	// if it has only expired, since a late touch could bring that back. A
	// token that is unknown or ended is no error.
	Presented Hash
	// RevokeOthers raises the subject's epoch: all but this session end.
	RevokeOthers bool
	// Profile, unless nil, becomes the subject's; an entry and a new version
	// only if it differs from what is there.
	Profile *Profile
	// Limit is how many live sessions the subject may have with this one; at
	// least 1.
	// Beyond it the longest unseen of those whose level is not higher are
	// revoked, each with an entry of its own.
	Limit int
}

// Created is what Create made.
type Created struct {
	Loaded
	Position Position
}

// Loaded is a session as the store holds it, with its subject, from one
// snapshot.
type Loaded struct {
	Session Row
	Subject SubjectInfo
	// Ended says that it was revoked or stands under another epoch: final,
	// whatever its limits.
	Ended bool
	// IdleLeft and AbsoluteLeft are what remains by the store's clock, zero or
	// less once the limit has passed; Age is the time since authentication.
	IdleLeft, AbsoluteLeft, Age time.Duration
	// TokenLeft is what remains of the token itself: at most AbsoluteLeft, and just
	// that where the session is not renewable.
	TokenLeft time.Duration
	// Place says which of the session's tokens it is.
	Place Place
}

// Place is that of a pair of tokens in its session. Its values are stored; none is
// ever renumbered.
type Place uint8

const (
	// Own is the pair that the client has shown to have, or the one token of a
	// session that is not renewable.
	Own Place = iota
	// Next is the pair that was derived of the own one and not yet presented.
	Next
	// Superseded is the pair that was the own one before, for its grace.
	Superseded
)

// Renewal is a refresh token that was presented.
type Renewal struct {
	Refresh Hash
	// Bearer says how the session's tokens travel. Beside, unless zero, is the access
	// token that was presented with Refresh, and is of the same pair.
	Bearer bool
	Beside Hash
	// Derive returns the hashes of the pair that follows, from the salt that
	// stands beside Refresh. It is called in the transaction.
	Derive   func(Salt) (access, refresh Hash)
	Salt     Salt          // of the pair that follows, if it is made now
	Lifetime time.Duration // of its access token; whole seconds
	Grace    time.Duration // of what is superseded
}

// Renewed answers a Renewal.
type Renewed struct {
	// Loaded is the session. Place is that of the refresh token when it was
	// presented, TokenLeft what remains of the access token that follows it.
	Loaded
	Salt Salt // that stands beside the refresh token
	// Own is the access token that the session has: what is known of its use is
	// known by it.
	Own Hash
	// Reused says that the refresh token was superseded and that its grace is
	// over.
	Reused   bool
	Position Position // of the entry that confirmed it; zero if there was none
}

// Row is one session's row. Times are whole seconds.
type Row struct {
	ID                                                   ID
	Created, Authenticated, LastSeen, IdleEnds, Absolute time.Time
	Level                                                uint8
	Methods                                              Methods
	Remember, Bearer                                     bool
}

// Touch says that a session was seen.
type Touch struct {
	ID   ID
	Seen time.Time
}

// Subjects are the subject rows.
type Subjects interface {
	// Begin returns the epochs that an authentication beginning now stands
	// under; a subject without a row stands at 1. ErrDeleted for a tombstone.
	// It writes nothing.
	Begin(ctx context.Context, subject string) (Epochs, error)

	// Subjects returns those of the ids that have a row, tombstones included,
	// in any order. The Manager asks for at most 100.
	Subjects(ctx context.Context, ids []string) ([]SubjectInfo, error)
}

// Position is a place in the log of one incarnation of a store. A number alone
// never identifies an entry: a store brought back from a backup counts again.
type Position struct {
	Incarnation [16]byte
	Number      uint64 // the first entry has 1 or more; 0 means no entry
	Nonce       uint64 // random, of the entry with this number
}

// EntryKind says what an entry names. A node that meets a kind it does not
// know forgets all it has cached.
type EntryKind uint8

// The kinds of entries. Their values are stored; none is ever renumbered.
const (
	EntrySession EntryKind = 1 // the sessions with these hashes
	EntrySubject EntryKind = 2 // all sessions of a subject, or its profile
	EntryAll     EntryKind = 3 // everything
	// EntrySuperseded names tokens that have a successor. Their session lives on,
	// and they for a grace: a node forgets what it has cached of them.
	EntrySuperseded EntryKind = 4
)

// Entry is one line of the log: something took away or changed authority.
type Entry struct {
	Number  uint64
	Nonce   uint64
	At      time.Time // the store's
	Kind    EntryKind
	Hashes  []Hash // EntrySession: every hash of the session that was not yet dead; EntrySuperseded
	Subject string // EntrySubject
}

// Lease says what a tick's reply entitles a node to.
type Lease uint8

const (
	// LeaseNone says that the store cannot vouch for what it answered.
	LeaseNone Lease = iota
	// LeaseTimed lasts Config.Delta from when the tick was sent.
	LeaseTimed
	// LeaseHeld lasts until Signals.Lapse: for a store that lives in this
	// process and has no other node.
	LeaseHeld
)

// Batch answers a tick.
type Batch struct {
	Head Position
	// Reset says that the asker's position is not an entry of this log: of
	// another incarnation, with another nonce, or no longer kept. Entries is
	// then empty.
	Reset   bool
	Entries []Entry // consecutive, from the one after the asker's position
	Lease   Lease
}

// Terms are what a store tells a Manager when it is attached.
type Terms struct {
	// TokenKey keys the checksum in a token. It is made with the schema.
	TokenKey [32]byte
	// Leased says that other nodes may hold leases on this store, so that a
	// strict revocation has to wait for them.
	Leased bool
}

// Signals reach a node between its ticks. Both return at once and may be
// called from any goroutine, also while a transaction is under way.
type Signals struct {
	Wake  func() // something was logged: tick soon
	Lapse func() // the store can vouch for nothing it has answered: no lease now, and none from a tick already sent
}

// Log is the sequence of everything that took away or changed authority,
// consecutive in commit order, without gaps.
type Log interface {
	// Attach makes a node known. It is called once by New and writes nothing.
	// A store that admits one node only returns ErrWrongStore for a second.
	Attach() (Terms, error)

	// Watch calls s.Wake whenever something was logged and s.Lapse whenever a
	// commit has failed, before any caller is told, until ctx ends, and then
	// returns nil. A wake-up may be lost, a lapse may not.
	Watch(ctx context.Context, s Signals) error

	// Tick returns what follows after, at most limit entries, in one snapshot
	// with the head.
	Tick(ctx context.Context, after Position, limit int) (Batch, error)

	// Apply carries out one change with its entry, the joins first, and
	// returns its position. When there is nothing to do (Revoke of a session
	// already ended) it runs the joins and returns the head of the log, so
	// that waiting for it waits for the change that came before.
	//
	//	ChangeRevoke      ends Session, also if it has only expired; ErrNoSession if the subject has no such row
	//	ChangeOthers      subject's epoch + 1, and Session is re-stamped; ErrNoSession if it is not live
	//	ChangeAll         subject's epoch + 1; a subject without a row gets one at 2
	//	ChangeEverything  global epoch + 1
	//	ChangeProfile     ErrMoved if Version is neither 0 nor the current one; a subject without a row gets one;
	//	                  logged also if it changes nothing
	//	ChangeDelete      epoch + 1, profile emptied, a tombstone; idempotent
	//
	// Every change but ChangeDelete of a tombstone is ErrDeleted.
	Apply(ctx context.Context, now time.Time, c Change, joins []Join) (Position, error)
}

// ChangeKind says what a Change does.
type ChangeKind uint8

// The kinds of changes.
const (
	ChangeRevoke ChangeKind = iota + 1
	ChangeOthers
	ChangeAll
	ChangeEverything
	ChangeProfile
	ChangeDelete
)

// Change takes away or changes authority and hands out no token. Make one with
// Revoke, RevokeOthers, RevokeAll, RevokeEverything, SetProfile or
// DeleteSubject; stores read the fields.
type Change struct {
	Kind    ChangeKind
	Subject string
	Session ID
	Profile Profile
	Version uint64
}

// Revoke ends one session of the subject. An id that this subject does not
// have is ErrNoSession; one that has ended already is no error.
func Revoke(subject string, id ID) Change {
	return Change{Kind: ChangeRevoke, Subject: subject, Session: id}
}

// RevokeOthers ends all sessions of the subject but keep, which goes on under
// its token: requests of other tabs in flight are not thrown out.
func RevokeOthers(subject string, keep ID) Change {
	return Change{Kind: ChangeOthers, Subject: subject, Session: keep}
}

// RevokeAll ends all sessions of the subject, and every sign-in under way.
func RevokeAll(subject string) Change { return Change{Kind: ChangeAll, Subject: subject} }

// RevokeEverything ends all sessions of all subjects.
func RevokeEverything() Change { return Change{Kind: ChangeEverything} }

// SetProfile replaces the subject's profile. With a version other than 0 it is
// ErrMoved if the subject was changed since that version was read.
func SetProfile(subject string, p Profile, version uint64) Change {
	return Change{Kind: ChangeProfile, Subject: subject, Profile: p, Version: version}
}

// DeleteSubject ends all sessions of the subject and leaves a tombstone: it
// can never sign in again, and its name is not reused.
func DeleteSubject(subject string) Change { return Change{Kind: ChangeDelete, Subject: subject} }

// Join is a caller's own work in the transaction of a Create or Apply, on the
// same database, before the store's own. The engines make them (sqlite.Join).
// It must not call the Manager. If it fails, panics or ends its goroutine,
// nothing is committed.
type Join interface {
	// Engine names the engine it was made for; another refuses it with
	// ErrWrongStore before anything is run.
	Engine() string
}

// Values are the small data kept with a session, by key. A session that is not
// live at now is ErrNoSession: no write brings it back. The sum of the lengths
// of keys and values of a session is at most MaxData; beyond it PutData is
// ErrTooLarge. The length of a key is the Manager's to check. Each method is
// atomic.
type Values interface {
	// GetData returns the value and whether there is one.
	GetData(ctx context.Context, now time.Time, id ID, key string) ([]byte, bool, error)
	// PutData sets the value.
	PutData(ctx context.Context, now time.Time, id ID, key string, value []byte) error
	// DeleteData removes the key; one that is not there is no error.
	DeleteData(ctx context.Context, now time.Time, id ID, key string) error
	// TakeData returns the value and removes it: of several callers one gets it.
	TakeData(ctx context.Context, now time.Time, id ID, key string) ([]byte, bool, error)
}

// Limits of a session's data.
const (
	MaxData = 64 << 10 // bytes of all keys and values of a session
	MaxKey  = 128      // bytes of a key
)
