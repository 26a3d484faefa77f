package cli

import (
	"fmt"
	"text/tabwriter"

	"github.com/go-json-experiment/json"
)

// configuration are the commands about the configuration.
type configuration struct {
	Check configCheck `cmd:"" help:"Say whether the configuration can be served with."`
	Show  configShow  `cmd:"" help:"Print every setting, and where it was set."`
}

type configCheck struct{}

// Run prints what is wrong, all of it, and fails then.
func (configCheck) Run(s streams, load loader) error {
	loaded, err := load()
	if err != nil {
		return err
	}
	if _, err := loaded.Settings(); err != nil {
		return err
	}
	for _, name := range loaded.Unknown {
		if _, err := fmt.Fprintf(s.err, "cloakroom: the variable %s sets nothing\n", name); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(s.out, "The configuration is right.")
	return err
}

type configShow struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// shownValue is a setting in JSON.
type shownValue struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	From  string `json:"from"`
}

// Run prints the settings, wrong or not. Secrets are hidden.
func (c configShow) Run(s streams, load loader) error {
	loaded, err := load()
	if err != nil {
		return err
	}
	values := []shownValue{}
	for _, v := range loaded.Values() {
		values = append(values, shownValue{v.Key.Name, v.Text, v.From})
	}
	if c.JSON {
		text, err := json.Marshal(values)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "%s\n", text)
		return err
	}
	table := tabwriter.NewWriter(s.out, 0, 0, 3, ' ', 0)
	for _, v := range values {
		if _, err := fmt.Fprintf(table, "%s\t%s\t%s\n", v.Key, v.Value, v.From); err != nil {
			return err
		}
	}
	return table.Flush()
}
