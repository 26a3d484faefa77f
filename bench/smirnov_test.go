package main

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestSmirnovsDistanceIsTheGreatest(t *testing.T) {
	for name, c := range map[string]struct {
		a, b []float64
		want float64
	}{
		"apart":             {[]float64{1, 2}, []float64{4, 3}, 1},
		"the same":          {[]float64{3, 1, 2}, []float64{1, 2, 3}, 0},
		"by half":           {[]float64{4, 3, 2, 1}, []float64{3, 4, 5, 6}, 0.5},
		"equal values":      {[]float64{1, 1, 1, 2}, []float64{1, 2, 2, 2}, 0.5},
		"nothing but one":   {[]float64{7, 7, 7}, []float64{7, 7}, 0},
		"of different size": {[]float64{1, 2, 3, 4}, []float64{2.5}, 0.5},
		"within the other":  {[]float64{1, 9}, []float64{4, 5, 6}, 0.5},
	} {
		if got, _ := smirnov(c.a, c.b); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		if got, _ := smirnov(c.b, c.a); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s, the other way round: %v, want %v", name, got, c.want)
		}
	}
}

// The values are those of the published tables.
func TestKolmogorovsLimitIsThatOfTheTables(t *testing.T) {
	for x, want := range map[float64]float64{
		0.1: 1, 0.82757: 0.5, 1.07275: 0.2, 1.22385: 0.1, 1.35810: 0.05, 1.48021: 0.025, 1.62762: 0.01, 1.94947: 0.001,
	} {
		if got := kolmogorov(x); math.Abs(got-want) > want/1000 {
			t.Errorf("%v: %v, want %v", x, got, want)
		}
	}
}

// Of samples of one distribution one pair in a hundred is said to differ, and a
// shift of half the spread is seen.
func TestSmirnovTellsAShiftFromChance(t *testing.T) {
	const pairs, n = 500, 300
	r := rand.New(rand.NewPCG(13, 79))
	sample := func(shift float64) []float64 {
		s := make([]float64, n)
		for i := range s {
			s[i] = 20 + shift + r.ExpFloat64()
		}
		return s
	}
	alarms, missed := 0, 0
	for range pairs {
		if _, p := smirnov(sample(0), sample(0)); p <= 0.01 {
			alarms++
		}
		if _, p := smirnov(sample(0), sample(0.5)); p > 0.01 {
			missed++
		}
	}
	if alarms == 0 || alarms > pairs/40 {
		t.Errorf("%d of %d pairs of one distribution are said to differ", alarms, pairs)
	}
	if missed > pairs/100 {
		t.Errorf("%d of %d shifts are not seen", missed, pairs)
	}
}

func TestInterleavedTakesTurnsAndLeavesTheirOrderToChance(t *testing.T) {
	const n = 400
	asked := 0.0
	next := func(int) (float64, error) { asked++; return asked, nil }
	a, b, err := interleaved(n, next, next)
	if err != nil {
		t.Fatal(err)
	}
	before := 0
	for i := range n {
		if math.Abs(a[i]-b[i]) != 1 || math.Max(a[i], b[i]) != float64(2*i+2) {
			t.Fatalf("pair %d is %v and %v", i, a[i], b[i])
		}
		if a[i] < b[i] {
			before++
		}
	}
	if before < n/4 || before > n*3/4 {
		t.Errorf("the first comes before the second in %d of %d pairs", before, n)
	}
}
