package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// basePath is where the product stands.
const basePath = "/auth"

// product is the binary that people run, with the settings it has by default,
// in a process of its own.
type product struct {
	base    string // such as http://127.0.0.1:40000/auth
	process *exec.Cmd
	cancel  context.CancelFunc
	remove  func()
}

// build builds the product, once in a run.
func (b *bench) build(ctx context.Context) error {
	if b.binary != "" {
		return nil
	}
	path := filepath.Join(b.dir, "cloakroom")
	// Static like a release, but without its flags, which would have SQLite
	// compiled anew.
	build := exec.CommandContext(ctx, "go", "build", "-o", path, "cloakroom/cmd/cloakroom")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the server: %w: %s", err, out)
	}
	b.binary = path
	return nil
}

// serving is the command that serves from a database file. It is told to stop
// when ctx ends, and killed if it has not by patience.
func (b *bench) serving(ctx context.Context, address, database string) *exec.Cmd {
	const patience = 15 * time.Second
	c := exec.CommandContext(ctx, b.binary, "serve",
		"--listen", address, "--ops.listen", "127.0.0.1:0", "--database", "sqlite:"+database)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = patience
	return c
}

// startProduct returns the product once it listens; it answers when it can
// decide. Its log goes to a file beside the database: under a flood there may be
// a line for each guess.
func (b *bench) startProduct(ctx context.Context, database string) (*product, error) {
	if err := b.build(ctx); err != nil {
		return nil, err
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	log, err := os.Create(database + ".log")
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the process has its own
	ctx, cancel := context.WithCancel(ctx)
	p := &product{
		base:    "http://" + address + basePath,
		process: b.serving(ctx, address, database), cancel: cancel, remove: func() {},
	}
	p.process.Stderr = log
	if err := p.process.Start(); err != nil {
		cancel()
		return nil, err
	}
	if err := awaitListener(ctx, address); err != nil {
		p.end()
		said, _ := os.ReadFile(log.Name()) // for the message
		return nil, fmt.Errorf("start the server: %w: %.1000s", err, said)
	}
	return p, nil
}

// freshProduct starts the product on a file of its own, which goes with it.
func (b *bench) freshProduct(ctx context.Context) (*product, error) {
	dir, err := os.MkdirTemp(b.dir, "product-")
	if err != nil {
		return nil, err
	}
	p, err := b.startProduct(ctx, filepath.Join(dir, "cloakroom.db"))
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	p.remove = func() { _ = os.RemoveAll(dir) }
	return p, nil
}

func awaitListener(ctx context.Context, address string) error {
	const patience = 20 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		switch {
		case err == nil:
			return conn.Close()
		case !errors.Is(err, syscall.ECONNREFUSED):
			return err
		}
		time.Sleep(time.Millisecond)
	}
}

// end stops the product and waits until it has.
func (p *product) end() {
	p.cancel()
	_ = p.process.Wait() // ended by the signal
	p.remove()
}

// The lines of a process's status, as Linux calls them.
const (
	residentNow  = "VmRSS"
	residentPeak = "VmHWM"
)

// memory reads one of the lines above, in megabytes.
func (p *product) memory(line string) (float64, error) {
	return memoryOf(p.process.Process.Pid, line)
}

func memoryOf(process int, line string) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
	if err != nil {
		return 0, err
	}
	for l := range strings.Lines(string(text)) {
		fields := strings.Fields(l)
		if len(fields) == 3 && fields[0] == line+":" && fields[2] == "kB" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			return kib * 1024 / 1e6, err
		}
	}
	return 0, fmt.Errorf("the process's status has no %s", line)
}
