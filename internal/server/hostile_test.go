package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestNoCookieButTheRightOneIsASession(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser().signUp("ada@example.com")
	token := b.cookie
	flip := func(i int) string {
		c := byte('A')
		if token[i] == c {
			c = 'B'
		}
		return token[:i] + string(c) + token[i+1:]
	}
	cookie := func(value string) []string { return []string{cookieName + "=" + value} }
	for name, headers := range map[string][]string{
		"empty":                 cookie(""),
		"first character":       cookie(flip(4)),
		"last of the secret":    cookie(flip(46)),
		"last of the checksum":  cookie(flip(52)),
		"truncated":             cookie(token[:52]),
		"extended":              cookie(token + "A"),
		"another kind":          cookie("cka_" + token[4:]),
		"no kind":               cookie(token[4:]),
		"upper case":            cookie(strings.ToUpper(token)),
		"in quotes":             cookie(`"` + token + `"`),
		"a space in front":      cookie(" " + token),
		"a space behind":        {cookieName + "=" + token + " ; a=b"},
		"percent-encoded":       cookie("%63" + token[1:]),
		"not ASCII":             cookie("ćks_" + token[5:]),
		"eight kilobytes":       cookie(strings.Repeat(token, 150)),
		"doubled":               {cookieName + "=" + token + "; " + cookieName + "=" + token},
		"doubled, empty first":  {cookieName + "=; " + cookieName + "=" + token},
		"doubled, empty last":   {cookieName + "=" + token + "; " + cookieName + "="},
		"in two headers":        {cookieName + "=" + token, cookieName + "=" + token},
		"another name":          {"session=" + token},
		"the name in lower":     {"__host-session=" + token},
		"the name with a space": {cookieName + " =" + token},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/v1/session", "/check", "/v1/sessions"} {
				a := s.browser().do("GET", path, "", set("Cookie", headers...)).problem(http.StatusUnauthorized, "signed-out")
				if strings.Contains(a.text+fmt.Sprint(a.header), token[10:30]) {
					t.Error("the answer repeats what was presented")
				}
			}
		})
	}
	s.browser().do("GET", "/v1/session", "", set("Cookie", "a=b; "+cookieName+"="+token+"; c=d")).is(http.StatusOK)
	for _, attempt := range []answer{
		s.browser().do("GET", "/v1/session?__Host-session="+token, ""),
		s.browser().do("GET", "/v1/session", "", set("Authorization", "Bearer "+token)),
		s.browser().do("GET", "/v1/session;__Host-session="+token, ""),
	} {
		if attempt.status == http.StatusOK {
			t.Error("a token elsewhere than in the cookie was accepted")
		}
	}
}

func TestUnsafeRequestsFromElsewhereAreRefusedAndDoNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser().signUp("ada@example.com")
	other := s.browser().signIn("ada@example.com")
	own := s.URL()
	port := own[strings.LastIndexByte(own, ':'):]
	none := set("Sec-Fetch-Site")
	elsewhere := map[string][]edit{
		"cross-site":                    {set("Sec-Fetch-Site", "cross-site")},
		"same-site":                     {set("Sec-Fetch-Site", "same-site")},
		"an unknown value":              {set("Sec-Fetch-Site", "bogus")},
		"an empty value":                {set("Sec-Fetch-Site", "")},
		"two values":                    {set("Sec-Fetch-Site", "same-origin", "same-origin")},
		"another origin":                {none, set("Origin", "https://evil.example")},
		"another origin, said to be us": {set("Origin", "https://evil.example")},
		"null":                          {none, set("Origin", "null")},
		"userinfo":                      {none, set("Origin", strings.Replace(own, "//", "//x@", 1))},
		"another port":                  {none, set("Origin", "http://localhost:1")},
		"no port":                       {none, set("Origin", "http://localhost")},
		"another scheme":                {none, set("Origin", strings.Replace(own, "http:", "https:", 1))},
		"our name as a prefix":          {none, set("Origin", own+".evil.example")},
		"a slash behind":                {none, set("Origin", own+"/")},
		"two origins":                   {none, set("Origin", own, own)},
		"the header Host as the origin": {none, set("Origin", "http://evil.example"+port), func(r *http.Request) { r.Host = "evil.example" + port }},
	}
	unsafe := []struct{ method, path, body string }{
		{"POST", "/v1/sign-up", credentials("new@example.com", goodPassword)},
		{"POST", "/v1/sign-in", credentials("ada@example.com", goodPassword)},
		{"POST", "/v1/sign-out", ""},
		{"POST", "/v1/session/renew", ""},
		{"POST", "/v1/token", credentials("ada@example.com", goodPassword)},
		{"POST", "/v1/token/refresh", `{"refresh_token":"x"}`},
		{"POST", "/v1/token/revoke", `{"token":"x"}`},
		{"POST", "/v1/reauthenticate", `{"password":"` + goodPassword + `"}`},
		{"DELETE", "/v1/sessions", ""},
		{"DELETE", "/v1/sessions?all=true", ""},
		{"DELETE", "/v1/sessions/" + other.sessionID(), ""},
	}
	for name, edits := range elsewhere {
		t.Run(name, func(t *testing.T) {
			for _, u := range unsafe {
				s.with(b.cookie).do(u.method, u.path, u.body, edits...).problem(http.StatusForbidden, "origin")
				s.browser().do(u.method, u.path, u.body, edits...).problem(http.StatusForbidden, "origin")
			}
		})
	}
	t.Run("neither header with the cookie", func(t *testing.T) {
		for _, u := range unsafe {
			a := s.with(b.cookie).do(u.method, u.path, u.body, none).problem(http.StatusForbidden, "origin")
			if !strings.Contains(a.text, "Sec-Fetch-Site") {
				t.Errorf("the answer does not say what to send: %s", a.text)
			}
		}
	})
	b.do("GET", "/v1/session", "").is(http.StatusOK)
	other.do("GET", "/v1/session", "").is(http.StatusOK)
	if n := len(b.do("GET", "/v1/sessions", "").at("sessions").([]any)); n != 2 {
		t.Errorf("%d sessions", n)
	}
	s.browser().do("POST", "/v1/sign-in", credentials("new@example.com", goodPassword)).is(http.StatusUnauthorized)
}

