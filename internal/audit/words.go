package audit

import (
	"fmt"
	"strconv"
)

// sentence says what happened to the one who reads it: by their own doing or
// nobody's that is known, and by somebody else's, who stands in place of %s.
type sentence struct{ own, by string }

var ofActs = map[Event]sentence{
	SessionIssued:             {"Signed in", "%s signed in to this account"},
	SessionSignedOut:          {"Signed out", "%s signed out of this account"},
	SessionReauthenticated:    {"Password confirmed", "%s confirmed the password"},
	SessionRevoked:            {"One device was signed out", "%s signed one of your devices out"},
	SessionReused:             {"A copied sign-in of one device was used; it was signed out", "%s used a copied sign-in of one device; it was signed out"},
	SessionsRevokedOthers:     {"All other devices were signed out", "%s signed all but one of your devices out"},
	SessionsRevokedAll:        {"All devices were signed out", "%s signed all of your devices out"},
	SessionsRevokedEverything: {"Everybody was signed out everywhere", "%s signed everybody out everywhere"},

	AccountCreated:         {"Account created", "%s created your account"},
	AccountPasswordChanged: {"Password changed; all other devices were signed out", "%s changed your password; all devices were signed out"},
	AccountProfileChanged:  {"Profile changed", "%s changed your profile"},
	AccountRolesChanged:    {"Roles changed", "%s changed your roles"},
	AccountDisabled:        {"Account disabled", "%s disabled your account"},
	AccountEnabled:         {"Account enabled again", "%s enabled your account again"},
	AccountDeleted:         {"Account deleted", "%s deleted your account"},

	LinkIssued: {"A one-time link to this account was made", "%s made a one-time link to your account"},
	LinkUsed:   {"A one-time link to this account was used", "%s used a one-time link to your account"},
	SetupUsed:  {"Became administrator with the setup code", "%s used the setup code for your account"},
}

// attempt says what was refused, one of them and several, and what is meant
// there by Credentials.
type attempt struct{ one, many, credentials string }

var ofRefusals = map[Event]attempt{
	SignInRefused:           {"sign-in", "sign-ins", "wrong password"},
	ReauthenticationRefused: {"confirmation of the password", "confirmations of the password", "wrong password"},
	PasswordChangeRefused:   {"change of the password", "changes of the password", "wrong password"},
	LinkRefused:             {"use of a one-time link", "uses of one-time links", "the link was not valid"},
	SetupRefused:            {"use of the setup code", "uses of the setup code", "wrong code"},
	AdminRefused:            {"request for an administrator's act", "requests for administrators' acts", "not an administrator"},
}

// Sentence says the entry in plain words, as a page shows them to the account's
// owner. It holds nothing that was sent by a client.
func (e Entry) Sentence() string {
	if a, ok := ofRefusals[e.Event]; ok {
		return e.refused(a)
	}
	s, ok := ofActs[e.Event]
	switch {
	case !ok:
		return string(e.Event)
	case !e.byOther():
		return s.own
	case e.Actor == Operator:
		return fmt.Sprintf(s.by, "The operator of this server")
	}
	return fmt.Sprintf(s.by, "An administrator")
}

func (e Entry) refused(a attempt) string {
	more := ""
	if e.Reason == Other {
		more = "more "
	}
	said := "One " + more + a.one + " was refused"
	if e.Count > 1 {
		said = strconv.Itoa(e.Count) + " " + more + a.many + " were refused"
	}
	switch e.Reason {
	case Credentials:
		said += ": " + a.credentials
	case Throttled:
		said += ": too many attempts"
	case Disabled:
		said += ": the account is disabled"
	}
	return said
}
