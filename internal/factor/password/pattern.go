package password

import "unicode"

const (
	shortestPattern = 3
	shortestRow     = 4 // words such as jun go along three keys
	longestPattern  = 8 // a longer one is made of pieces of four to eight
)

// rows are keys that lie side by side, on the keyboards of several countries:
// the rows, the columns, and two rows in turn.
var rows = folded(
	"qwertyuiop", "asdfghjkl;", "zxcvbnm", "!@#$%^&*()_+",
	"qwertzuiop", "yxcvbnm",
	"azertyuiop", "qsdfghjklm", "wxcvbn",
	"йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю",
	"qazwsxedcrfvtgbyhnujm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
	"q1w2e3r4t5y6u7i8o9p0", "1q2w3e4r5t6y7u8i9o0p", "1q2w3e4r5t6z7u8i9o0p",
)

func folded(rows ...string) [][]rune {
	keys := make([][]rune, len(rows))
	for i, row := range rows {
		keys[i] = []rune(fold(row))
	}
	return keys
}

// patternLength returns how many characters from the first on are one pattern;
// fewer than shortestPattern are none.
func patternLength(s []rune) int {
	s = s[:min(len(s), longestPattern)]
	longest := 0
	for _, step := range []rune{0, 1, -1} {
		n := 1
		for n < len(s) && s[n-1]+step == s[n] {
			n++
		}
		longest = max(longest, n)
	}
	for _, row := range rows {
		if n := alongRow(row, s); n >= shortestRow {
			longest = max(longest, n)
		}
	}
	return longest
}

// alongRow returns how many characters go along the row, either way.
func alongRow(row, s []rune) int {
	longest := 0
	for start, key := range row {
		if key != s[0] {
			continue
		}
		for _, step := range []int{1, -1} {
			n := 0
			for at := start; n < len(s) && at >= 0 && at < len(row) && row[at] == s[n]; at += step {
				n++
			}
			longest = max(longest, n)
		}
	}
	return longest
}

// isYear reports whether the text begins with a year from 1900 to 2099.
func isYear(s []rune) bool {
	if len(s) < 4 || string(s[:2]) != "19" && string(s[:2]) != "20" {
		return false
	}
	return unicode.IsDigit(s[2]) && unicode.IsDigit(s[3])
}
