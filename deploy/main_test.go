//go:build proxies

package deploy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"cloakroom/internal/product"
)

// binary is the server, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if err := os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin"); err != nil { // where Debian has servers
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for _, needed := range []string{"nginx", "caddy", "haproxy"} {
		if _, err := exec.LookPath(needed); err != nil {
			fmt.Fprintf(os.Stderr, "%s is not installed, and these tests are about the real one: run make tools\n", needed)
			return 1
		}
	}
	dir, err := os.MkdirTemp("", "cloakroom-proxies")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "cloakroom")
	if err := product.Build(dir, product.Server); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