func TestUnsafeRequestsFromHereAreLetThrough(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.browser().signUp("ada@example.com")
	loopback := strings.Replace(s.URL(), "localhost", "127.0.0.1", 1)
	for name, edits := range map[string][]edit{
		"same-origin":            {set("Sec-Fetch-Site", "same-origin")},
		"typed by the user":      {set("Sec-Fetch-Site", "none")},
		"the canonical origin":   {set("Sec-Fetch-Site"), set("Origin", s.URL())},
		"the other public URL":   {set("Sec-Fetch-Site"), set("Origin", loopback)},
		"both":                   {set("Origin", s.URL())},
		"null beside the header": {set("Origin", "null")},
	} {
		t.Run(name, func(t *testing.T) {
			b := s.browser().signIn("ada@example.com")
			b.do("POST", "/v1/reauthenticate", `{"password":"`+goodPassword+`"}`, edits...).is(http.StatusOK)
		})
	}
	s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword), set("Sec-Fetch-Site")).is(http.StatusOK)
}

func TestABodyIsExactlyWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.browser().signUp("ada@example.com")
	const email, secret = `"email":"ada@example.com"`, "s3cret s3cret s3cret"
	for name, c := range map[string]struct {
		body          string
		status        int
		problem, text string
	}{
		"unknown key":          {`{` + email + `,"password":"` + secret + `","role":"s3cret"}`, 422, "invalid", "role"},
		"another case":         {`{"Email":"s3cret","password":"` + secret + `"}`, 422, "invalid", "Email"},
		"another case, also":   {`{` + email + `,"password":"` + secret + `","Password":"s3cret"}`, 422, "invalid", "Password"},
		"doubled key":          {`{` + email + `,"password":"` + secret + `","password":"s3cret"}`, 400, "malformed", "password"},
		"doubled by an escape": {`{` + email + `,"password":"` + secret + `","p\u0061ssword":"s3cret"}`, 400, "malformed", "password"},
		"missing key":          {`{"password":"` + secret + `"}`, 422, "invalid", "email"},
		"null":                 {`{` + email + `,"password":null}`, 422, "invalid", "password"},
		"number":               {`{` + email + `,"password":7331733173317331}`, 422, "invalid", "password"},
		"object":               {`{` + email + `,"password":{"s3cret":"s3cret"}}`, 422, "invalid", "password"},
		"array":                {`{"email":["s3cret"],"password":"` + secret + `"}`, 422, "invalid", "email"},
		"text for a boolean":   {`{` + email + `,"password":"` + secret + `","remember":"s3cret"}`, 422, "invalid", "remember"},
		"null for a boolean":   {`{` + email + `,"password":"` + secret + `","remember":null}`, 422, "invalid", "remember"},
		"trailing data":        {`{` + email + `,"password":"` + secret + `"} {"s3cret":1}`, 400, "malformed", ""},
		"trailing letter":      {`{` + email + `,"password":"` + secret + `"}s3cret`, 400, "malformed", ""},
		"a comma too much":     {`{` + email + `,"password":"` + secret + `",}`, 400, "malformed", ""},
		"a comment":            {`{/*s3cret*/` + email + `,"password":"` + secret + `"}`, 400, "malformed", ""},
		"cut off":              {`{` + email + `,"password":"s3cr`, 400, "malformed", ""},
		"invalid UTF-8":        {`{` + email + `,"password":"` + secret + "\xff" + `"}`, 400, "malformed", ""},
		"half a surrogate":     {`{` + email + `,"password":"` + secret + `\ud800"}`, 400, "malformed", ""},
		"a byte order mark":    {"\xef\xbb\xbf" + `{` + email + `,"password":"` + secret + `"}`, 400, "malformed", ""},
		"UTF-16":               {"\x00{\x00}", 400, "malformed", ""},
		"a string":             {`"s3cret"`, 400, "malformed", ""},
		"an array of one":      {`[{` + email + `,"password":"` + secret + `"}]`, 400, "malformed", ""},
		"null alone":           {`null`, 400, "malformed", ""},
		"white space":          {"  \n", 400, "malformed", ""},
		"ten thousand deep":    {strings.Repeat("[", 20000), 400, "malformed", ""},
		"a long unknown key":   {`{` + email + `,"password":"` + secret + `","` + strings.Repeat("k", 50000) + `":1}`, 422, "invalid", "kkk"},
		"64 KiB and one":       {`{` + email + `,"password":"` + strings.Repeat("x", 64<<10) + `"}`, 413, "too-large", ""},
		"ten megabytes":        {`{` + email + `,"password":"` + strings.Repeat("x", 10<<20) + `"}`, 413, "too-large", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.browser().do("POST", "/v1/sign-in", c.body).problem(c.status, c.problem)
			if !strings.Contains(a.text, c.text) {
				t.Errorf("%q is not named: %s", c.text, a.text)
			}
			if strings.Contains(a.text, "s3cret") || strings.Contains(a.text, "7331") || len(a.text) > 500 {
				t.Errorf("the refusal repeats what was sent: %s", a.text)
			}
		})
	}
	s.browser().do("POST", "/v1/sign-in", " {\n"+email+`,"p\u0061ssword":"`+goodPassword+"\"}\n").is(http.StatusOK)
}

