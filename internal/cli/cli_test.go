package cli

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// run carries out a command line that is expected to end by itself.
func run(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	return reading(t, "", args...)
}

// reading is run with a standard input.
func reading(t *testing.T, in string, args ...string) (code int, out, errOut string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var o, e bytes.Buffer
	code = Run(ctx, args, strings.NewReader(in), &o, &e)
	return code, o.String(), e.String()
}

// anywhere are flags with which serve disturbs nobody.
func anywhere(t *testing.T) []string {
	return []string{"serve", "--listen=127.0.0.1:0", "--ops.listen=127.0.0.1:0", "--database=sqlite:" + filepath.Join(t.TempDir(), "c.db")}
}

// pipe is an io.Writer whose first line that matches can be waited for.
type pipe struct {
	lines chan string
}

func (p pipe) Write(b []byte) (int, error) {
	p.lines <- string(b)
	return len(b), nil
}

// serving runs serve in the background until the test ends, and returns what it
// printed for people.
func serving(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	out := pipe{make(chan string, 16)}
	code := make(chan int, 1)
	var errOut bytes.Buffer
	go func() { code <- Run(ctx, args, strings.NewReader(""), out, &errOut) }()
	t.Cleanup(func() {
		cancel()
		if c := <-code; c != 0 {
			t.Errorf("exit code %d: %s", c, &errOut)
		}
	})
	select {
	case text := <-out.lines:
		return text
	case c := <-code:
		code <- c
		t.Fatalf("serve ended: %s", &errOut)
	}
	return ""
}

func TestServePrintsWhereToGoWhereTheDataIsAndHowToStop(t *testing.T) {
	t.Chdir(t.TempDir())
	printed := serving(t, "serve", "--listen=127.0.0.1:0", "--ops.listen=127.0.0.1:0")
	dir, _ := os.Getwd()
	for _, want := range []string{filepath.Join(dir, "cloakroom.db"), "Ctrl-C"} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q is missing in:\n%s", want, printed)
		}
	}
	url := regexp.MustCompile(`http://localhost:\d+`).FindString(printed)
	response, err := http.Get(url + "/auth/v1/session")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("%s: %s", url, response.Status)
	}
}

func TestAVariableCountsBeforeTheDefaultAndAFlagBeforeBoth(t *testing.T) {
	args := anywhere(t)
	t.Setenv("CLOAKROOM_PUBLIC_URL", "https://variable.example,https://second.example")
	if printed := serving(t, args...); !strings.Contains(printed, "https://variable.example\n") || strings.Contains(printed, "Safari") {
		t.Error(printed)
	}
	if printed := serving(t, append(anywhere(t), "--public-url=https://flag.example")...); !strings.Contains(printed, "https://flag.example\n") {
		t.Error(printed)
	}
	t.Setenv("CLOAKROOM_OPS_LISTEN", "nonsense")
	if code, _, errOut := run(t, "serve", "--listen=127.0.0.1:0"); code != 1 || !strings.Contains(errOut, `ops.listen: "nonsense"`) {
		t.Errorf("%d %s", code, errOut)
	}
}

// fails checks that serve gives up with one sentence that holds all of want.
func fails(t *testing.T, args []string, want ...string) {
	t.Helper()
	code, out, errOut := run(t, args...)
	if code != 1 || out != "" {
		t.Errorf("exit code %d, printed %q", code, out)
	}
	if strings.Count(errOut, "\n") != 1 || strings.Contains(errOut, "goroutine") {
		t.Errorf("not one line: %s", errOut)
	}
	for _, w := range want {
		if !strings.Contains(errOut, w) {
			t.Errorf("%q is missing in: %s", w, errOut)
		}
	}
}

