// Command bench measures what sessions cost beside the peers (golang-jwt, scs,
// an empty handler), and what the product as a whole must keep to, in one run on
// one machine, and prints one table:
//
//	go run ./bench                 all of it: some fifteen minutes
//	go run ./bench -quick          whether it works: a minute, and no figures
//	go run ./bench -only check     the rows with "check" in their name
//	go run ./bench -markdown       the table for the README
//
// Figures of one machine do not hold on another; their ratios nearly do. So
// each row is measured against its peer in the same run: in several rounds, in
// each of which all that is compared has its turn, so that whatever disturbs
// the machine meets all of it. The table shows medians over the rounds, and
// beside them the least and the greatest. A bar that is missed is printed as
// missed; the exit code is about whether it could be measured.
//
// The rows over HTTP need wrk (https://github.com/wg/wrk).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// longest is how long a run may take before it is given up.
const longest = time.Hour

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	var err error
	if len(os.Args) > 1 && os.Args[1] == serveCommand {
		err = serve(ctx, os.Args[2:], os.Stdin, os.Stdout)
	} else {
		err = measure(ctx, os.Args[1:], os.Stdout, os.Stderr)
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 2
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	return 0
}

// bench is one run and what it was asked for.
type bench struct {
	rounds   int
	only     string
	markdown bool
	profile  string
	size     size
	dir      string // for files, removed at the end
	binary   string // the product, once build has built it
	progress io.Writer
}

// size says how much is measured in a round.
type size struct {
	sessions      int           // of the small caches
	large         int           // of the large ones
	huge          int           // of the largest, 0 for none
	turns         int           // of each contestant in a round
	load          time.Duration // of wrk on one server
	durable, solo int           // sessions written by many callers, and by one

	callers         int           // of a flood
	flood           time.Duration // how long it is looked at, and before it the quiet
	patience        time.Duration // of those who sign in meanwhile; more than they should need
	guesses, tokens int           // wrong ones, of each kind that must be alike in time
	accounts        int           // of the lists, with three sessions each
	pages           int           // of each list in a round
}

// fullSize is for figures, quickSize for seeing whether the program works.
func fullSize(large int) size {
	return size{
		sessions: 10_000, large: large, turns: 10,
		load: 3 * time.Second, durable: 40_000, solo: 4_000,
		callers: 200, flood: 10 * time.Second, patience: 20 * time.Second, guesses: 300, tokens: 5_000,
		accounts: large, pages: 200,
	}
}

func quickSize() size {
	return size{
		sessions: 10_000, large: 50_000, turns: 3,
		load: time.Second, durable: 4_000, solo: 400,
		callers: 200, flood: 2 * time.Second, patience: 5 * time.Second, guesses: 30, tokens: 500,
		accounts: 20_000, pages: 20,
	}
}

func parse(args []string, progress io.Writer) (*bench, error) {
	b := &bench{progress: progress}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(progress)
	flags.IntVar(&b.rounds, "rounds", 5, "how many rounds the medians are taken over")
	flags.StringVar(&b.only, "only", "", "measure the rows whose name contains this")
	flags.BoolVar(&b.markdown, "markdown", false, "print the table in Markdown")
	flags.StringVar(&b.dir, "dir", "bin", "where database files are written for the time of the run; the disk matters")
	flags.StringVar(&b.profile, "cpuprofile", "", "write a CPU profile of this process to the file")
	large := flags.Int("large", 1_000_000, "sessions in the rows with many of them")
	quick := flags.Bool("quick", false, "one round of small measurements, to see whether all of it works")
	huge := flags.Bool("ten-million", false, "also measure with 10 million sessions (takes 6 GB of memory)")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	b.size = fullSize(*large)
	if *quick {
		b.rounds, b.size = 1, quickSize()
	}
	if *huge {
		b.size.huge = 10_000_000
	}
	if flags.NArg() > 0 || b.rounds < 1 || *large < 1000 {
		return nil, errors.New("no arguments but flags; at least one round, and 1,000 sessions in the large rows")
	}
	return b, nil
}

// measure carries out the experiments and prints the table.
func measure(ctx context.Context, args []string, out, progress io.Writer) error {
	b, err := parse(args, progress)
	if err != nil {
		return err
	}
	experiments, err := b.chosen()
	if err != nil {
		return err
	}
	remove, err := b.makeDir()
	if err != nil {
		return err
	}
	defer remove()
	stop, err := startProfile(b.profile)
	if err != nil {
		return err
	}
	defer stop()
	began := describeMachine()
	var outcomes []outcome
	var failed []error
	for _, e := range experiments {
		samples, err := b.carryOut(ctx, e)
		if err != nil { // what its rounds began with is no median of them
			failed = append(failed, fmt.Errorf("%s: %w", e.name, err))
			b.say("%s: failed: %v", e.name, err)
			continue
		}
		outcomes = append(outcomes, evaluate(e.rows, samples)...)
	}
	if len(outcomes) > 0 {
		failed = append(failed, b.print(out, began, outcomes))
	}
	return errors.Join(failed...)
}

// makeDir makes a folder of this run's own below b.dir, and b.dir its absolute
// path.
func (b *bench) makeDir() (remove func(), err error) {
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(b.dir, "bench-")
	if err != nil {
		return nil, err
	}
	b.dir, err = filepath.Abs(dir)
	return func() { _ = os.RemoveAll(dir) }, err
}

// say reports progress.
func (b *bench) say(format string, args ...any) {
	_, _ = fmt.Fprintf(b.progress, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}
