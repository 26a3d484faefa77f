package conformance

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"cloakroom/internal/product"
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
	return product.Build(workshop, product.Server, "./driven")
})
