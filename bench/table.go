package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

var heading = []string{"what", "measured", "peer", "", "ratio", "bar", "verdict", "spread"}

// print writes the machine and the table.
func (b *bench) print(w io.Writer, m machine, outcomes []outcome) error {
	cells := [][]string{heading}
	for _, o := range outcomes {
		cells = append(cells, o.cells())
	}
	text := fmt.Sprintf("%s\nRounds: %d. Figures are medians over them, the spread is from the least to the greatest.\n\n", m, b.rounds)
	if b.markdown {
		text += markdown(cells)
	} else {
		text += columns(cells)
	}
	_, err := io.WriteString(w, text)
	return err
}

func (o outcome) cells() []string {
	peer, ratio := "", ""
	if o.row.peer != "" {
		peer = o.unit.format(o.peer)
	}
	if o.bar.compares {
		ratio = o.bar.format(o.value)
	}
	spread := o.bar.format(o.lowest)
	if o.highest != o.lowest {
		spread += " .. " + o.bar.format(o.highest)
	}
	return []string{o.what, o.unit.format(o.measured), o.peerName, peer, ratio, o.bar.text, o.verdict, spread}
}

// columns sets the cells below each other.
func columns(cells [][]string) string {
	widths := make([]int, len(heading))
	for _, line := range cells {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var text strings.Builder
	for n, line := range cells {
		var set strings.Builder
		for i, cell := range line {
			gap := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if rightAligned(i) {
				set.WriteString(gap + cell + "  ")
			} else {
				set.WriteString(cell + gap + "  ")
			}
		}
		text.WriteString(strings.TrimRight(set.String(), " ") + "\n")
		if n == 0 {
			var rule []string
			for _, width := range widths {
				rule = append(rule, strings.Repeat("-", width))
			}
			text.WriteString(strings.Join(rule, "  ") + "\n")
		}
	}
	return text.String()
}

func markdown(cells [][]string) string {
	var text strings.Builder
	for n, line := range cells {
		text.WriteString("| " + strings.Join(line, " | ") + " |\n")
		if n > 0 {
			continue
		}
		for i := range line {
			if rightAligned(i) {
				text.WriteString("|---:")
			} else {
				text.WriteString("|---")
			}
		}
		text.WriteString("|\n")
	}
	return text.String()
}

// rightAligned are the columns of figures.
func rightAligned(column int) bool { return column == 1 || column == 3 || column == 4 || column == 5 }
