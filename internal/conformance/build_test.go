package conformance

import (
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

// workshop is the folder that the binaries are built into.
var workshop string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "conformance")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	workshop = dir
	defer os.RemoveAll(dir)
	defer closeShared()
	return m.Run()
}

// build makes the server and its driven twin, once.
var build = sync.OnceValue(func() error {
	cmd := exec.Command("go", "build", "-o", workshop+string(filepath.Separator), "../../cmd/cloakroom", "./driven")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the server: %w\n%s", err, said)
	}
	return nil
})
