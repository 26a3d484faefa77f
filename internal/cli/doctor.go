package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"

	"cloakroom/internal/config"
	"cloakroom/internal/control"
	"cloakroom/internal/server"
)

type doctor struct {
	JSON bool `help:"Print JSON, a line for each finding."`
}

// finding is one thing that was looked at.
type finding struct {
	Right  bool   `json:"right"`
	What   string `json:"what"`
	Remedy string `json:"remedy,omitempty"` // what to do if it is not
}

// checkup collects findings.
type checkup struct {
	settings config.Settings
	findings []finding
}

func (c *checkup) note(right bool, what, remedy string, args ...any) {
	if right {
		remedy = ""
	} else {
		remedy = fmt.Sprintf(remedy, args...)
	}
	c.findings = append(c.findings, finding{right, what, remedy})
}

var errUnwell = errors.New("not all is well; see what to do above")

// Run looks at the configuration, the file, the server and the way to it, and
// fails if something is wrong. It changes nothing.
func (d doctor) Run(ctx context.Context, s streams, load loader) error {
	loaded, settings, err := configured(load)
	if err != nil {
		return err
	}
	c := &checkup{settings: settings}
	c.note(true, "the configuration is right", "")
	for _, name := range loaded.Unknown {
		c.note(false, "the variable "+name+" sets nothing", "correct its name; cloakroom config show lists the settings")
	}
	c.file()
	c.running(ctx)
	failed := false
	for _, f := range c.findings {
		failed = failed || !f.Right
		if d.JSON {
			err = printJSON(s.out, f)
		} else {
			err = f.print(s.out)
		}
		if err != nil {
			return err
		}
	}
	if failed {
		return errUnwell
	}
	return nil
}

func (f finding) print(w io.Writer) error {
	mark := "ok   "
	if !f.Right {
		mark = "WRONG"
	}
	_, err := fmt.Fprintf(w, "%s  %s\n", mark, f.What)
	if err == nil && f.Remedy != "" {
		_, err = fmt.Fprintf(w, "       -> %s\n", f.Remedy)
	}
	return err
}

// file looks at the database's file.
func (c *checkup) file() {
	path := c.settings.SQLitePath
	info, err := os.Stat(path)
	if err != nil {
		c.note(false, "the database's file: "+err.Error(), "start the server, which makes it, or name it with --database")
		return
	}
	mode := info.Mode().Perm()
	c.note(mode&0o077 == 0, fmt.Sprintf("the database %s is its owner's alone (%v)", path, mode), "run: chmod 600 %s", path)
}

// keeping says which browsers keep the session cookie, which is Secure. What none of
// them would keep it under the configuration does not let pass.
func keeping(public *url.URL) string {
	if public.Scheme == "https" {
		return "browsers keep a Secure cookie under " + public.String()
	}
	return "browsers on this machine keep a Secure cookie under " + public.String() + ", except Safari, which wants https"
}

// running looks at the server, and at how requests reach it.
func (c *checkup) running(ctx context.Context) {
	conn, err := control.Dial(ctx, c.settings.SQLitePath)
	if err != nil {
		c.note(false, "no server holds the database ("+err.Error()+")", "start one: cloakroom serve")
		return
	}
	_ = conn.Close()
	o := &operator{client: clientOf(func(ctx context.Context) (net.Conn, error) { return control.Dial(ctx, c.settings.SQLitePath) })}
	var st server.Status
	if err := o.call(ctx, http.MethodGet, "/v1/operator/status", nil, &st); err != nil {
		c.note(false, "the server does not answer: "+err.Error(), "look into its log")
		return
	}
	c.note(true, "a server holds the database and answers, version "+st.Version, "")
	c.note(st.Version == server.Version(), "the server and this command are of one version",
		"restart the server, or use its own binary: it is %s, this is %s", st.Version, server.Version())
	public, err := url.Parse(st.PublicURL)
	if err != nil {
		c.note(false, "the public URL cannot be read", "correct public_url")
		return
	}
	c.note(true, keeping(public), "")
	c.serverClock(st.Now)
	c.latestEntry(ctx, o)
	c.way(ctx, o, st, public)
}
