package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const limitsFile = "../../docs/limits.md"

// documented returns the rows of the page's tables whose first column has this
// title, a cell for each column.
func documented(t *testing.T, title string) (rows [][]string) {
	t.Helper()
	text, err := os.ReadFile(limitsFile)
	if err != nil {
		t.Fatal(err)
	}
	in := false
	for line := range strings.Lines(string(text)) {
		line, isRow := strings.CutPrefix(strings.TrimSpace(line), "|")
		cells := strings.Split(strings.TrimSuffix(line, "|"), "|")
		for i, cell := range cells {
			cells[i] = strings.TrimSpace(cell)
		}
		switch {
		case !isRow:
			in = false
		case cells[0] == title:
			in = true
		case in && cells[0] != "---":
			rows = append(rows, cells)
		}
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no table of each %s", limitsFile, title)
	}
	return rows
}

func TestRow028TheLimitsAreWhatThePageSays(t *testing.T) {
	t.Parallel()
	measured := figures(t)
	for _, row := range documented(t, "limit") {
		if len(row) != 5 {
			t.Errorf("%d columns: %q", len(row), row)
			continue
		}
		name, value := row[0], row[1]
		switch got, ok := measured[name]; {
		case !ok:
			t.Errorf("nothing measures: %s", name)
		case got != value:
			t.Errorf("%s: %s, and the page says %s", name, got, value)
		}
		delete(measured, name)
	}
	for name, value := range measured {
		t.Errorf("%s, %s, is not on the page", name, value)
	}
}

var (
	rowOf  = regexp.MustCompile(`^(.+) \(row (\d+)\)$`)
	bounds = regexp.MustCompile("^`([a-z._]+)`: (\\S+) (?:to (\\S+)|and more)$")
)

// Each has a reason, and says which row asks for it, in the words of that row.
func TestRow028EveryLimitHasAReasonAndASource(t *testing.T) {
	t.Parallel()
	sources := map[string]string{}
	for _, s := range sections {
		for _, r := range s.Rows {
			sources[strconv.Itoa(r.Number)] = r.Sources
		}
	}
	for _, row := range slices.Concat(documented(t, "limit"), documented(t, "ending")) {
		why, asked := row[len(row)-2], row[len(row)-1]
		if len(why) < len("The same.") {
			t.Errorf("%s: no reason", row[0])
		}
		m := rowOf.FindStringSubmatch(asked)
		if m == nil {
			if asked != "ours" {
				t.Errorf("%s: no row asks for it: %s", row[0], asked)
			}
			continue
		}
		for part := range strings.SplitSeq(m[1], "; ") {
			if !strings.Contains(sources[m[2]], part) {
				t.Errorf("%s: row %s does not name %s", row[0], m[2], part)
			}
		}
	}
}

// The bounds of what can be set are taken, and what is beyond them is not. No
// setting that is a number is left out.
func TestRow028WhatCanBeSetIsAsThePageSays(t *testing.T) {
	t.Parallel()
	left := settings(t)
	maps.DeleteFunc(left, func(key, value string) bool {
		return value == "" || value[0] < '0' || value[0] > '9' || strings.Contains(key, "listen")
	})
	left["password.slots"] = "auto"
	for _, row := range documented(t, "limit") {
		m := bounds.FindStringSubmatch(row[2])
		if m == nil {
			if row[2] != "" {
				t.Errorf("%s: the setting is %q", row[0], row[2])
			}
			continue
		}
		key, least, most := m[1], m[2], m[3]
		if left[key] == "" {
			t.Errorf("%s: there is no %s, or it stands on the page twice", row[0], key)
		}
		delete(left, key)
		for value, taken := range map[string]bool{least: true, beside(t, least, -1): false, most: true, beside(t, most, +1): false} {
			if value == "" {
				continue
			}
			said, err := operate(t, "config", "check", "--sessions.idle=1m", "--sessions.absolute=400d", "--"+strings.ReplaceAll(key, "_", "-")+"="+value)
			if (err == nil) != taken || err != nil && !strings.Contains(said, key+": ") {
				t.Errorf("%s: %s is answered by %v, %s", key, value, err, said)
			}
		}
	}
	for key := range left {
		t.Errorf("%s is not on the page", key)
	}
}

var amount = regexp.MustCompile(`^(\d+)(|[smhd]|MiB)$`)

// beside is the value next to another: by one, or by a second.
func beside(t *testing.T, value string, by int) string {
	t.Helper()
	if value == "" { // there is no bound
		return ""
	}
	m := amount.FindStringSubmatch(value)
	if m == nil {
		t.Fatalf("%q is no bound", value)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	switch m[2] {
	case "d":
		n *= 24
		fallthrough
	case "h":
		n *= 60
		fallthrough
	case "m":
		n *= 60
		fallthrough
	case "s":
		return fmt.Sprintf("%ds", n+by)
	}
	return fmt.Sprintf("%d%s", n+by, m[2])
}

// operate runs a command of the product.
func operate(t *testing.T, args ...string) (said string, err error) {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(filepath.Join(workshop, released), args...).CombinedOutput()
	return string(out), err
}

// settings are the values of an installation with nothing set.
func settings(t *testing.T) map[string]string {
	t.Helper()
	said, err := operate(t, "config", "show", "--json")
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	var list []struct{ Key, Value string }
	if err := json.Unmarshal([]byte(said), &list); err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, s := range list {
		values[s.Key] = s.Value
	}
	return values
}

// inWords is a time as the page writes it.
func inWords(d time.Duration) string {
	for _, unit := range []struct {
		name string
		long time.Duration
	}{{"day", day}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		switch n := d / unit.long; {
		case n == 0 || d%unit.long != 0 || d == day && unit.long == day: // which is 24 hours
		case n == 1:
			return "1 " + unit.name
		default:
			return fmt.Sprintf("%d %ss", n, unit.name)
		}
	}
	return d.String()
}

// inSource is what a pattern finds in a file of the released, for what cannot be
// seen from outside.
func inSource(t *testing.T, file, pattern string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", file))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1)
	if len(found) != 1 {
		t.Fatalf("%s has %s %d times", file, pattern, len(found))
	}
	return found[0][1:]
}

// timeInSource is a time that is written like 5 * time.Second.
func timeInSource(t *testing.T, file, before string) string {
	t.Helper()
	m := inSource(t, file, before+`\s*(\d+)\s?\*\s?time\.(Second|Minute|Hour)\b`)
	unit := map[string]time.Duration{"Second": time.Second, "Minute": time.Minute, "Hour": time.Hour}[m[1]]
	n, _ := strconv.Atoi(m[0]) // digits
	return inWords(time.Duration(n) * unit)
}
