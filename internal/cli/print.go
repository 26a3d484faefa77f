package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"cloakroom/internal/audit/visible"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// printJSON prints a value as one line of JSON, for scripts.
func printJSON(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", text)
	return err
}

// table prints rows below their headings, for people. What stands in it was
// written by anybody: what would not be seen in a terminal, or would change it,
// is spelt out.
type table struct {
	w   *tabwriter.Writer
	err error
}

func newTable(w io.Writer, headings ...string) *table {
	t := &table{w: tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)}
	t.row(headings...)
	return t
}

func (t *table) row(cells ...string) {
	for i, c := range cells {
		cells[i] = visible.Text(c, 256)
	}
	if _, err := fmt.Fprintln(t.w, strings.Join(cells, "\t")); err != nil && t.err == nil {
		t.err = err
	}
}

func (t *table) end() error {
	if t.err != nil {
		return t.err
	}
	return t.w.Flush()
}

// when is a time for people, in their own zone.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04")
}

// accountShape is an account as the server tells it.
type accountShape struct {
	ID            string         `json:"id"`
	Email         string         `json:"email"`
	Name          string         `json:"name"`
	Roles         []string       `json:"roles"`
	Attributes    jsontext.Value `json:"attributes"`
	EmailVerified bool           `json:"email_verified"`
	Status        string         `json:"status"`
	CreatedAt     time.Time      `json:"created_at"`
	Version       string         `json:"version"`
}

func (a accountShape) print(w io.Writer) error {
	t := newTable(w, "id", a.ID)
	t.row("email", a.Email)
	t.row("verified", map[bool]string{true: "yes", false: "no"}[a.EmailVerified])
	t.row("name", a.Name)
	t.row("roles", strings.Join(a.Roles, ", "))
	t.row("attributes", string(a.Attributes))
	t.row("status", a.Status)
	t.row("created", when(a.CreatedAt))
	return t.end()
}

// sessionShape is a session as the server tells it.
type sessionShape struct {
	ID              string    `json:"id"`
	CreatedAt       time.Time `json:"created_at"`
	AuthenticatedAt time.Time `json:"authenticated_at"`
	LastSeenAt      time.Time `json:"last_seen_at"`
	IdleExpiresAt   time.Time `json:"idle_expires_at"`
	ExpiresAt       time.Time `json:"expires_at"`
	Level           int       `json:"level"`
	Methods         []string  `json:"methods"`
	Carrier         string    `json:"carrier"` // "cookie" or "bearer"
	Client          struct {
		Browser string `json:"browser"`
		OS      string `json:"os"`
		Address string `json:"address"`
		Label   string `json:"label"`
	} `json:"client"`
}

func (s sessionShape) device() string {
	if s.Client.Label != "" {
		return s.Client.Label
	}
	return strings.Trim(s.Client.Browser+" on "+s.Client.OS, " on")
}

// linkShape is a one-time link.
type linkShape struct {
	URL       string    `json:"url"`
	Kind      string    `json:"kind"`
	ExpiresAt time.Time `json:"expires_at"`
}

func joined(list []string) string { return strings.Join(list, ", ") }
