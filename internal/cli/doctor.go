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
	"strings"
	"time"

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
	local := public.Hostname() == "localhost" || strings.HasPrefix(public.Hostname(), "127.")
	c.note(public.Scheme == "https" || local, "browsers keep the cookie under "+st.PublicURL, "set public_url to an https address")
	c.way(ctx, o, st, public)
}

// way sends a request through the public URL, and looks at how it arrives.
func (c *checkup) way(ctx context.Context, o *operator, st server.Status, public *url.URL) {
	var a server.Arrival
	if err := o.call(ctx, http.MethodPost, "/v1/operator/probe", nil, &a); err != nil {
		c.note(false, "the way to the server cannot be looked at: "+err.Error(), "look into its log")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, st.PublicURL+st.BasePath+"/v1/session", nil)
	if err != nil {
		c.note(false, "the public URL cannot be asked", "correct public_url")
		return
	}
	r.Header.Set("X-Cloakroom-Probe", a.Probe)
	began := time.Now()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r) // r's context limits it
	if err != nil {
		c.note(false, st.PublicURL+" does not answer: "+err.Error(), "look at the name, the certificate and the proxy; the server listens on %s", st.Listen)
		return
	}
	_ = answer.Body.Close()
	if err := o.call(ctx, http.MethodGet, "/v1/operator/probe", nil, &a); err != nil || !a.Arrived {
		c.note(false, fmt.Sprintf("%s answers %s, and the request did not reach this server", st.PublicURL, answer.Status),
			"have the proxy pass %s/ on to %s, or correct public_url", st.BasePath, st.Listen)
		return
	}
	c.note(true, st.PublicURL+" leads to this server", "")
	c.note(strings.EqualFold(a.Host, public.Host), "the header Host arrives as "+a.Host, "have the proxy pass Host on as it is: %s", public.Host)
	c.note(a.ForwardedFor == "" || a.Trusted, "requests are known to come from "+withoutPort(a.Client),
		"a proxy at %s says that the request comes from %s, and is not trusted: everybody shares its limits. Set proxies.trusted to its address, and nothing wider",
		a.Peer, a.ForwardedFor)
	c.note(a.Proto == "" || a.Proto == public.Scheme, "the proxy and the public URL agree on "+public.Scheme,
		"the proxy says %s; correct it, or public_url", a.Proto)
	if at, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		off := at.Sub(began).Round(time.Second)
		c.note(off.Abs() <= 5*time.Second, "the clocks here and at the public URL agree", "they are %v apart: have both set by NTP", off.Abs())
	}
}

func withoutPort(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return "a socket of this machine"
}
