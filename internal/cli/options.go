package cli

import (
	"fmt"
	"os"
	"reflect"
	"strings"

	"cloakroom/internal/config"

	"github.com/alecthomas/kong"
)

// options are the flags that every command has: the configuration.
type options struct {
	File          string `name:"config" env:"CLOAKROOM_CONFIG" placeholder:"FILE" help:"A YAML file with any of these settings."`
	config.Config `embed:""`
}

// loader puts the configuration together as the command line asks for it. It can
// be called again, to see what has changed.
type loader func() (config.Loaded, error)

// loaderOf returns the loader of a command line that was parsed.
func loaderOf(parsed *kong.Context, o *options) loader {
	flags := map[string]string{}
	for _, part := range parsed.Path {
		if f := part.Flag; f != nil && !part.Resolved {
			flags[f.Name] = textOf(f.Target)
		}
	}
	return func() (config.Loaded, error) { return config.Load(o.File, flags, os.Environ()) }
}

func textOf(v reflect.Value) string {
	if list, ok := v.Interface().([]string); ok {
		return strings.Join(list, ",")
	}
	return v.String()
}

// explainFlag adds to a setting's help what it is unless set, and its variable.
func explainFlag(v *kong.Value) string {
	for _, k := range config.Keys() {
		switch {
		case v.Flag == nil || k.Flag != v.Flag.Name:
		case k.Default == "":
			return fmt.Sprintf("%s ($%s)", k.Help, k.Variable)
		default:
			return fmt.Sprintf("%s Unless set: %s. ($%s)", k.Help, k.Default, k.Variable)
		}
	}
	return kong.DefaultHelpValueFormatter(v)
}
