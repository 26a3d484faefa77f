package api

import (
	"fmt"
	"net/http"
	"time"

	"cloakroom/internal/audit"
	"cloakroom/internal/problem"
)

type auditShape struct {
	Entries []entryShape `json:"entries"`
	Next    *string      `json:"next"` // null at the end
}

type entryShape struct {
	Seq       int64             `json:"seq"`
	At        time.Time         `json:"at"`
	Event     audit.Event       `json:"event"`
	Reason    audit.Reason      `json:"reason"`
	Actor     string            `json:"actor"`
	Subject   string            `json:"subject"`
	Session   string            `json:"session"`
	Address   string            `json:"address"`
	UserAgent string            `json:"user_agent"`
	Detail    map[string]string `json:"detail"`
	Count     int               `json:"count"`
	Until     time.Time         `json:"until"`
}

func (a *API) listAudit(w http.ResponseWriter, r *http.Request, _ caller) error {
	query, err := parseQuery(r, "after", "subject", "actor", "event", "since", "until")
	if err != nil {
		return err
	}
	filter, err := query.auditFilter()
	if err != nil {
		return err
	}
	list, next, err := a.authority.Audit.List(r.Context(), filter, query.text("after"), adminPage)
	if err != nil {
		return badCursor(err)
	}
	page := auditShape{Entries: make([]entryShape, len(list))}
	for i, e := range list {
		page.Entries[i] = entryShape{
			Seq: e.Seq, At: e.At, Event: e.Event, Reason: e.Reason, Actor: e.Actor, Subject: e.Subject,
			Session: e.Session, Address: e.Address, UserAgent: e.UserAgent, Detail: e.Detail, Count: e.Count, Until: e.Until,
		}
	}
	if next != "" {
		page.Next = &next
	}
	return answer(w, http.StatusOK, page)
}

func (q query) auditFilter() (f audit.Filter, err error) {
	f = audit.Filter{Subject: q.text("subject"), Actor: q.text("actor"), Event: audit.Event(q.text("event"))}
	if f.Event != "" && !f.Event.Known() {
		return f, problem.Malformed("event", `The parameter "event" is none of the events.`)
	}
	if f.Since, err = q.time("since"); err != nil {
		return f, err
	}
	f.Until, err = q.time("until")
	return f, err
}

// time reads an instant; zero if the parameter is not there.
func (q query) time(name string) (time.Time, error) {
	if _, given := q[name]; !given {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, q.text(name))
	if err != nil {
		return time.Time{}, problem.Malformed(name, fmt.Sprintf("The parameter %q must be a time such as 2031-05-06T07:08:09Z.", name))
	}
	return at, nil
}
