package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"syscall"
	"time"
)

// serveCommand is the hidden command by which the program starts itself as one
// of the servers that are compared, each in a process of its own. A server says
// on its output where it is and what to send, in a line of JSON (welcome). For
// each line on its input it says how much processor time it has used. It ends
// with its input, so at the latest with the process that started it.
const serveCommand = "serve"

// sessionCookie is the default name.
const sessionCookie = "__Host-session"

// welcome says how to ask a server.
type welcome struct {
	URL    string `json:"url"`
	Header string `json:"header"` // "Name: value", with what signs in
}

// usage is the processor time that a server has used, in microseconds.
type usage struct {
	CPU int64 `json:"cpu_us"`
}

// serve is the hidden command. Its arguments are the kind of server, a folder
// for files, and for the kind "same" the header of the response in JSON.
func serve(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) != 3 {
		return errors.New("serve: not meant to be called by people")
	}
	kind, dir := args[0], args[1]
	if kind == "check" {
		return serveProduct(ctx, dir, in, out)
	}
	handler, header, end, err := handlerOf(ctx, kind, dir, args[2])
	if err != nil {
		return err
	}
	defer end()
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := httpServer(handler)
	defer func() { _ = s.Close() }()
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	w := welcome{"http://" + l.Addr().String() + "/auth/check", header}
	go func() { failed <- tell(w, in, out) }()
	return <-failed
}

// tell welcomes and then answers for the time used, until its input ends.
func tell(w welcome, in io.Reader, out io.Writer) error {
	say := json.NewEncoder(out)
	if err := say.Encode(w); err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			return err
		}
		used := time.Duration(u.Utime.Nano() + u.Stime.Nano())
		if err := say.Encode(usage{used.Microseconds()}); err != nil {
			return err
		}
	}
	return lines.Err()
}
