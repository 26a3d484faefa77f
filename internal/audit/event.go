package audit

import "slices"

// Event says what happened. The values are stored and shown by the API; none is
// ever renamed.
type Event string

// The events.
const (
	SessionIssued             Event = "session.issued"
	SessionSignedOut          Event = "session.signed_out"
	SessionReauthenticated    Event = "session.reauthenticated"
	SessionRevoked            Event = "session.revoked"
	SessionReused             Event = "session.reused" // and revoked: one of two who held its refresh token is a thief
	SessionsRevokedOthers     Event = "sessions.revoked_others"
	SessionsRevokedAll        Event = "sessions.revoked_all"
	SessionsRevokedEverything Event = "sessions.revoked_everything"

	AccountCreated         Event = "account.created"
	AccountPasswordChanged Event = "account.password_changed" // which ends all other sessions
	AccountProfileChanged  Event = "account.profile_changed"
	AccountRolesChanged    Event = "account.roles_changed"
	AccountDisabled        Event = "account.disabled"
	AccountEnabled         Event = "account.enabled"
	AccountDeleted         Event = "account.deleted"

	LinkIssued Event = "link.issued"
	LinkUsed   Event = "link.used"
	SetupUsed  Event = "setup.used"

	SignInRefused           Event = "signin.refused"
	ReauthenticationRefused Event = "reauthentication.refused"
	PasswordChangeRefused   Event = "password_change.refused"
	LinkRefused             Event = "link.refused"
	SetupRefused            Event = "setup.refused"
	AdminRefused            Event = "admin.refused"
)

// acts and refusals are all events, each in one of the two.
var (
	acts = []Event{
		SessionIssued, SessionSignedOut, SessionReauthenticated, SessionRevoked, SessionReused,
		SessionsRevokedOthers, SessionsRevokedAll, SessionsRevokedEverything,
		AccountCreated, AccountPasswordChanged, AccountProfileChanged, AccountRolesChanged,
		AccountDisabled, AccountEnabled, AccountDeleted,
		LinkIssued, LinkUsed, SetupUsed,
	}
	refusals = []Event{
		SignInRefused, ReauthenticationRefused, PasswordChangeRefused, LinkRefused, SetupRefused, AdminRefused,
	}
)

// Events returns all events.
func Events() []Event { return slices.Concat(acts, refusals) }

// Known reports whether e is one of the events.
func (e Event) Known() bool { return slices.Contains(acts, e) || e.Refusal() }

// Refusal reports whether e is an attempt that was refused: it changed nothing,
// and is counted by Refusals.
func (e Event) Refusal() bool { return slices.Contains(refusals, e) }

// Reason says why an attempt was refused. The values are stored and shown by
// the API; none is ever renamed.
type Reason string

// The reasons. An attempt that can be refused in one way only needs none.
const (
	Credentials Reason = "credentials" // the password, link or code was not right
	Throttled   Reason = "throttled"   // too many attempts came before it
	Disabled    Reason = "disabled"    // the account is

	// Other is the reason of an entry in which Refusals has counted together
	// what was too much to write one by one.
	Other Reason = "other"
)

// Reasons returns all reasons.
func Reasons() []Reason { return []Reason{Credentials, Throttled, Disabled, Other} }

// Known reports whether r is one of the reasons, or none.
func (r Reason) Known() bool { return r == "" || slices.Contains(Reasons(), r) }
