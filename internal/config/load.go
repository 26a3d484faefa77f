package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
)

// Source is where the value of a key was found.
type Source struct {
	Name    string // "--listen", "CLOAKROOM_LISTEN", "/etc/cloakroom.yaml, line 3", or "" for the default
	excerpt string // of the file
}

// Loaded is a Config and where it came from.
type Loaded struct {
	Config
	Sources map[string]Source // by Key.Name, of what is not the default
	// Unknown are variables that begin like ours and are none, in order. They
	// are no error: a machine that runs many things sets such variables itself.
	Unknown []string
}

// FileVariable names the configuration file, as the flag --config does.
const FileVariable = "CLOAKROOM_CONFIG"

// Load puts the configuration together: a flag counts before a variable, that
// before the file at path ("" for none), and that before the default. flags are
// those that were given, by their names without "--"; environ is os.Environ.
// A variable without text counts as not set.
func Load(path string, flags map[string]string, environ []string) (Loaded, error) {
	l := Loaded{Config: Default(), Sources: map[string]Source{}}
	inFile := map[string]fileValue{}
	if path != "" {
		var err error
		if inFile, err = readFile(path); err != nil {
			return Loaded{}, err
		}
	}
	variables := ours(environ)
	for _, k := range Keys() {
		text, isSet, err := l.find(k, path, flags, variables, inFile)
		if err != nil {
			return Loaded{}, err
		}
		if isSet {
			k.set(&l.Config, text)
		}
		delete(variables, k.Variable)
		delete(variables, k.Variable+"_FILE")
	}
	delete(variables, FileVariable)
	l.Unknown = slices.Sorted(maps.Keys(variables))
	return l, nil
}

// ours are the variables that begin with CLOAKROOM_ and have a text.
func ours(environ []string) map[string]string {
	variables := map[string]string{}
	for _, pair := range environ {
		name, text, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "CLOAKROOM_") && text != "" {
			variables[name] = text
		}
	}
	return variables
}

// find returns what is set for a key, and notes where.
func (l *Loaded) find(k Key, path string, flags, variables map[string]string, inFile map[string]fileValue) (text string, isSet bool, err error) {
	if text, ok := flags[k.Flag]; ok {
		l.Sources[k.Name] = Source{Name: "--" + k.Flag}
		return text, true, nil
	}
	text, isVariable := variables[k.Variable]
	if from, ok := variables[k.Variable+"_FILE"]; ok && k.Secret {
		if isVariable {
			return "", false, keyError(k.Name, "%s and %s_FILE are both set; unset one of them", k.Variable, k.Variable)
		}
		l.Sources[k.Name] = Source{Name: k.Variable + "_FILE"}
		text, err = readSecret(k.Name, from)
		return text, true, err
	}
	if isVariable {
		l.Sources[k.Name] = Source{Name: k.Variable}
		return text, true, nil
	}
	v, ok := inFile[k.Name]
	if ok {
		l.Sources[k.Name] = Source{fmt.Sprintf("%s, line %d", path, v.line), v.excerpt}
	}
	return v.text, ok, nil
}

// readSecret reads a value from a file that only its owner and its group may
// read.
func readSecret(key, path string) (string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", keyError(key, "there is no file %s", path)
	}
	if err != nil {
		return "", keyError(key, "%v", err)
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		return "", keyError(key, "%s holds a secret, and everybody on this machine may read or change it (%v); run: chmod 600 %s", path, mode, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", keyError(key, "%v", err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// Settings checks the configuration. Its errors name where the value stands.
func (l Loaded) Settings() (Settings, error) {
	s, err := l.Check()
	return s, l.explain(err)
}

// explain adds to each error about a key where its value was found.
func (l Loaded) explain(err error) error {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		var explained []error
		for _, one := range several.Unwrap() {
			explained = append(explained, l.explain(one))
		}
		return errors.Join(explained...)
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	from := l.source(e.Key)
	switch {
	case from.Name == "":
		return err
	case from.excerpt == "":
		return fmt.Errorf("%w (set by %s)", err, from.Name)
	}
	return fmt.Errorf("%w (%s)\n%s", err, from.Name, from.excerpt)
}

// source is where a key was set, or the part of it that is one: an error may be
// about policies.admin.level.
func (l Loaded) source(key string) Source {
	for name, from := range l.Sources {
		if key == name || strings.HasPrefix(key, name+".") {
			return from
		}
	}
	return Source{}
}

// NeedRestart returns the keys whose values differ in next and are not taken
// over by a running server.
func (l Loaded) NeedRestart(next Loaded) []string {
	var names []string
	for _, k := range Keys() {
		if k.get(l.Config) != k.get(next.Config) && !k.Reload {
			names = append(names, k.Name)
		}
	}
	return names
}

// Value is a key with what it is set to, for people.
type Value struct {
	Key  Key
	Text string // "(hidden)" if it is a secret that is set
	From string // where it was set, or "default"
}

// Values returns all keys in their order.
func (l Loaded) Values() []Value {
	var values []Value
	for _, k := range Keys() {
		v := Value{k, k.get(l.Config), "default"}
		if from, ok := l.Sources[k.Name]; ok {
			v.From = from.Name
		}
		if k.Secret && !strings.HasPrefix(v.Text, "sqlite:") && v.Text != "" {
			v.Text = "(hidden)"
		}
		values = append(values, v)
	}
	return values
}