// TestWhoSendsTooMuchReadsTheAnswer, also where the connection is closed after it:
// one that is closed while the client sends is reset.
func TestWhoSendsTooMuchReadsTheAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for path, kind := range map[string]string{
		"/auth/v1/sign-in": "application/json", "/auth/sign-in": "application/x-www-form-urlencoded",
	} {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		_, err = fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nSec-Fetch-Site: same-origin\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
			path, kind, 8<<20, strings.Repeat("x", 8<<20))
		if err != nil {
			t.Errorf("%s: it was not read: %v", path, err)
			continue
		}
		if r, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || r.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %v, %v", path, r, err)
		}
	}
}

func TestABodyThatAFormCouldSendIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser().signUp("ada@example.com")
	body := credentials("ada@example.com", goodPassword)
	for _, kind := range []string{
		"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json",
		"application/json; charset=latin1", "application/json; charset=utf-8; x=y", "application/json, text/plain",
		"application/jsonp", "application/problem+json", "application/json;;", "application json",
	} {
		b.do("POST", "/v1/sign-in", body, set("Content-Type", kind)).problem(http.StatusUnsupportedMediaType, "media-type")
		b.do("POST", "/v1/reauthenticate", `{"password":"`+goodPassword+`"}`, set("Content-Type", kind)).problem(http.StatusUnsupportedMediaType, "media-type")
	}
	s.browser().do("POST", "/v1/sign-in", body, set("Content-Type")).problem(http.StatusUnsupportedMediaType, "media-type")
	s.browser().do("POST", "/v1/sign-in", body, set("Content-Type", "application/json", "application/json")).problem(http.StatusUnsupportedMediaType, "media-type")
	for _, kind := range []string{"application/json", "Application/JSON; Charset=UTF-8", `application/json;charset="utf-8"`} {
		s.browser().do("POST", "/v1/sign-in", body, set("Content-Type", kind)).is(http.StatusOK)
	}
}

