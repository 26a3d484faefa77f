package server

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"cloakroom/internal/control"
)

// explained asks the operator's side about a question.
func (s *site) explained(q Question) (e Explanation, text string) {
	s.t.Helper()
	body, err := json.Marshal(q)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), "POST", "/v1/operator/explain", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	answer, err := control.Direct{Handler: s.operator()}.RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	var all bytes.Buffer
	if _, err := all.ReadFrom(answer.Body); err != nil {
		s.t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		return Explanation{Status: answer.StatusCode}, all.String()
	}
	if err := json.Unmarshal(all.Bytes(), &e); err != nil {
		s.t.Fatal(err)
	}
	return e, all.String()
}

// head is a browser's request, with the cookie of who is signed in.
func (b *browser) head(method, target string, headers ...string) Requested {
	q := Requested{Method: method, Target: target, Host: strings.TrimPrefix(b.URL(), "http://"), Header: http.Header{}}
	q.Header.Set("Cookie", "theme=dark; "+cookieName+"="+b.cookie)
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			q.Host = headers[i+1]
			continue
		}
		q.Header.Add(headers[i], headers[i+1])
	}
	return q
}

// really sends the request to the server that runs.
func (b *browser) really(q Requested) (status int, text string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), q.Method, "http://"+b.Addr().String()+q.Target, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Host, r.Header = q.Host, q.Header
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	var all bytes.Buffer
	_, _ = all.ReadFrom(answer.Body)
	return answer.StatusCode, all.String()
}

// TestAWholeRequestIsExplainedAsItIsAnswered, before it is sent and without its being
// done.
func TestAWholeRequestIsExplainedAsItIsAnswered(t *testing.T) {
	s := newSite(t, func(o *Options) { o.Config.Policies = policies })
	ada := s.browser().signUp("ada@example.com")
	for _, c := range []struct {
		q       Requested
		refused int // before its session counts
		rule    string
		check   int
	}{
		{ada.head("POST", "/auth/v1/sign-out", "Origin", "https://evil.example"), 403, "Origin is not a public address of this site", 200},
		{ada.head("POST", "/auth/v1/sign-out", "Origin", s.URL(), "Sec-Fetch-Site", "cross-site"), 403, "Sec-Fetch-Site must be same-origin", 200},
		{ada.head("POST", "/auth/v1/sign-out", "Origin", "null"), 403, "Origin is not a public address", 200},
		{ada.head("POST", "/auth/v1/sign-out"), 403, "needs the header Sec-Fetch-Site or Origin", 200},
		{ada.head("POST", "/auth/sign-in", "Sec-Fetch-Site", "same-site"), 403, "Sec-Fetch-Site must be same-origin", 200},
		{ada.head("GET", "/auth/account", "Host", "evil.example"), 303, "a page is shown under those only", 200},
		{ada.head("GET", "/auth//account"), 404, "empty, . or .. elements", 200},
		{ada.head("GET", "/auth/v1/session", "Host", "evil.example", "Origin", "https://evil.example"), 0, "", 200},
		{ada.head("GET", "/auth/check/none", "Origin", "https://evil.example"), 0, "", 403},
		{ada.head("GET", "/auth/check/staff"), 0, "", 403},
		{ada.head("POST", "/auth/forward/fresh", "Sec-Fetch-Site", "cross-site"), 0, "", 200},
		{ada.head("GET", "/auth/account?token=ckl_secret"), 0, "", 200},
		{s.with("x").head("GET", "/auth/check"), 0, "", 401},
	} {
		e, text := s.explained(Question{Request: &c.q})
		if e.Status != c.check {
			t.Errorf("%s %s: the check says %s", c.q.Method, c.q.Target, text)
		}
		if strings.Contains(text, ada.cookie) || strings.Contains(text, "ckl_") || strings.Contains(text, "theme") {
			t.Errorf("%s %s: a secret is told: %s", c.q.Method, c.q.Target, text)
		}
		status, answer := ada.really(c.q)
		switch {
		case c.refused == 0 && (e.Refused != nil || strings.Contains(answer, "problem:origin")):
			t.Errorf("%s %s is answered %d %s, explained %s", c.q.Method, c.q.Target, status, answer, text)
		case c.refused == 0 && strings.HasPrefix(c.q.Target, "/auth/check") && status != c.check:
			t.Errorf("%s %s is answered %d, explained %s", c.q.Method, c.q.Target, status, text)
		case c.refused == 0:
		case status != c.refused || e.Refused == nil || e.Refused.Status != status || !strings.Contains(e.Refused.Rule, c.rule):
			t.Errorf("%s %s is answered %d, explained %s", c.q.Method, c.q.Target, status, text)
		}
	}
	q := ada.head("POST", "/auth/v1/sign-out", "Sec-Fetch-Site", "same-origin")
	if e, text := s.explained(Question{Request: &q}); e.Refused != nil {
		t.Error(text)
	}
	ada.do("GET", "/check", "").is(http.StatusOK) // it was not done
}

