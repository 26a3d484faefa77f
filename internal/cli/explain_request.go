package cli

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"
	"strings"

	"cloakroom/internal/server"
)

// longestHead is more than any server takes.
const longestHead = 64 << 10

// requestHead reads a request's first line and headers from a file, or from the
// standard input if that is -.
func (s streams) requestHead(from string) (server.Requested, error) {
	in := s.in
	if from != "-" {
		f, err := os.Open(from)
		if err != nil {
			return server.Requested{}, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, longestHead+1))
	switch {
	case err != nil:
		return server.Requested{}, fmt.Errorf("read the request: %w", err)
	case len(text) > longestHead:
		return server.Requested{}, fmt.Errorf("the request is longer than %d bytes; its first line and headers are enough", longestHead)
	}
	return parseHead(string(text))
}

// parseHead understands a request as it is sent, as curl -v prints it (lines with >,
// among others) and as browsers copy it (the address whole, or in headers that begin
// with a colon). Its errors name the line, and do not hold it: it may be a secret.
func parseHead(text string) (q server.Requested, err error) {
	q.Header = http.Header{}
	for n, line := range headLines(text) {
		name, value, ok := strings.Cut(strings.TrimPrefix(line, ":"), ":")
		value = strings.TrimSpace(value)
		words := strings.Fields(line)
		switch {
		case q.Method == "" && line[0] != ':' && len(words) >= 2 && !strings.HasSuffix(words[0], ":"):
			q.Method, q.Target = words[0], words[1]
		case !ok || name == "" || strings.ContainsAny(name, " \t"):
			return q, fmt.Errorf("line %d of the request is no header; copy its first line and the headers below, as they are", n)
		case line[0] != ':':
			q.Header.Add(name, value)
		case name == "method":
			q.Method = value
		case name == "path":
			q.Target = value
		case name == "authority":
			q.Host = value
		}
	}
	if q.Method == "" || q.Target == "" {
		return q, errors.New("the request has no first line, such as GET /path HTTP/1.1")
	}
	if u, err := url.Parse(q.Target); err == nil && u.Host != "" {
		q.Host, q.Target = u.Host, u.RequestURI()
	}
	if host := q.Header.Get("Host"); host != "" {
		q.Host = host
		q.Header.Del("Host")
	}
	return q, nil
}

// headLines are the lines of the first request's head, by number: those that curl -v
// marks as sent, if any are, and otherwise all up to an empty one.
func headLines(text string) iter.Seq2[int, string] {
	marked := strings.HasPrefix(text, "> ") || strings.Contains(text, "\n> ")
	return func(yield func(int, string) bool) {
		n, begun := 0, false
		for line := range strings.Lines(text) {
			n++
			line = strings.TrimRight(line, "\r\n")
			if marked {
				rest, sent := strings.CutPrefix(line, ">")
				if !sent {
					continue
				}
				line = rest
			}
			line = strings.TrimSpace(line)
			switch {
			case line != "" && !yield(n, line), line == "" && begun:
				return
			case line != "":
				begun = true
			}
		}
	}
}
