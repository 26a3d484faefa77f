//go:build packages

package debian

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	// The product is part of the tests, so that a change of it makes them run
	// anew rather than be answered from go test's cache.
	_ "cloakroom/internal/cli"
)

// workshop is where releases are built.
var workshop string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "release")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	workshop = dir
	return m.Run()
}

// release builds what is released from a checkout of its own, which is called name,
// and returns the folder that it is in. What is not committed yet is part of it.
func release(name string) (string, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	checkout := filepath.Join(workshop, name, "checkout")
	out := filepath.Join(workshop, name, "dist")
	if _, err := shell(root, `git clone --quiet --shared . "$1"`, checkout); err != nil {
		return "", err
	}
	changes, err := shell(root, "git diff --binary HEAD")
	if err != nil {
		return "", err
	}
	if len(changes) > 0 {
		apply := exec.Command("git", "-C", checkout, "apply", "--index")
		apply.Stdin = bytes.NewReader(changes)
		if said, err := apply.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%w: %s", err, said)
		}
		// The same commit in every checkout.
		_, err := shell(checkout, `export GIT_AUTHOR_DATE=2026-01-02T03:04:05Z GIT_COMMITTER_DATE=2026-01-02T03:04:05Z
			git -c user.name=x -c user.email=x@example.com commit --quiet --message=work`)
		if err != nil {
			return "", err
		}
	}
	_, err = shell(checkout, `TOOLS="$1" scripts/release "$2"`, filepath.Join(root, ".tools"), out)
	return out, err
}

// shell runs a script in a folder, and returns what it printed.
func shell(folder, script string, args ...string) ([]byte, error) {
	cmd := exec.Command("sh", append([]string{"-euc", script, "sh"}, args...)...)
	cmd.Dir = folder
	out, err := cmd.Output()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%s: %w: %s", script, err, e.Stderr)
	}
	return out, err
}

// first is a release that is built once for all tests.
var first = sync.OnceValues(func() (string, error) { return release("first") })

// one returns the one file of the release whose name matches.
func one(t *testing.T, pattern string) string {
	t.Helper()
	dist, err := first()
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(dist, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %q, %v", pattern, found, err)
	}
	return found[0]
}
