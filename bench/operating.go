package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// footprint is what the program takes when nobody uses it: of the disk as it is
// released, and of memory.
func (b *bench) footprint() experiment {
	return experiment{
		name: "footprint",
		open: func(context.Context, *bench) (trial, error) { return footprint{b}, nil },
		rows: []row{
			{what: "the binary, stripped", measured: "binary", unit: megabytes, bar: limit(45, megabytes)},
			{what: "memory of an idle server", measured: "idle", unit: megabytes, bar: limit(40, megabytes)},
		},
	}
}

type footprint struct{ bench *bench }

func (t footprint) close() {}

func (t footprint) round(ctx context.Context, s samples) error {
	stripped := filepath.Join(t.bench.dir, "stripped")
	build := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-o", stripped, "cloakroom/cmd/cloakroom")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the server: %w: %s", err, out)
	}
	info, err := os.Stat(stripped)
	if err != nil {
		return err
	}
	s.add("binary", float64(info.Size())/1e6)
	p, err := t.bench.freshProduct(ctx)
	if err != nil {
		return err
	}
	defer p.end()
	time.Sleep(3 * time.Second)
	resident, err := p.memory(residentNow)
	s.add("idle", resident)
	return err
}

// backup is what a backup of a large file costs those who are served meanwhile.
func (b *bench) backup() experiment {
	what := fmt.Sprintf("backup of %s accounts with 3 sessions each: ", count(b.size.accounts))
	return experiment{
		name: "backup",
		open: openBackup,
		rows: []row{
			{what: what + "/check, 500/s, p99", measured: "check", peer: "quiet check", peerName: "before it", unit: milliseconds, bar: above(5, milliseconds)},
			{what: what + "its size", measured: "size", unit: megabytes, bar: informs(megabytes)},
			{what: what + "how long it takes", measured: "took", unit: seconds, bar: informs(seconds)},
		},
	}
}

type backup struct {
	bench   *bench
	product *product
	path    string
	client  *http.Client
	who     person
}

func openBackup(ctx context.Context, b *bench) (_ trial, err error) {
	t := &backup{bench: b, path: filepath.Join(b.dir, "backup.db"), client: from("127.1.0.1", 64)}
	if err := b.fillFile(ctx, t.path); err != nil {
		return nil, fmt.Errorf("fill the file: %w", err)
	}
	if t.product, err = b.startProduct(ctx, t.path); err != nil {
		return nil, err
	}
	if t.who, err = enrol(ctx, t.client, t.product.base, userEmail); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *backup) close() {
	t.product.end()
	t.client.CloseIdleConnections()
}

// round checks at a steady rate before a backup, and until it is written.
func (t *backup) round(ctx context.Context, s samples) error {
	quiet, err := t.checks(ctx, int(t.bench.size.flood/2/checkEvery))
	if err != nil {
		return err
	}
	to := filepath.Join(t.bench.dir, "copy.db")
	defer func() { _ = os.Remove(to) }()
	var said bytes.Buffer
	c := t.bench.command(ctx, t.path, "backup", to)
	c.Stdout, c.Stderr = &said, &said
	began := time.Now()
	if err := c.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	var busy []float64
	for wrote := false; !wrote; {
		few, err := t.checks(ctx, 250)
		if err != nil {
			return err
		}
		busy = append(busy, few...)
		select {
		case err := <-ended:
			if err != nil {
				return fmt.Errorf("the backup: %w: %s", err, &said)
			}
			wrote = true
		default:
		}
	}
	s.add("took", time.Since(began).Seconds())
	info, err := os.Stat(to)
	if err != nil {
		return err
	}
	s.add("size", float64(info.Size())/1e6)
	s.add("quiet check", percentile(quiet, 99))
	s.add("check", percentile(busy, 99))
	return nil
}

func (t *backup) checks(ctx context.Context, n int) ([]float64, error) {
	return paced(ctx, checkEvery, n, func(ctx context.Context) error {
		a, err := get(ctx, t.client, t.product.base+"/check", t.who.check())
		if err == nil {
			err = a.wanted("a check")
		}
		return err
	})
}

// command is the product's command line, about a database.
func (b *bench) command(ctx context.Context, database string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, b.binary, append(args, "--database", "sqlite:"+database)...)
}

// batch is what it takes to make many accounts by the command line.
func (b *bench) batch() experiment {
	what := fmt.Sprintf("%s accounts made by the command line: ", count(b.size.sessions))
	return experiment{
		name: "batch",
		open: func(context.Context, *bench) (trial, error) { return batch{b}, nil },
		rows: []row{
			{what: what + "memory of command and server", measured: "memory", unit: megabytes, bar: limit(300, megabytes)},
			{what: what + "how long it takes", measured: "took", unit: seconds, bar: informs(seconds)},
		},
	}
}

type batch struct{ bench *bench }

func (t batch) close() {}

func (t batch) round(ctx context.Context, s samples) error {
	dir, err := os.MkdirTemp(t.bench.dir, "batch-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	database := filepath.Join(dir, "cloakroom.db")
	p, err := t.bench.startProduct(ctx, database)
	if err != nil {
		return err
	}
	defer p.end()
	var people strings.Builder
	for n := range t.bench.size.sessions {
		fmt.Fprintf(&people, `{"email":"person%d@example.com","name":"Person %d","roles":["staff"]}`+"\n", n, n)
	}
	c := t.bench.command(ctx, database, "account", "create", "--batch", "-")
	c.Stdin = strings.NewReader(people.String())
	var said bytes.Buffer
	c.Stderr = &said
	began := time.Now()
	used, err := runAndPeak(c)
	if err != nil {
		return fmt.Errorf("make accounts: %w: %s", err, &said)
	}
	s.add("took", time.Since(began).Seconds())
	peak, err := p.memory(residentPeak)
	s.add("memory", peak+used)
	return err
}

// runAndPeak runs a command and returns how much memory it took at most, as far as
// looking now and then tells. What the system says at its end is no less than what
// this process had when it started it.
func runAndPeak(c *exec.Cmd) (peak float64, err error) {
	if err := c.Start(); err != nil {
		return 0, err
	}
	ended := make(chan struct{})
	var looking sync.WaitGroup
	looking.Go(func() {
		for {
			if now, err := memoryOf(c.Process.Pid, residentPeak); err == nil {
				peak = max(peak, now)
			}
			select {
			case <-ended:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	err = c.Wait()
	close(ended)
	looking.Wait()
	return peak, err
}
