package config

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// Policy is what a check demands beyond a session.
type Policy struct {
	Roles  []string // one of them; none are needed if there are none
	Level  int
	Recent time.Duration // 0: whenever
	Fresh  bool
}

// written is a policy as it stands in the file.
type written struct {
	Roles       []string `yaml:"roles"`
	Level       int      `yaml:"level"`
	Recent      string   `yaml:"recent"`
	Consistency string   `yaml:"consistency"`
}

var (
	policyName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)
	roleName   = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,64}$`)
)

// maxLevel is the highest level of assurance that a sign-in can have.
const maxLevel = 2

// parsePolicies reads a mapping from names to policies.
func parsePolicies(key, text string) (map[string]Policy, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var all map[string]written
	if err := yaml.UnmarshalWithOptions([]byte(text), &all, yaml.Strict()); err != nil {
		return nil, keyError(key, "cannot be read: %s", strings.TrimSpace(yaml.FormatError(err, false, false)))
	}
	policies := make(map[string]Policy, len(all))
	for name, w := range all {
		if !policyName.MatchString(name) {
			return nil, keyError(key, `%q is no name of a policy; write it in letters from a to z, digits, "-" and "_"`, name)
		}
		p, err := w.read(key + "." + name)
		if err != nil {
			return nil, err
		}
		policies[name] = p
	}
	return policies, nil
}

func (w written) read(key string) (Policy, error) {
	p := Policy{Roles: w.Roles, Level: w.Level, Fresh: w.Consistency == "fresh"}
	for _, role := range w.Roles {
		if !roleName.MatchString(role) {
			return Policy{}, keyError(key+".roles", `%q can be nobody's role; write it in letters, digits, ".", "_", ":" and "-"`, role)
		}
	}
	if w.Roles != nil && len(w.Roles) == 0 {
		return Policy{}, keyError(key+".roles", "is an empty list, which nobody could meet; name a role, or leave it out")
	}
	if w.Level < 0 || w.Level > maxLevel {
		return Policy{}, keyError(key+".level", "%d is no level; write 1 or 2", w.Level)
	}
	if w.Recent != "" {
		var err error
		if p.Recent, err = timeWithin(minRecent, 365*day)(key+".recent", w.Recent); err != nil {
			return Policy{}, err
		}
	}
	if w.Consistency != "" {
		if _, err := oneOf("cached", "fresh")(key+".consistency", w.Consistency); err != nil {
			return Policy{}, err
		}
	}
	return p, nil
}

// String writes the policy in words, for people.
func (p Policy) String() string {
	demands := []string{"a session"}
	if len(p.Roles) > 0 {
		demands = append(demands, "one of the roles "+strings.Join(p.Roles, ", "))
	}
	if p.Level > 1 {
		demands = append(demands, fmt.Sprintf("level %d", p.Level))
	}
	if p.Recent > 0 {
		demands = append(demands, "a sign-in within "+spell(p.Recent))
	}
	if p.Fresh {
		demands = append(demands, "a fresh check")
	}
	return strings.Join(demands, ", ")
}
