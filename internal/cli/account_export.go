package cli

import (
	"context"
	"net/url"
)

type accountExport struct{ who }

// exported is all that is kept about an account.
type exported struct {
	Account  accountShape   `json:"account"`
	Sessions []sessionShape `json:"sessions"`
	Audit    []entryShape   `json:"audit"` // what was done to it, the latest first
}

// Run prints one JSON document. The password's hash is not part of it.
func (c accountExport) Run(ctx context.Context, s streams, load loader) error {
	return operate(ctx, s, load, func(ctx context.Context, o *operator) error {
		a, err := o.find(ctx, c.Who)
		if err != nil {
			return err
		}
		all := exported{Account: a, Sessions: []sessionShape{}, Audit: []entryShape{}}
		err = o.sessions(ctx, a.ID, func(one sessionShape) error {
			all.Sessions = append(all.Sessions, one)
			return nil
		})
		if err != nil {
			return err
		}
		err = o.audit(ctx, url.Values{"subject": {a.ID}}, func(e entryShape) (bool, error) {
			all.Audit = append(all.Audit, e)
			return true, nil
		})
		if err != nil {
			return err
		}
		return printJSON(s.out, all)
	})
}
