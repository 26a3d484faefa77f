package cli

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// auditCommands are the commands about the record of what was done.
type auditCommands struct {
	Tail   auditTail   `cmd:"" help:"Show the latest entries of the audit."`
	Export auditExport `cmd:"" help:"Print all entries of the audit as JSON, a line for each, the latest first."`
}

// entryShape is an entry of the audit as the server tells it.
type entryShape struct {
	Seq       int64             `json:"seq"`
	At        time.Time         `json:"at"`
	Event     string            `json:"event"`
	Reason    string            `json:"reason"`
	Actor     string            `json:"actor"`
	Subject   string            `json:"subject"`
	Session   string            `json:"session"`
	Address   string            `json:"address"`
	UserAgent string            `json:"user_agent"`
	Detail    map[string]string `json:"detail"`
	Count     int               `json:"count"`
	Until     time.Time         `json:"until"`
}

// audit calls each with the entries that match, the latest first, until it
// returns false.
func (o *operator) audit(ctx context.Context, query url.Values, each func(entryShape) (bool, error)) error {
	query = cloned(query)
	for {
		var page struct {
			Entries []entryShape `json:"entries"`
			Next    string       `json:"next"`
		}
		if err := o.call(ctx, http.MethodGet, "/v1/admin/audit?"+query.Encode(), nil, &page); err != nil {
			return err
		}
		for _, e := range page.Entries {
			if more, err := each(e); err != nil || !more {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		query.Set("after", page.Next)
	}
}

func cloned(v url.Values) url.Values {
	c := url.Values{}
	for name, values := range v {
		c[name] = values
	}
	return c
}

// auditFilter is what audit commands can be asked for.
type auditFilter struct {
	Account string `placeholder:"WHO" help:"What was done to this account."`
	Event   string `placeholder:"EVENT" help:"Entries of this event, such as session.revoked."`
}

func (f auditFilter) query(ctx context.Context, o *operator) (url.Values, error) {
	query := url.Values{}
	if f.Event != "" {
		query.Set("event", f.Event)
	}
	if f.Account != "" {
		a, err := o.find(ctx, f.Account)
		if err != nil {
			return nil, err
		}
		query.Set("subject", a.ID)
	}
	return query, nil
}

type auditTail struct {
	auditFilter
	Number int  `short:"n" default:"20" help:"How many entries."`
	Follow bool `short:"f" help:"Go on with what comes."`
	JSON   bool `help:"Print JSON, a line for each entry."`
}

// lookEvery is how often a tail that follows looks for more.
const lookEvery = time.Second

// Run prints the latest entries in the order in which they came.
func (c auditTail) Run(ctx context.Context, s streams, load loader) error {
	return operate(ctx, s, load, func(ctx context.Context, o *operator) error {
		query, err := c.query(ctx, o)
		if err != nil {
			return err
		}
		t := &table{}
		if !c.JSON {
			t = newTable(s.out, "WHEN", "EVENT", "WHY", "TIMES", "BY", "ACCOUNT", "FROM")
		}
		seen, most := int64(0), max(c.Number, 0)
		for {
			var list []entryShape
			newest := seen // also when it is not to be shown
			err := o.audit(ctx, query, func(e entryShape) (bool, error) {
				newest = max(newest, e.Seq)
				if e.Seq > seen && len(list) < most {
					list = append(list, e)
				}
				return e.Seq > seen && len(list) < most, nil
			})
			if err != nil && c.Follow && ctx.Err() != nil {
				return nil // which is how one ends it
			}
			if err != nil {
				return err
			}
			seen = newest
			for _, e := range slices.Backward(list) {
				if c.JSON {
					err = printJSON(s.out, e)
				} else {
					e.row(t)
				}
				if err != nil {
					return err
				}
			}
			if !c.JSON {
				err = t.end()
			}
			if err != nil || !c.Follow {
				return err
			}
			most = 1 << 20 // from here on whatever comes
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(lookEvery):
			}
		}
	})
}

func (e entryShape) row(t *table) {
	times := ""
	if e.Count > 1 {
		times = strconv.Itoa(e.Count) + " times"
	}
	t.row(when(e.At), e.Event, e.Reason, times, e.Actor, e.Subject, e.Address)
}

type auditExport struct{ auditFilter }

// Run prints everything that is kept.
func (c auditExport) Run(ctx context.Context, s streams, load loader) error {
	return operate(ctx, s, load, func(ctx context.Context, o *operator) error {
		query, err := c.query(ctx, o)
		if err != nil {
			return err
		}
		return o.audit(ctx, query, func(e entryShape) (bool, error) { return true, printJSON(s.out, e) })
	})
}
