package main

import (
	"strings"
	"testing"
)

func TestAFigureIsWrittenWithThreeDigitsThatCount(t *testing.T) {
	for value, want := range map[float64]string{
		0: "0", 3: "3", 200: "200", 0.123: "0.12", 1.7: "1.70", 12.34: "12.3", 123.4: "123",
		1234: "1,234", 1234567.8: "1,234,568", -0.5: "-0.50", -1234: "-1,234", 100: "100", 1000: "1,000",
	} {
		if got := number(value); got != want {
			t.Errorf("%v is written %q, want %q", value, got, want)
		}
	}
}

func TestABarJudgesTheMedianOfTheRounds(t *testing.T) {
	s := samples{"ours": {100, 200, 100}, "peer": {1000, 1000, 500}}
	for name, c := range map[string]struct {
		bar     bar
		value   float64
		verdict string
	}{
		"faster":         {fasterThan(5), 5, "reached"},
		"not as fast":    {fasterThan(5.1), 5, "missed"},
		"a rate":         {rateAbove(0.2), 0.2, "reached"},
		"too low a rate": {rateAbove(0.3), 0.2, "missed"},
		"not above":      {above(-800, nanoseconds), -800, "reached"},
		"above":          {above(-801, nanoseconds), -800, "missed"},
		"a limit":        {limit(100, nanoseconds), 100, "reached"},
		"a floor":        {floor(101, nanoseconds), 100, "missed"},
		"information":    {informs(nanoseconds), 100, ""},
	} {
		o := evaluate([]row{{what: name, measured: "ours", peer: "peer", bar: c.bar}}, s)
		if len(o) != 1 || o[0].value != c.value || o[0].verdict != c.verdict {
			t.Errorf("%s: %+v, want %v, %q", name, o, c.value, c.verdict)
		}
	}
}

func TestTheWorstRoundDecidesWhereItHasTo(t *testing.T) {
	s := samples{"ours": {1, 11, 2}}
	for want, worst := range map[string]bool{"reached": false, "missed": true} {
		r := row{what: "a", measured: "ours", bar: limit(10, seconds), worst: worst}
		if o := evaluate([]row{r}, s)[0]; o.verdict != want || o.value != 2 {
			t.Errorf("worst %v: %+v", worst, o)
		}
	}
}

func TestOneOfTwoBarsIsEnoughForAClaim(t *testing.T) {
	rows := []row{
		{what: "a", measured: "ours", bar: limit(1, bytesEach), claim: "small"},
		{what: "b", measured: "ours", bar: limit(3, bytesEach), claim: "small"},
		{what: "c", measured: "ours", bar: limit(1, bytesEach)},
	}
	for i, want := range []string{"reached the other way", "reached", "missed"} {
		if got := evaluate(rows, samples{"ours": {2}})[i].verdict; got != want {
			t.Errorf("row %s: %q, want %q", rows[i].what, got, want)
		}
	}
}

func TestARowThatWasNotMeasuredIsLeftOut(t *testing.T) {
	r := row{measured: "ours", peer: "peer", bar: fasterThan(1)}
	if o := evaluate([]row{r}, samples{"ours": {1}}); len(o) != 0 {
		t.Errorf("%+v", o)
	}
}

func TestWrksReportIsRead(t *testing.T) {
	const report = `Running 1s test @ http://127.0.0.1:1/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   410.55us  319.79us   9.32ms   97.68%
  80642 requests in 1.10s, 5.77MB read
%sRequests/sec:  73317.55
Transfer/sec:      5.24MB
`
	got, err := parseWrk(strings.Replace(report, "%s", "", 1))
	if err != nil || got != (load{80642, 73317.55}) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, failure := range []string{
		"  Non-2xx or 3xx responses: 12\n",
		"  Socket errors: connect 0, read 3, write 0, timeout 0\n",
	} {
		if _, err := parseWrk(strings.Replace(report, "%s", failure, 1)); err == nil {
			t.Errorf("%q is taken for a measurement", failure)
		}
	}
	if _, err := parseWrk("wrk: unable to connect"); err == nil {
		t.Error("no report is taken for one")
	}
}

func TestTheTableStandsInColumnsOrInMarkdown(t *testing.T) {
	cells := [][]string{heading, {"check", "170 ns", "JWT", "7,000 ns", "41.2 ×", "≥ 40 ×", "reached", "39 × .. 43 ×"}}
	plain := strings.Split(columns(cells), "\n")
	if len(plain) != 4 || strings.Index(plain[0], "verdict") != strings.Index(strings.ReplaceAll(strings.ReplaceAll(plain[2], "≥", ">"), "×", "x"), "reached") {
		t.Errorf("columns are not below each other:\n%s", strings.Join(plain, "\n"))
	}
	want := "| what | measured | peer |  | ratio | bar | verdict | spread |\n" +
		"|---|---:|---|---:|---:|---:|---|---|\n" +
		"| check | 170 ns | JWT | 7,000 ns | 41.2 × | ≥ 40 × | reached | 39 × .. 43 × |\n"
	if got := markdown(cells); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
