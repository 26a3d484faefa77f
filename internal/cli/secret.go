package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// longestSecret is more than any password or token has.
const longestSecret = 8 << 10

// secret reads a password or a token: from a terminal without showing it, or else
// the first line of the standard input. It stands in no argument, where every
// user of the machine could read it.
func (s streams) secret(what string) (string, error) {
	if f, ok := s.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if _, err := fmt.Fprintf(s.err, "%s: ", what); err != nil {
			return "", err
		}
		text, err := term.ReadPassword(int(f.Fd()))
		_, _ = fmt.Fprintln(s.err)
		if err != nil {
			return "", fmt.Errorf("read the %s: %w", what, err)
		}
		return string(text), nil
	}
	line, err := bufio.NewReader(io.LimitReader(s.in, longestSecret)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the %s: %w", what, err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", fmt.Errorf("the %s is read from the standard input, and there is none", what)
	}
	return line, nil
}