func TestWhatKeepsTheServerFromStartingIsOneClearSentence(t *testing.T) {
	with := func(t *testing.T, flag string) []string { return append(anywhere(t), flag) }
	file := func(t *testing.T, text string) string {
		path := filepath.Join(t.TempDir(), "c.db")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Run("port taken", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		fails(t, with(t, "--listen="+l.Addr().String()), "listen: ", l.Addr().String(), "in use by another program", "--listen")
		fails(t, with(t, "--ops.listen="+l.Addr().String()), "ops.listen: ", "in use by another program", "--ops.listen")
	})
	t.Run("file of another process", func(t *testing.T) {
		args := anywhere(t)
		serving(t, args...)
		fails(t, args, "database: ", "open already", "stop the other")
	})
	t.Run("no directory", func(t *testing.T) {
		fails(t, with(t, "--database=sqlite:"+filepath.Join(t.TempDir(), "no", "c.db")), "database: ", "does not exist", "--database")
	})
	t.Run("no database", func(t *testing.T) {
		fails(t, with(t, "--database=sqlite:"+file(t, strings.Repeat("this is a letter to my aunt. ", 200))), "database: ", "damaged or is no SQLite database", "backup")
	})
	t.Run("a directory", func(t *testing.T) {
		fails(t, with(t, "--database=sqlite:"+t.TempDir()), "database: ", "cannot be opened", "--database")
	})
	t.Run("newer tables", func(t *testing.T) {
		for _, component := range []string{"session", "account"} {
			path := filepath.Join(t.TempDir(), "c.db")
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = db.Exec(`CREATE TABLE cloakroom_migrations (component TEXT PRIMARY KEY, version INTEGER NOT NULL);
				INSERT INTO cloakroom_migrations VALUES (?, 999)`, component)
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			fails(t, with(t, "--database=sqlite:"+path), "database: ", "newer version", "999", "backup")
		}
	})
	t.Run("open to all without https", func(t *testing.T) {
		fails(t, with(t, "--listen=0.0.0.0:0"), "listen: ", "https")
	})
}

func TestACommandLineThatCannotBeUnderstoodSaysWhatToTry(t *testing.T) {
	for _, args := range [][]string{{}, {"sevre"}, {"serve", "--lisen=x"}, {"serve", "extra"}} {
		code, _, errOut := run(t, args...)
		if code != 2 || !strings.Contains(errOut, "cloakroom --help") {
			t.Errorf("%v: %d %s", args, code, errOut)
		}
	}
}

// interrupting is a batch in whose middle somebody presses Ctrl-C.
type interrupting struct {
	io.Reader
	interrupt func()
}

func (r *interrupting) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b[:min(len(b), len(`{"email":"a0@example.com"}`)+1)])
	if strings.Contains(string(b[:n]), "a3") {
		r.interrupt()
	}
	return n, err
}

// TestACommandThatIsInterruptedSaysSo: nobody is to take it for done.
func TestACommandThatIsInterruptedSaysSo(t *testing.T) {
	database := "--database=sqlite:" + filepath.Join(t.TempDir(), "c.db")
	serving(t, "serve", "--listen=127.0.0.1:0", "--ops.listen=127.0.0.1:0", database)
	ctx, interrupt := context.WithCancel(t.Context())
	lines := ""
	for i := range 6 {
		lines += `{"email":"a` + strconv.Itoa(i) + `@example.com"}` + "\n"
	}
	var out, said bytes.Buffer
	in := &interrupting{strings.NewReader(lines), interrupt}
	if code := Run(ctx, []string{"account", "create", "--batch", "-", database}, in, &out, &said); code != 1 ||
		!strings.Contains(said.String(), "interrupted, and not done: line 4: ") || !strings.Contains(said.String(), "the 3 before it are made") {
		t.Errorf("%d: %s", code, said.String())
	}
	for address, want := range map[string]int{"a2@example.com": 0, "a3@example.com": 1} {
		if code, _, said := run(t, "account", "show", address, database); code != want {
			t.Errorf("%s: %d %s", address, code, said)
		}
	}
	for _, args := range [][]string{
		{"backup", filepath.Join(t.TempDir(), "copy.db")}, {"session", "revoke-all", "--everybody"}, {"audit", "export"}, {"account", "list"},
	} {
		said.Reset()
		if code := Run(ctx, append(args, database), strings.NewReader(""), &out, &said); code != 1 || !strings.Contains(said.String(), "interrupted, and not done") {
			t.Errorf("%v: %d %s", args, code, said.String())
		}
		if _, err := os.Stat(args[len(args)-1]); args[0] == "backup" && err == nil {
			t.Error("there is a file that looks like a backup")
		}
	}
	said.Reset()
	if code := Run(ctx, []string{"audit", "tail", "--follow", database}, strings.NewReader(""), &out, &said); code > 1 {
		t.Errorf("tail: %d %s", code, said.String())
	}
}

