package conformance

// Row is one requirement.
type Row struct {
	Number  int
	Sources string // where it is stated, by the short names of the page
	Level   string // of ASVS, or the verb of the source
	Text    string // in one sentence of ours
	State   State
	// Note says why the row is in its state; of one that is shown, what its
	// test leaves out and why.
	Note string
}

// State says what has become of a row.
type State string

// The states. NotBuilt is for what a later release brings as a whole, not for
// what exists and falls short: that departs, and says why. Nor is it for what
// nobody has to have, which is Optional, or for a rule about something that there
// is not, which is Absent: neither is missed.
const (
	Shown       State = "shown"
	Departs     State = "departs"
	Bench       State = "measured by `make bench`"
	Operator    State = "the operator's"
	Application State = "the application's"
	Optional    State = "optional, and not offered"
	Absent      State = "about what there is not"
	NotBuilt    State = "not yet built"
)

// states are all of them, as the page counts them.
var states = []State{Shown, Departs, Bench, Operator, Application, Optional, Absent, NotBuilt}

// section is some rows that follow each other.
type section struct {
	Title string
	Rows  []Row
}

// sections are all rows, in their order.
var sections = []section{
	{"A. Session token", tokenRows},
	{"B. Cookies", cookieRows},
	{"C. Lifetimes and re-authentication", lifetimeRows},
	{"D. Ending sessions", endingRows},
	{"E. Request forgery, origin, headers", requestRows},
	{"F. Passwords", passwordRows},
	{"G. Guessing, enumeration, notices", guessingRows},
	{"H. Second factors, recovery, reset", factorRows},
	{"I. WebAuthn", webauthnRows},
	{"J. Federation and refresh tokens", federationRows},
	{"K. Proxies, administration, outbound requests", operationRows},
	{"L. Logs and errors", logRows},
	{"M. Device-bound sessions", boundRows},
}
