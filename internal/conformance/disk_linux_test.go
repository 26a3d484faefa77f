package conformance

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const profileOfAda = `{"name":"Ada L.","roles":[],"attributes":null,"email_verified":false}`

// fill lets no file of the server grow any more, which is a full disk as far as
// it can see. mend gives the room back.
func (h *house) fill(t *testing.T) (mend func()) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Prlimit(h.cmd.Process.Pid, unix.RLIMIT_FSIZE, nil, &before); err != nil {
		t.Fatal(err)
	}
	set := func(limit uint64) {
		r := unix.Rlimit{Cur: limit, Max: before.Max}
		if err := unix.Prlimit(h.cmd.Process.Pid, unix.RLIMIT_FSIZE, &r, nil); err != nil {
			t.Fatal(err)
		}
	}
	set(1)
	return func() { set(before.Cur) }
}

// TestAFullDisk: whatever would have to be written is 503, and not done. Nobody is
// signed out, and once there is room all of it works.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	root := h.administrator(t)
	ada, email := h.member(t)
	second := h.signIn(t, email)
	id := ada.accountID()
	one := "/v1/admin/accounts/" + id
	read := root.do("GET", one, "").is(http.StatusOK)
	version := set("If-Match", fmt.Sprintf("%q", read.word("account.version")))
	secondID := second.do("GET", "/v1/session", "").is(http.StatusOK).word("session.id")
	token := ada.formToken("/account/password")

	mend := h.fill(t)
	defer mend()
	tries := []func() answer{
		func() answer { return root.do("PUT", one+"/profile", profileOfAda, version) },
		func() answer { return root.do("PUT", one+"/status", `{"status":"disabled"}`) },
		func() answer { return root.do("DELETE", one+"/sessions", "") },
		func() answer { return root.do("DELETE", one+"/sessions/"+secondID, "") },
		func() answer { return root.do("POST", one+"/links", `{"kind":"reset"}`) },
		func() answer { return root.do("POST", "/v1/admin/accounts", object("email", newEmail())) },
		func() answer { return root.do("POST", "/v1/admin/revoke-everything", "") },
		func() answer { return root.do("DELETE", one, "") },
		func() answer { return ada.do("DELETE", "/v1/sessions", "") },
		func() answer { return ada.do("DELETE", "/v1/sessions/"+secondID, "") },
		func() answer { return ada.do("POST", "/v1/reauthenticate", object("password", goodPassword)) },
		func() answer {
			return ada.do("POST", "/v1/account/password", object("current_password", goodPassword, "new_password", newPassword))
		},
		func() answer { return ada.do("POST", "/v1/sign-out", "") },
		func() answer {
			return h.browser(t).do("POST", "/v1/sign-in", object("email", email, "password", goodPassword))
		},
		func() answer {
			return h.browser(t).do("POST", "/v1/sign-up", object("email", newEmail(), "password", goodPassword))
		},
	}
	answers := make([]answer, len(tries))
	var all sync.WaitGroup
	for i, try := range tries { // at once, as some wait a second for the store
		all.Go(func() { answers[i] = try() })
	}
	all.Wait()
	for _, a := range answers {
		a.refuses(http.StatusServiceUnavailable)
		if a.header["Set-Cookie"] != nil || a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %v", a.asked, a.header)
		}
	}
	page := ada.form("/account/password", map[string][]string{
		"form_token": {token}, "current_password": {goodPassword}, "new_password": {newPassword}}).is(http.StatusServiceUnavailable)
	if page.header["Set-Cookie"] != nil || !strings.Contains(page.text, "You have not been signed out") {
		t.Errorf("the page: %v %s", page.header, page.text)
	}
	for _, b := range []*browser{root, ada, second} {
		if a := b.do("GET", "/v1/session", ""); a.status != http.StatusOK && a.status != http.StatusServiceUnavailable {
			t.Errorf("a session that lives is answered %d", a.status)
		}
	}

	mend()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if a := h.browser(t).do("POST", "/v1/sign-in", object("email", email, "password", goodPassword)); a.status == http.StatusOK {
			break
		} else if time.Now().After(end) {
			t.Fatalf("it does not come back: %d %s", a.status, a.text)
		}
	}
	for _, b := range []*browser{root, ada, second} {
		b.lives(true)
	}
	again := root.do("GET", one, "").is(http.StatusOK)
	if again.word("account.version") != read.word("account.version") || again.word("account.status") != "active" {
		t.Errorf("the account was %s\nand is %s", read.text, again.text)
	}
	root.do("PUT", one+"/profile", profileOfAda, version).is(http.StatusOK)
}

// TestAReadOnlyFileIsSaidToBeOne before anything is listened for.
func TestAReadOnlyFileIsSaidToBeOne(t *testing.T) {
	t.Parallel()
	// Not t.TempDir, which others may not enter.
	dir, err := os.MkdirTemp("", "readonly")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	database := filepath.Join(dir, "cloakroom.db")
	h, err := start(released, database)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.stop(); err != nil {
		t.Fatal(err)
	}
	// The lock stands beside the file, and may stay writable.
	for name, mode := range map[string]os.FileMode{dir: 0o755, database: 0o444, database + ".lock": 0o666, workshop: 0o755} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(filepath.Join(workshop, released), "serve", "--listen=127.0.0.1:0", "--ops.listen=127.0.0.1:0", "--database=sqlite:"+database)
	if os.Getuid() == 0 { // who may write to everything
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	said, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(said), "database: "+database+" may not be read and written by this user") {
		t.Errorf("%v: %s", err, said)
	}
	if strings.Contains(string(said), "ready") {
		t.Errorf("it listened: %s", said)
	}
}