func TestOnlyDeclaredMethodsWorkAndNoneIsOverridden(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser().signUp("ada@example.com")
	for path, allow := range map[string]string{
		"/v1/sign-up": "POST", "/v1/sign-in": "POST", "/v1/sign-out": "POST", "/v1/reauthenticate": "POST",
		"/v1/session": "GET, HEAD", "/v1/sessions": "DELETE, GET, HEAD", "/v1/sessions/x": "DELETE",
		"/openapi.json": "GET, HEAD", "/openapi.yaml": "GET, HEAD",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"} {
			if strings.Contains(" "+allow+",", " "+method+",") {
				continue
			}
			a := b.do(method, path, "", set("X-HTTP-Method-Override", "DELETE"))
			if method == "HEAD" {
				a.is(http.StatusMethodNotAllowed)
			} else {
				a.problem(http.StatusMethodNotAllowed, "method-not-allowed")
			}
			if got := a.header.Get("Allow"); got != allow {
				t.Errorf("%s %s: Allow: %q, want %q", method, path, got, allow)
			}
		}
	}
	b.do("GET", "/v1/session", "").is(http.StatusOK)
}

func TestWhatIsNotThereIsAProblemDocument(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser().signUp("ada@example.com")
	for _, path := range []string{
		"/auth/v1/", "/auth/v1/nothing", "/auth/v1/session/", "/auth/v1/session/x.css", "/auth/v1/session%2fx.css", "/auth/v1/session;x.css",
		"/auth/v1//session", "/auth/v1/./session", "/auth/v1/x/../session", "/auth//v1/session", "//auth/v1/session",
		"/auth/v1/sessions/", "/auth/openapi.xml", "/v1/session", "/metrics", "/debug/pprof/", "/.git/config", "/authentic",
	} {
		b.to("GET", path, "", func(r *http.Request) { r.Host = strings.TrimPrefix(s.URL(), "http://") }).problem(http.StatusNotFound, "not-found")
	}
}

func TestHEADAnswersLikeGET(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser().signUp("ada@example.com")
	b.do("HEAD", "/check", "").is(http.StatusOK)
	for _, path := range []string{"/v1/session", "/v1/sessions", "/openapi.json"} {
		get, head := b.do("GET", path, ""), b.do("HEAD", path, "").is(http.StatusOK)
		if head.text != "" || head.header.Get("Content-Length") != get.header.Get("Content-Length") || head.header.Get("Content-Type") != get.header.Get("Content-Type") {
			t.Errorf("%s: GET %v, HEAD %v", path, get.header, head.header)
		}
	}
}

func TestEveryAnswerSaysHowItMayBeUsed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser().signUp("ada@example.com")
	for _, a := range []answer{
		b.do("GET", "/v1/session", ""), b.do("GET", "/v1/sessions", ""), b.do("GET", "/openapi.json", ""), b.do("GET", "/openapi.yaml", ""),
		b.do("GET", "/check", ""), s.browser().do("GET", "/check", ""), b.do("POST", "/v1/sign-in", "x"), b.do("GET", "/v1/nothing", ""),
		b.to("GET", "/", ""), b.do("GET", "/account", ""), b.do("POST", "/v1/sign-out", ""),
	} {
		if !strings.Contains(a.header.Get("Cache-Control"), "no-store") {
			t.Errorf("Cache-Control %q in %v", a.header.Get("Cache-Control"), a.header)
		}
		if a.text != "" && (a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Content-Type") == "") {
			t.Errorf("headers %v", a.header)
		}
		for _, header := range []string{"Access-Control-Allow-Origin", "Server", "X-Powered-By", "Etag"} {
			if a.header[header] != nil {
				t.Errorf("%s: %s", header, a.header[header])
			}
		}
	}
}

func TestFramingIsStrict(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, head := range map[string]string{
		"two lengths":           "Content-Length: 4\r\nContent-Length: 5\r\n",
		"a space in the name":   "Transfer-Encoding : chunked\r\n",
		"headers without end":   "X-A: " + strings.Repeat("a", 100<<10) + "\r\n",
		"two hosts":             "Host: a\r\nHost: b\r\n",
		"an unknown encoding":   "Transfer-Encoding: gzip\r\n",
		"a control in a header": "X-A: b\x00\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			c, err := net.Dial("tcp", s.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(10 * time.Second))
			_, _ = io.WriteString(c, "POST /auth/v1/sign-out HTTP/1.1\r\nHost: localhost\r\n"+head+"\r\n0\r\n\r\n")
			r, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				return // closed without an answer is a refusal, too
			}
			defer r.Body.Close()
			if r.StatusCode < 400 || !r.Close {
				t.Errorf("status %d, closed %v", r.StatusCode, r.Close)
			}
		})
	}
}
