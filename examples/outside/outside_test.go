package outside

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// program is what the README shows and this package builds.
const program = "examples/library20/main.go"

// root is the repository.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// whereItIs are the lines of a go.mod that the README shows, with the repository's
// folder in the place of the one beside the program.
func whereItIs(t *testing.T) string {
	t.Helper()
	_, rest, found := strings.Cut(string(read(t, filepath.Join(root(t), "README.md"))), "```\nrequire ")
	lines, _, ended := strings.Cut(rest, "```\n")
	if !found || !ended || strings.Count(lines, "../cloakroom") != 1 {
		t.Fatal("README.md does not show in a block what a go.mod has to say")
	}
	return "require " + strings.Replace(lines, "../cloakroom", root(t), 1)
}

func TestTheReadmeShowsTheProgram(t *testing.T) {
	readme := read(t, filepath.Join(root(t), "README.md"))
	const begin = "<!-- " + program + " -->\n```go\n"
	_, rest, found := strings.Cut(string(readme), begin)
	shown, _, ended := strings.Cut(rest, "```\n")
	if !found || !ended {
		t.Fatalf("README.md does not show %s in a code block that begins with\n%s", program, begin)
	}
	if want := string(read(t, filepath.Join(root(t), program))); shown != want {
		t.Errorf("README.md shows another program than %s:\n%s", program, shown)
	}
}

func TestAProgramOutsideTheRepositorySignsInAndOut(t *testing.T) {
	dir, address := t.TempDir(), freeAddress(t)
	source := read(t, filepath.Join(root(t), program))
	if bytes.Count(source, []byte(`"127.0.0.1:8080"`)) != 1 {
		t.Fatalf("%s does not listen on 127.0.0.1:8080, in whose place this test puts a free port", program)
	}
	write(t, filepath.Join(dir, "main.go"), bytes.Replace(source, []byte("127.0.0.1:8080"), []byte(address), 1))
	write(t, filepath.Join(dir, "go.sum"), read(t, filepath.Join(root(t), "go.sum")))
	write(t, filepath.Join(dir, "go.mod"), fmt.Appendf(nil, "module outside\n\n%s\n\n%s", goLine(t), whereItIs(t)))
	build(t, dir)
	start(t, dir)

	base := "http://" + address
	waitFor(t, base+"/me")
	if status, body, _ := ask(t, http.MethodPost, base+"/sign-in", "password=wrong", ""); status != http.StatusUnauthorized {
		t.Errorf("a wrong password: %d %s", status, body)
	}
	status, body, cookie := ask(t, http.MethodPost, base+"/sign-in", "password=demo", "")
	if status != http.StatusOK || !strings.HasPrefix(cookie, "__Host-session=cks_") {
		t.Fatalf("sign-in: %d %s, cookie %.20s", status, body, cookie)
	}
	if status, body, _ := ask(t, http.MethodGet, base+"/me", "", cookie); status != http.StatusOK || body != "signed in as alice\n" {
		t.Errorf("signed in: %d %s", status, body)
	}
	if status, body, _ := ask(t, http.MethodPost, base+"/sign-out", "", cookie); status != http.StatusOK {
		t.Errorf("sign-out: %d %s", status, body)
	}
	if status, body, _ := ask(t, http.MethodGet, base+"/me", "", cookie); status != http.StatusUnauthorized || !strings.Contains(body, "Not signed in") {
		t.Errorf("the cookie from before, after signing out: %d %s", status, body)
	}
}

// goLine is the line of the repository's go.mod that says which Go it needs.
func goLine(t *testing.T) string {
	t.Helper()
	for line := range strings.Lines(string(read(t, filepath.Join(root(t), "go.mod")))) {
		if strings.HasPrefix(line, "go ") {
			return strings.TrimSpace(line)
		}
	}
	t.Fatal("go.mod does not say which Go it needs")
	return ""
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// build builds the module in dir from what is on this machine: whatever it would
// have to fetch is a failure.
func build(t *testing.T, dir string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", "program", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod -trimpath", "GOPROXY=off", "GOWORK=off", "GOTOOLCHAIN=local", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
}

// start runs the program in dir until the test ends.
func start(t *testing.T, dir string) {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "program"))
	cmd.Dir = dir // where app.db will be
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait() // killed by us
		if t.Failed() {
			t.Logf("the program said:\n%s", &said)
		}
	})
}

// waitFor returns once the program answers, and knows who is signed in.
func waitFor(t *testing.T, url string) {
	t.Helper()
	client := http.Client{Timeout: 5 * time.Second}
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(10 * time.Millisecond) {
		answer, err := client.Get(url)
		if err != nil {
			continue
		}
		answer.Body.Close()
		if answer.StatusCode == http.StatusUnauthorized {
			return
		}
	}
	t.Fatal("the program does not answer")
}

// ask sends a request as the program's own page would, and returns the answer
// and the cookie that it sets. The cookie is carried by hand: the jar of
// net/http would not send a Secure one over http, as browsers do to localhost.
func ask(t *testing.T, method, url, form, cookie string) (status int, body, set string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	set, _, _ = strings.Cut(answer.Header.Get("Set-Cookie"), ";")
	return answer.StatusCode, string(text), set
}
