package main

import "math"

// row is one line of the table: a series of measurements, the peer's beside it,
// and a bar.
type row struct {
	what     string
	measured string // a series
	peer     string // a series, or "" for none
	peerName string
	unit     unit
	bar      bar
	// claim is what several rows measure, each in its way: to reach one of their
	// bars is enough.
	claim string
	// worst says that the greatest of the rounds decides, and not their median.
	worst bool
}

// bar is what has to be reached. It judges one value a round, made from what
// was measured and the peer's, and the median of those decides.
type bar struct {
	text     string
	value    func(measured, peer float64) float64
	format   func(float64) string
	compares bool // the value is not just what was measured, so the table shows it
	reached  func(float64) bool
}

// fasterThan wants the peer to take at least n times as long.
func fasterThan(n float64) bar {
	return bar{"≥ " + times(n), func(m, p float64) float64 { return p / m }, times, true, atLeast(n)}
}

// rateAbove wants at least n times the peer's rate.
func rateAbove(n float64) bar {
	return bar{"≥ " + times(n), func(m, p float64) float64 { return m / p }, times, true, atLeast(n)}
}

// within wants the measured to take at most n times as long as the peer.
func within(n float64) bar {
	return bar{"≤ " + times(n), func(m, p float64) float64 { return m / p }, times, true, atMost(n)}
}

// above wants at most n of the unit more than the peer.
func above(n float64, u unit) bar {
	return bar{"≤ +" + u.format(n), func(m, p float64) float64 { return m - p }, u.signed, true, atMost(n)}
}

// limit wants at most n of the unit, floor at least n, whatever the peer has.
func limit(n float64, u unit) bar {
	return bar{"≤ " + u.format(n), alone, u.format, false, atMost(n)}
}

func floor(n float64, u unit) bar {
	return bar{"≥ " + u.format(n), alone, u.format, false, atLeast(n)}
}

// informs wants nothing.
func informs(u unit) bar { return bar{value: alone, format: u.format} }

func alone(m, _ float64) float64           { return m }
func atLeast(n float64) func(float64) bool { return func(v float64) bool { return v >= n } }
func atMost(n float64) func(float64) bool  { return func(v float64) bool { return v <= n } }

// outcome is a row that was measured.
type outcome struct {
	row
	measured, peer         float64 // medians
	value, lowest, highest float64 // of what the bar judges
	verdict                string
}

// judged is what decides.
func (o outcome) judged() float64 {
	if o.worst {
		return o.highest
	}
	return o.value
}

// evaluate takes the medians and judges. Rows that were not measured, because
// their experiment failed, are left out.
func evaluate(rows []row, s samples) []outcome {
	var outcomes []outcome
	claims := make(map[string]bool) // those that some row reaches
	for _, r := range rows {
		o := outcome{row: r}
		values := r.values(s)
		if len(values) == 0 {
			continue
		}
		o.measured, o.peer = median(s[r.measured]), median(s[r.peer])
		o.value, o.lowest, o.highest = median(values), math.Inf(1), math.Inf(-1)
		for _, v := range values {
			o.lowest, o.highest = min(o.lowest, v), max(o.highest, v)
		}
		switch {
		case r.bar.reached == nil:
		case r.bar.reached(o.judged()):
			o.verdict = "reached"
			claims[r.claim] = true
		default:
			o.verdict = "missed"
		}
		outcomes = append(outcomes, o)
	}
	for i := range outcomes {
		o := &outcomes[i]
		if o.verdict == "missed" && o.claim != "" && claims[o.claim] {
			o.verdict = "reached the other way"
		}
	}
	return outcomes
}

// values are what the bar judges, one a round.
func (r row) values(s samples) []float64 {
	var values []float64
	for i, m := range s[r.measured] {
		peer := math.NaN()
		if r.peer != "" {
			if i >= len(s[r.peer]) {
				break
			}
			peer = s[r.peer][i]
		}
		values = append(values, r.bar.value(m, peer))
	}
	return values
}
