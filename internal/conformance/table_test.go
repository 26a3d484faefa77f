package conformance

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/conformance.md")

const pageFile = "../../docs/conformance.md"

func TestThePageIsWhatTheTableMakes(t *testing.T) {
	tests, err := findTests(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	made := page(sections, tests)
	if *update {
		if err := os.WriteFile(pageFile, []byte(made), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	there, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(there) != made {
		t.Error("docs/conformance.md is out of date: go test ./internal/conformance -run TestThePage -update")
	}
}

func TestTheRowsAndTheirTestsNameEachOther(t *testing.T) {
	tests, err := findTests(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range check(sections, tests) {
		t.Error(wrong)
	}
	last := sections[len(sections)-1].Rows
	if n := last[len(last)-1].Number; n != 140 {
		t.Errorf("the last row is %d", n)
	}
}

func TestATableThatClaimsTooMuchIsFound(t *testing.T) {
	good := []section{{"A", []Row{{1, "", "", "", Shown, ""}, {2, "", "", "", NotBuilt, "why"}}}}
	first := test{"TestRow001A", "a_test.go", []int{1}}
	if wrong := check(good, []test{first}); wrong != nil {
		t.Errorf("found in a table that is right: %q", wrong)
	}
	for name, c := range map[string]struct {
		rows  []Row
		tests []test
		want  string
	}{
		"a claim without a test":     {good[0].Rows, nil, "row 1 says that a test shows it"},
		"a test without a row":       {good[0].Rows, []test{first, {"TestRow003B", "a_test.go", []int{3}}}, "TestRow003B is for row 3"},
		"a test of what is not ours": {[]Row{{1, "", "", "", Operator, "why"}}, []test{first}, "TestRow001A is for row 1"},
		"no reason":                  {[]Row{{1, "", "", "", Operator, ""}}, nil, "row 1 does not say why"},
		"a row left out":             {[]Row{{2, "", "", "", NotBuilt, "why"}}, nil, "row 2 stands where 1 should"},
	} {
		t.Run(name, func(t *testing.T) {
			if wrong := strings.Join(check([]section{{"A", c.rows}}, c.tests), "\n"); !strings.Contains(wrong, c.want) {
				t.Errorf("found %q, want %q", wrong, c.want)
			}
		})
	}
	if got := rowsOf("TestRow014And015EveryCookie"); len(got) != 2 || got[0] != 14 || got[1] != 15 {
		t.Errorf("rows %v", got)
	}
}
