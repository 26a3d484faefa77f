package main

import (
	"math"
	"math/rand/v2"
	"slices"
)

// smirnov is the two-sample test of Kolmogorov and Smirnov: the greatest
// distance between the two empirical distributions, and how likely at least such
// a distance is between samples of one distribution. It asks nothing about what
// the distribution looks like, which times of requests need, and it sees any
// difference, not only one of means.
//
// The likelihood is that of Kolmogorov's limit with the correction of Stephens
// (1970) for samples that are not endless; with 10 each it is good to some
// hundredths, with 300 each to a thousandth.
func smirnov(a, b []float64) (distance, likelihood float64) {
	if len(a) == 0 || len(b) == 0 {
		return math.NaN(), math.NaN()
	}
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		at := min(a[i], b[j])
		for i < len(a) && a[i] == at { // all equal values, before looking
			i++
		}
		for j < len(b) && b[j] == at {
			j++
		}
		distance = max(distance, math.Abs(float64(i)/float64(len(a))-float64(j)/float64(len(b))))
	}
	n := math.Sqrt(float64(len(a)) * float64(len(b)) / float64(len(a)+len(b)))
	return distance, kolmogorov((n + 0.12 + 0.11/n) * distance)
}

// kolmogorov is how likely the supremum of a Brownian bridge is to be at least x.
func kolmogorov(x float64) float64 {
	if x < 0.2 {
		return 1 // to a dozen digits; the sum below hardly converges here
	}
	sum, sign := 0.0, 1.0
	for k := 1.0; k <= 100; k++ {
		sum += sign * math.Exp(-2*k*k*x*x)
		sign = -sign
	}
	return min(1, max(0, 2*sum))
}

// interleaved takes n of each of two samples, one measurement at a time. Which
// of a pair comes first is left to chance: what recurs, as a garbage collection
// does, then meets both alike.
func interleaved(n int, first, second func(i int) (float64, error)) (a, b []float64, err error) {
	a, b = make([]float64, n), make([]float64, n)
	for i := range n {
		swap := rand.IntN(2) == 1
		for turn := range 2 {
			if (turn == 0) != swap {
				a[i], err = first(i)
			} else {
				b[i], err = second(i)
			}
			if err != nil {
				return nil, nil, err
			}
		}
	}
	return a, b, nil
}