// noted fails unless one note holds the text.
func (e Explanation) noted(t *testing.T, want string) {
	t.Helper()
	if !slices.ContainsFunc(e.Notes, func(n string) bool { return strings.Contains(n, want) }) {
		t.Errorf("%q is not noted: %q", want, e.Notes)
	}
}

func TestItIsExplainedWhomARequestIsTakenFor(t *testing.T) {
	s := newSite(t, func(o *Options) { o.Config.TrustedProxies = []string{"10.0.0.2"} })
	ada := s.browser().signUp("ada@example.com")
	for _, c := range []struct{ from, forwarded, client, note string }{
		{"10.0.0.2", "203.0.113.9", "203.0.113.9", ""},
		{"10.0.0.2:4711", "198.51.100.1, 203.0.113.9", "203.0.113.9", ""},
		{"192.0.2.7", "203.0.113.9", "192.0.2.7", "X-Forwarded-For is not believed, because 192.0.2.7 is not in proxies.trusted"},
		{"10.0.0.2", "", "10.0.0.2", "sends no X-Forwarded-For"},
		{"192.0.2.7", "", "192.0.2.7", ""},
		{"", "203.0.113.9", "", "say --from ADDRESS"},
	} {
		q := ada.head("GET", "/reports")
		q.From = c.from
		if c.forwarded != "" {
			q.Header.Set("X-Forwarded-For", c.forwarded)
		}
		e, text := s.explained(Question{Request: &q})
		if e.Client != c.client || e.Refused != nil || e.Status != http.StatusOK {
			t.Errorf("%+v: %s", c, text)
		}
		e.noted(t, "the path is the application's")
		e.noted(t, c.note)
		if c.note == "" && len(e.Notes) != 1 {
			t.Errorf("%+v: %q", c, e.Notes)
		}
	}
	q := ada.head("GET", "/reports", "Host", "evil.example", "Forwarded", "for=203.0.113.9")
	e, _ := s.explained(Question{Request: &q})
	e.noted(t, `Host is "evil.example", which is no public URL's`)
	e.noted(t, "the header Forwarded is not read")
	for _, bad := range []Requested{{Method: "GET", Target: "reports"}, {Method: "G T", Target: "/"}, {Method: "GET", Target: "/", From: "proxy"}} {
		if e, text := s.explained(Question{Request: &bad}); e.Status != http.StatusBadRequest {
			t.Errorf("%+v: %s", bad, text)
		}
	}
}

func TestACookieThatCannotCountIsExplained(t *testing.T) {
	s := newSite(t)
	ada := s.browser().signUp("ada@example.com")
	for cookie, want := range map[string]string{
		"theme=dark": "the token is malformed; there is no cookie __Host-session",
		cookieName + "=" + ada.cookie + "; " + cookieName + "=" + ada.cookie: "the cookie __Host-session stands there 2 times, and none of them counts",
		cookieName + "=x": "the token is malformed",
	} {
		if e, text := s.explained(Question{Cookie: cookie}); e.Status != http.StatusUnauthorized || !strings.HasSuffix(e.Reason, want) || strings.Contains(text, ada.cookie) {
			t.Errorf("%s", text)
		}
	}
}
