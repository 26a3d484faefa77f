package cli

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"cloakroom/internal/server"
)

// way sends a request through the public URL, and looks at how it arrives and at
// how the answer comes back. The request is nobody's: in the session cookie's place
// it carries a word that is good for this one time, and for nothing else.
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
	r.AddCookie(&http.Cookie{Name: a.Cookie, Value: a.Probe})
	began := time.Now()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r) // r's context limits it
	if err != nil {
		c.note(false, st.PublicURL+" does not answer: "+err.Error(), "look at the name, the certificate and the proxy; the server listens on %s", st.Listen)
		return
	}
	ended := time.Now()
	_ = answer.Body.Close()
	if err := o.call(ctx, http.MethodGet, "/v1/operator/probe", nil, &a); err != nil || !a.Arrived {
		c.note(false, fmt.Sprintf("%s answers %s, and the request did not reach this server", st.PublicURL, answer.Status),
			"have the proxy pass %s/ on to %s, or correct public_url", st.BasePath, st.Listen)
		return
	}
	c.note(true, st.PublicURL+" leads to this server", "")
	c.arrival(a, public)
	c.cookieBack(answer.Header["Set-Cookie"], a)
	c.dateBack(answer.Header.Get("Date"), began, ended, st.PublicURL)
}

// arrival looks at the request as it arrived.
func (c *checkup) arrival(a server.Arrival, public *url.URL) {
	c.note(strings.EqualFold(a.Host, public.Host), "the header Host arrives as "+a.Host, "have the proxy pass Host on as it is: %s", public.Host)
	c.note(a.ForwardedFor == "" || a.Trusted, "requests are known to come from "+withoutPort(a.Client),
		"a proxy at %s says that the request comes from %s, and is not trusted: everybody shares its limits. Set proxies.trusted to its address, and nothing wider",
		a.Peer, a.ForwardedFor)
	c.note(a.Proto == "" || a.Proto == public.Scheme, "the proxy and the public URL agree on "+public.Scheme,
		"the proxy says %s; correct it, or public_url", a.Proto)
	c.note(a.CookieArrived, "the cookie "+a.Cookie+" arrives as it was sent",
		"have the proxy pass the header Cookie on as it is; nobody stays signed in without it")
}

// cookieBack compares the Set-Cookie that has come back with the one that the server
// sent. Another spelling of the same is the same.
func (c *checkup) cookieBack(came []string, a server.Arrival) {
	what := "the server's Set-Cookie comes back whole: " + a.SetCookie
	sent, err := http.ParseSetCookie(a.SetCookie)
	if err != nil {
		c.note(false, "the server sets no cookie that can be read", "restart it with this command's binary")
		return
	}
	for _, line := range came {
		got, err := http.ParseSetCookie(line)
		if err != nil || got.Name != sent.Name {
			continue
		}
		lost := changed(sent, got)
		c.note(lost == nil, what, "it comes back with another %s; have the proxy pass Set-Cookie on as it is, or browsers refuse the cookie or let others read it",
			strings.Join(lost, ", "))
		return
	}
	c.note(false, what, "no Set-Cookie of the name %s comes back; have the proxy pass it on as it is: nobody can sign in without it", sent.Name)
}

// changed names what two cookies differ in.
func changed(sent, got *http.Cookie) (names []string) {
	for _, one := range []struct {
		name string
		same bool
	}{
		{"value", got.Value == sent.Value}, {"Path", got.Path == sent.Path}, {"Domain", got.Domain == sent.Domain},
		{"Secure", got.Secure == sent.Secure}, {"HttpOnly", got.HttpOnly == sent.HttpOnly}, {"SameSite", got.SameSite == sent.SameSite},
	} {
		if !one.same {
			names = append(names, one.name)
		}
	}
	return names
}

// apart is how far two clocks may be from each other: a second is what a Date tells,
// and the rest is for a machine that is busy.
const apart = 5 * time.Second

// clockForm is a time that is compared with another machine's.
const clockForm = "2006-01-02 15:04:05Z"

// serverClock compares this command's clock with the server's, who is on the same
// machine, by what it has just said.
func (c *checkup) serverClock(at time.Time) {
	now := time.Now()
	c.note(at.Sub(now).Abs() <= apart,
		fmt.Sprintf("the clock of this command (%s) and the server's own (%s) agree", now.UTC().Format(clockForm), at.UTC().Format(clockForm)),
		"they are %v apart: have one clock for both, set by NTP", at.Sub(now).Abs().Round(time.Second))
}

// latestEntry looks whether the database has seen a later time than it is now:
// then a clock was set back since, or was wrong.
func (c *checkup) latestEntry(ctx context.Context, o *operator) {
	var latest time.Time
	err := o.audit(ctx, url.Values{}, func(e entryShape) (bool, error) {
		latest = e.At
		return false, nil
	})
	if err != nil {
		c.note(false, "the record cannot be read: "+err.Error(), "look into the server's log")
		return
	}
	if latest.IsZero() {
		return // nothing was ever done
	}
	now := time.Now()
	c.note(latest.Sub(now) <= apart,
		fmt.Sprintf("the database's latest entry (%s) is not ahead of the clock of this command (%s)", latest.UTC().Format(clockForm), now.UTC().Format(clockForm)),
		"it is %v ahead: the clock was wrong then, or is now. Have it set by NTP", latest.Sub(now).Round(time.Second))
}

// dateBack compares this command's clock with the Date of an answer that came
// between two times. Which of the machines on the way wrote it cannot be told.
func (c *checkup) dateBack(date string, began, ended time.Time, from string) {
	at, err := http.ParseTime(date)
	if err != nil {
		c.note(true, from+" sends no Date: the clocks were not compared with it", "")
		return
	}
	off := max(began.Sub(at), at.Sub(ended), 0).Round(time.Second)
	c.note(off <= apart,
		fmt.Sprintf("the clock of this command (%s) and the Date that %s sends, the proxy's or the server's (%s), agree",
			ended.UTC().Format(clockForm), from, at.UTC().Format(clockForm)),
		"they are %v apart: have the clocks of this machine and of the proxy's set by NTP", off)
}

func withoutPort(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return "a socket of this machine"
}
