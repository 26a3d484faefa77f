package audit

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"cloakroom/internal/audit/visible"
	"cloakroom/session"

	"github.com/go-json-experiment/json"
)

// Limits of an entry's texts, in bytes.
const (
	maxID        = session.MaxSubject
	maxAddress   = 64
	maxUserAgent = 512
	maxFacts     = 16 // not bytes
	maxFactName  = 32
	maxFact      = 1024
	maxDetail    = 2 << 10 // of the facts as JSON
)

// Prepare returns the entry as a store keeps it: times are whole seconds, At,
// Until and Count are set, and every text is UTF-8 in which whatever is not seen
// is escaped, and is not too long: what is longer is cut and ends in an
// ellipsis. It is idempotent. The error is session.ErrInvalid: there is no such
// event or reason.
func (e Entry) Prepare(now time.Time) (Entry, error) {
	if !e.Event.Known() || !e.Reason.Known() {
		return Entry{}, fmt.Errorf("%w: no event of the audit, or no reason", session.ErrInvalid)
	}
	if e.At.IsZero() {
		e.At = now
	}
	if e.Until.Before(e.At) {
		e.Until = e.At
	}
	e.At, e.Until = e.At.UTC().Truncate(time.Second), e.Until.UTC().Truncate(time.Second)
	e.Count = max(e.Count, 1)
	e.Actor = visible.Text(e.Actor, maxID)
	e.Subject = visible.Text(e.Subject, maxID)
	e.Session = visible.Text(e.Session, maxID)
	e.Address = visible.Text(e.Address, maxAddress)
	e.UserAgent = visible.Text(e.UserAgent, maxUserAgent)
	e.Detail = bounded(e.Detail)
	return e, nil
}

// bounded returns the facts, cut as far as it takes for all of them to fit.
func bounded(facts map[string]string) map[string]string {
	if len(facts) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(facts))
	names = names[:min(len(names), maxFacts)]
	for limit := maxFact; ; limit /= 2 {
		short := make(map[string]string, len(names))
		for _, name := range names {
			short[visible.Text(name, maxFactName)] = visible.Text(facts[name], limit)
		}
		if text, err := json.Marshal(short); err == nil && len(text) <= maxDetail || limit == 0 {
			return short
		}
	}
}
