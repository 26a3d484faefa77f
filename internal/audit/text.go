package audit

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

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
	e.Actor = visible(e.Actor, maxID)
	e.Subject = visible(e.Subject, maxID)
	e.Session = visible(e.Session, maxID)
	e.Address = visible(e.Address, maxAddress)
	e.UserAgent = visible(e.UserAgent, maxUserAgent)
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
			short[visible(name, maxFactName)] = visible(facts[name], limit)
		}
		if text, err := json.Marshal(short); err == nil && len(text) <= maxDetail || limit == 0 {
			return short
		}
	}
}

const ellipsis = "…"

// visible returns s with whatever is not seen, or changes how what follows is
// seen, in the spelling of a Go string literal, and cut to at most limit bytes.
// Its work is bounded by limit, whatever the length of s.
func visible(s string, limit int) string {
	if len(s) <= limit && !strings.ContainsFunc(s, notPlain) {
		return s
	}
	if limit < len(ellipsis) {
		return ""
	}
	out := make([]byte, 0, limit)
	room := 0 // how much of out leaves room for the ellipsis
	for rest := s; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		piece := spell(r, rest[:size])
		rest = rest[size:]
		if len(out)+len(piece) > limit {
			return string(out[:room]) + ellipsis
		}
		if out = append(out, piece...); len(out) <= limit-len(ellipsis) {
			room = len(out)
		}
	}
	return string(out)
}

func notPlain(r rune) bool { return r < ' ' || r > '~' }

// spell returns the character as it is, if it is seen, and escaped otherwise:
// control and format characters, all spaces but the ASCII one, letters that are
// drawn as nothing, and bytes that are no UTF-8.
func spell(r rune, as string) string {
	switch {
	case r == utf8.RuneError && len(as) == 1:
		return fmt.Sprintf(`\x%02x`, as[0])
	case unicode.IsPrint(r) && !unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return as
	}
	return strings.Trim(strconv.QuoteRuneToASCII(r), "'")
}
