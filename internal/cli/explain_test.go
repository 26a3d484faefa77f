package cli

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAnOldSignInIsExplained(t *testing.T) {
	database := "sqlite:" + filepath.Join(t.TempDir(), "c.db")
	at, stop := ahead(t, database, 0)
	const password = "correct horse battery staple"
	if code, _, errOut := reading(t, password, "account", "create", "ada@example.com", "--password", "--database="+database); code != 0 {
		t.Fatal(errOut)
	}
	answer, err := http.Post(at+"/auth/v1/sign-in", "application/json", strings.NewReader(`{"email":"ada@example.com","password":"`+password+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	token := ""
	for _, c := range answer.Cookies() {
		if c.Name == "__Host-session" {
			token = c.Value
		}
	}
	for _, c := range []struct {
		later time.Duration
		want  []string
	}{
		{0, []string{"check     200 OK", "it is let in"}},
		{2 * time.Hour, []string{"check     403 Forbidden",
			"authentication is not recent enough: needs an authentication within the last 1h0m0s; the session is of level 1, its roles are [], and who it is was confirmed 2h0m"}},
		{8 * 24 * time.Hour, []string{"check     401 Unauthorized", "no such session: the session has expired"}},
	} {
		stop()
		_, stop = ahead(t, database, c.later)
		code, out, errOut := reading(t, token+"\n", "explain", "--policy=recent", "--database="+database)
		if code != 0 || strings.Contains(out+errOut, token) {
			t.Errorf("%v later: exit code %d, %s", c.later, code, errOut)
		}
		for _, w := range c.want {
			if !strings.Contains(out, w) {
				t.Errorf("%v later %q is missing in:\n%s", c.later, w, out)
			}
		}
	}
	stop()
}

func TestARequestIsUnderstoodAsItIsCopied(t *testing.T) {
	for name, text := range map[string]string{
		"as it is sent": "POST /a?b=c HTTP/1.1\r\nHost: example.com\r\ncookie: x=1\r\nOrigin: https://o\r\n\r\nHost: the body's\r\n",
		"curl -v":       "* Connected to example.com\n> POST /a?b=c HTTP/2\n> Host: example.com\n> cookie: x=1\n> Origin: https://o\n> \n* sent\n< HTTP/2 303\n< location: /d\n> GET /d HTTP/2\n> Host: other\n>\n",
		"Firefox":       "POST https://example.com/a?b=c HTTP/2\nCookie: x=1\norigin: https://o\n",
		"Chrome":        "\n:authority: example.com\n:method: POST\n:path: /a?b=c\n:scheme: https\ncookie: x=1\norigin: https://o\n",
		"no version":    "POST /a?b=c\nHost: example.com\nCookie:x=1\nOrigin:  https://o",
	} {
		q, err := parseHead(text)
		if err != nil || q.Method != "POST" || q.Target != "/a?b=c" || q.Host != "example.com" ||
			q.Header.Get("Cookie") != "x=1" || q.Header.Get("Origin") != "https://o" || len(q.Header) != 2 {
			t.Errorf("%s: %+v %v", name, q, err)
		}
	}
	for text, want := range map[string]string{
		"":                                    "no first line",
		"Cookie: secret=1\n":                  "no first line",
		"GET / HTTP/1.1\nsecret\n":            "line 2 ",
		"GET / HTTP/1.1\nA: b\nse cret: x\n":  "line 3 ",
		"* c\n> GET / HTTP/1.1\n> se cret: x": "line 3 ",
	} {
		if _, err := parseHead(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "cret") {
			t.Errorf("%q: %v", text, err)
		}
	}
	big := "GET / HTTP/1.1\nA: " + strings.Repeat("b", longestHead)
	if code, _, errOut := reading(t, big, "explain", "--request=-"); code != 1 || !strings.Contains(errOut, "longer than 65536 bytes") {
		t.Errorf("%d %s", code, errOut)
	}
}
