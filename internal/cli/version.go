package cli

import (
	"fmt"
	"runtime/debug"
)

type version struct{}

// Run prints what the binary was built from.
func (version) Run(s streams) error {
	_, err := fmt.Fprintln(s.out, "cloakroom", built())
	return err
}

func built() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	text := info.Main.Version
	if text == "" {
		text = "(devel)"
	}
	return text + " " + info.GoVersion
}
