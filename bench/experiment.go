package main

import (
	"context"
	"fmt"
	"strings"
)

// experiment is a set of measurements that belong together: they share what
// has to be prepared, and take turns within each round.
type experiment struct {
	name string
	rows []row
	// needs says what is missing on this machine; asked before anything is
	// measured, for that takes minutes.
	needs func() error
	open  func(context.Context, *bench) (trial, error)
}

// trial is an experiment that is prepared.
type trial interface {
	// round takes every measurement once.
	round(context.Context, samples) error
	close()
}

// samples are what was measured: for each series one value a round.
type samples map[string][]float64

func (s samples) add(series string, value float64) { s[series] = append(s[series], value) }

// experiments are all there are, in the order of the table.
func (b *bench) experiments() []experiment {
	all := []experiment{b.smallCache(), b.renewable(), b.largeCache(b.size.large)}
	if b.size.huge > 0 {
		all = append(all, b.largeCache(b.size.huge))
	}
	return append(all, b.scaling(), b.memory(), b.overHTTP(), b.durable(), b.starting(),
		b.flood(b.size.callers), b.flood(fewAddresses), b.lists(), b.alike(), b.weight(), b.footprint(), b.batch(), b.backup(), b.behindNginx())
}

// chosen are the experiments with the rows that were asked for.
func (b *bench) chosen() ([]experiment, error) {
	var all []experiment
	for _, e := range b.experiments() {
		if e.rows = b.selected(e); len(e.rows) == 0 {
			continue
		}
		if e.needs != nil {
			if err := e.needs(); err != nil {
				return nil, err
			}
		}
		all = append(all, e)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no row has %q in its name", b.only)
	}
	return all, nil
}

// selected are the rows that were asked for: all if the experiment itself is.
func (b *bench) selected(e experiment) []row {
	if strings.Contains(e.name, b.only) {
		return e.rows
	}
	var rows []row
	for _, r := range e.rows {
		if strings.Contains(r.what, b.only) {
			rows = append(rows, r)
		}
	}
	return rows
}

// carryOut prepares the experiment and measures, round after round.
func (b *bench) carryOut(ctx context.Context, e experiment) (samples, error) {
	b.say("%s: preparing", e.name)
	t, err := e.open(ctx, b)
	if err != nil {
		return nil, err
	}
	defer t.close()
	taken := make(samples)
	for i := range b.rounds {
		b.say("%s: round %d of %d", e.name, i+1, b.rounds)
		if err := t.round(ctx, taken); err != nil {
			return taken, fmt.Errorf("round %d: %w", i+1, err)
		}
		if err := ctx.Err(); err != nil {
			return taken, err
		}
	}
	return taken, nil
}