func TestHelpNamesEveryFlagWithItsVariable(t *testing.T) {
	code, out, _ := run(t, "serve", "--help")
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"--listen", "$CLOAKROOM_LISTEN", "--ops.listen", "$CLOAKROOM_OPS_LISTEN", "--public-url", "$CLOAKROOM_PUBLIC_URL", "--database", "$CLOAKROOM_DATABASE"} {
		if !strings.Contains(out, want) {
			t.Errorf("%s is missing in:\n%s", want, out)
		}
	}
}

func TestVersionIsPrinted(t *testing.T) {
	if code, out, _ := run(t, "version"); code != 0 || !strings.HasPrefix(out, "cloakroom ") {
		t.Errorf("%d %q", code, out)
	}
}

func TestTheConfigurationIsCheckedAndShown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(path, []byte("sign_up: invited\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CLOAKROOM_CONFIG", path)
	t.Setenv("CLOAKROOM_LOG_FORMAT", "json")
	t.Setenv("CLOAKROOM_LISTN", "127.0.0.1:1")
	if code, out, errOut := run(t, "config", "check"); code != 0 || out != "The configuration is right.\n" || !strings.Contains(errOut, "CLOAKROOM_LISTN sets nothing") {
		t.Errorf("%d %q %q", code, out, errOut)
	}
	code, out, _ := run(t, "config", "show", "--listen=127.0.0.1:9")
	for _, want := range []string{
		`\nsign_up +invited +` + regexp.QuoteMeta(path) + `, line 1\n`, `listen +127\.0\.0\.1:9 +--listen\n`,
		`\nlog\.format +json +CLOAKROOM_LOG_FORMAT\n`, `\nsessions\.idle +7d +default\n`,
	} {
		if code != 0 || !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("%d, no %s in:\n%s", code, want, out)
		}
	}
	if code, out, _ := run(t, "config", "show", "--json"); code != 0 || !strings.HasPrefix(out, `[{"key":"listen","value":"127.0.0.1:8080","from":"default"},`) {
		t.Errorf("%d %s", code, out)
	}
	if err := os.WriteFile(path, []byte("sign_up: invited\nlistn: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"config", "check"}, {"config", "show"}, {"serve"}} {
		if code, out, errOut := run(t, command...); code != 1 || out != "" || !strings.Contains(errOut, `line 2: there is no key "listn"`) {
			t.Errorf("%v: %d %q %q", command, code, out, errOut)
		}
	}
	if code, _, errOut := run(t, "config", "check", "--config="+path+"x"); code != 1 || !strings.Contains(errOut, "there is no file") {
		t.Errorf("%d %q", code, errOut)
	}
}

// TestAHangupTakesTheConfigurationOver, and one that is wrong changes nothing.
func TestAHangupTakesTheConfigurationOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("policies: {a: {level: 1}}\n")
	printed := serving(t, append(anywhere(t), "--config="+path)...)
	url := regexp.MustCompile(`http://localhost:\d+`).FindString(printed)
	status := func(policy string) int {
		response, err := http.Get(url + "/auth/check/" + policy)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode
	}
	hangup := func() {
		t.Helper()
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := status("a"), status("b"); a != 401 || b != 403 {
		t.Fatalf("%d and %d", a, b)
	}
	write("policies: {b: {level: 1}}\n")
	hangup()
	for deadline := time.Now().Add(10 * time.Second); status("b") != 401; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the policy is not taken over")
		}
	}
	if a := status("a"); a != 403 {
		t.Errorf("the policy that is gone: %d", a)
	}
	write("policies: {c: {level: 1}}\nlistn: x\n")
	hangup()
	time.Sleep(200 * time.Millisecond)
	if b, c := status("b"), status("c"); b != 401 || c != 403 {
		t.Errorf("%d and %d", b, c)
	}
}
