package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"cloakroom/internal/problem"
)

// query holds parameters that a route knows, each given once. A misspelt
// parameter is refused: ignored, "?strct=true" would be a loose revocation
// that was meant to be strict.
type query url.Values

func parseQuery(r *http.Request, names ...string) (query, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, problem.Malformed("", "The query cannot be read.")
	}
	for name, list := range values {
		if !slices.Contains(names, name) {
			return nil, problem.Malformed(shown(name), "The query has a parameter that this address does not know.")
		}
		if len(list) != 1 {
			return nil, problem.Malformed(name, fmt.Sprintf("The parameter %q stands more than once.", name))
		}
	}
	return query(values), nil
}

func (q query) text(name string) string { return url.Values(q).Get(name) }

// flag reads "true" or "false"; false if the parameter is not there.
func (q query) flag(name string) (bool, error) {
	switch values, given := q[name]; {
	case !given, values[0] == "false":
		return false, nil
	case values[0] == "true":
		return true, nil
	}
	return false, problem.Malformed(name, fmt.Sprintf("The parameter %q must be true or false.", name))
}
