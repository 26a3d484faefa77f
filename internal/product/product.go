// Package product builds the server for tests that speak to a process of it, once
// for all of them and as it is released: without a C compiler.
package product

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	// The product is part of the tests, so that a change of it makes them run
	// anew rather than be answered from go test's cache.
	_ "cloakroom/internal/cli"
)

// Server is what most tests want built.
const Server = "cloakroom/cmd/cloakroom"

// Build builds programs into a folder, which they are found in by the last part of
// their import path. Flags of the linker and the like come before the packages.
func Build(folder string, args ...string) error {
	build := exec.Command("go", append([]string{"build", "-o", folder + string(filepath.Separator)}, args...)...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build %v: %w\n%s", args, err, said)
	}
	return nil
}
