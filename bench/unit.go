package main

import (
	"math"
	"strconv"
	"strings"
)

// unit is what a figure counts.
type unit string

const (
	nanoseconds  unit = "ns"
	microseconds unit = "µs"
	milliseconds unit = "ms"
	bytesEach    unit = "B"
	perSecond    unit = "/s"
	allocations  unit = "allocs"
	factor       unit = "×"
	megabytes    unit = "MB" // of a million bytes
	kibibytes    unit = "KB" // of 1,024 bytes, as browsers count
	percent      unit = "%"
	seconds      unit = "s"
	probability  unit = "p"
)

// format writes a figure with three digits that count, and its unit.
func (u unit) format(v float64) string { return number(v) + " " + string(u) }

func (u unit) signed(v float64) string {
	if v >= 0 {
		return "+" + u.format(v)
	}
	return u.format(v)
}

// times writes a ratio.
func times(v float64) string { return factor.format(v) }

// number writes at least three digits that count, and commas in long numbers.
func number(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "?"
	}
	decimals := 0
	switch a := math.Abs(v); {
	case a == math.Trunc(a) && a < 1000:
	case a < 10:
		decimals = 2
	case a < 100:
		decimals = 1
	}
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return sign + whole
}

// count writes a whole number.
func count(n int) string { return number(float64(n)) }
