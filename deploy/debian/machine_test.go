//go:build packages

package debian

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// step is a command of the operations page, with what it is said to print.
type step struct {
	command string
	prints  []string
	line    int
}

// steps reads the console blocks of the page. Its commands are for root.
func steps(t *testing.T) (all []step) {
	t.Helper()
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	inside := false
	for i, line := range strings.Split(string(page), "\n") {
		command, isCommand := strings.CutPrefix(line, "# ")
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```console"
		case inside && isCommand:
			all = append(all, step{command: command, line: i + 1})
		case inside && len(all) > 0:
			last := &all[len(all)-1]
			last.prints = append(last.prints, line)
		}
	}
	if len(all) < 30 {
		t.Fatalf("the page shows %d commands; is it still written in console blocks?", len(all))
	}
	return all
}

// besides are what the test does after a command of the page, to see that it came
// to what the page says. Each must succeed.
var besides = map[string][]string{
	"cloakroom account create grace@example.com --name=Grace --role=admin": {
		`printf 'correct horse battery staple\n' | cloakroom account create ada@example.com --password`,
		signsIn, `test "$(` + asks + `)" = 200`,
		`! cloakroom doctor`, // for there is no https://example.com
		`test -z "$(curl -s http://localhost:8080/auth/setup -o /dev/null -w '%{http_code}' | grep 200)"`,
	},
	"ls /var/lib/cloakroom/backups": {`sleep 1.1`}, // for copies have the second in their name
	"systemctl reload cloakroom": { // and whoever hangs is found out sooner
		`mkdir -p /etc/systemd/system/cloakroom.service.d`,
		`printf '[Service]\nWatchdogSec=3s\n' > /etc/systemd/system/cloakroom.service.d/sooner.conf && systemctl daemon-reload`,
	},
	"systemctl restart cloakroom": {
		`test "$(` + asks + `)" = 401`, // since the copy was restored
		signsIn, `test "$(` + asks + `)" = 200`,
		`curl -s -o /dev/null -w '%{http_code}' http://localhost:8080/auth/v1/sign-up -H 'Content-Type: application/json' -d '{"email":"eve@example.com","password":"correct horse battery staple"}' | grep 403`,
		`test "$(systemctl show -P NRestarts cloakroom)" = 0`,
		`test "$(stat -c %a /var/lib/private/cloakroom/cloakroom.db)" = 600`,
		`test "$(ps -o user= -C cloakroom)" != root`,
		`test "$(journalctl -u cloakroom --no-pager | grep -cE 'level=(WARN|ERROR)')" = 0`,
		`kill -STOP $(systemctl show -P MainPID cloakroom)`, // it hangs
		`for i in $(seq 100); do test "$(systemctl show -P NRestarts cloakroom)" = 0 || break; sleep 0.2; done`,
		`test "$(systemctl show -P NRestarts cloakroom)" = 1`,
		`for i in $(seq 50); do cloakroom healthcheck && break; sleep 0.2; done`,
		`test "$(` + asks + `)" = 200`, // and nobody was signed out
	},
	"systemctl is-active cloakroom": {`cloakroom healthcheck`},
}

const (
	signsIn = `test "$(curl -s -o /dev/null -c jar -w '%{http_code}' http://localhost:8080/auth/v1/sign-in -H 'Content-Type: application/json' -d '{"email":"ada@example.com","password":"correct horse battery staple"}')" = 200`
	asks    = `curl -s -o /dev/null -b jar -w '%{http_code}' http://localhost:8080/auth/check`
)

// last are for the end: the package goes, and the accounts stay.
var last = []string{
	`dpkg --remove cloakroom`, `! systemctl is-active cloakroom`, `test -e /etc/cloakroom/cloakroom.yaml`,
	`dpkg --purge cloakroom`, `! test -e /etc/cloakroom/cloakroom.yaml`, `test -s /var/lib/private/cloakroom/cloakroom.db`,
}

// machine is one that shares this one's programs and nothing else: what it writes
// is gone with it.
type machine struct {
	root, shared string
	said         string
}

// newMachine makes a machine that will do this script when it has started, and then
// end.
func newMachine(t *testing.T, script string) *machine {
	t.Helper()
	if _, err := exec.LookPath("systemd-nspawn"); err != nil || os.Geteuid() != 0 {
		t.Fatalf("a machine of its own needs root, and systemd-nspawn: run make tools as root (%v)", err)
	}
	dir, err := os.MkdirTemp("", "machine")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	m := &machine{root: filepath.Join(dir, "fs", "root"), shared: filepath.Join(dir, "steps")}
	fs := filepath.Join(dir, "fs")
	_, err = shell(dir, `mkdir fs steps && mount -t tmpfs tmpfs fs && mkdir fs/up fs/work fs/root &&
		mount -t overlay overlay -o lowerdir=/,upperdir=fs/up,workdir=fs/work fs/root`)
	t.Cleanup(func() {
		_ = syscall.Unmount(m.root, syscall.MNT_DETACH)
		_ = syscall.Unmount(fs, syscall.MNT_DETACH)
	})
	if err != nil {
		t.Fatalf("the machine has nowhere to be: %v", err)
	}
	for name, text := range map[string]string{
		"steps/run": script,
		"fs/root/etc/systemd/system/steps.target":  "[Unit]\nRequires=basic.target steps.service\nAfter=basic.target\n",
		"fs/root/etc/systemd/system/steps.service": "[Service]\nType=oneshot\nExecStart=/bin/bash /steps/run\nExecStopPost=/bin/systemctl poweroff\n",
		"fs/root/etc/machine-id":                   "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// starts has the machine start, and returns when it has ended.
func (m *machine) starts(t *testing.T, within time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	boot := exec.CommandContext(ctx, "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--directory="+m.root,
		"--bind="+m.shared+":/steps", "--private-network", "--resolv-conf=off", "--timezone=off", "--console=pipe",
		"--boot", "systemd.unit=steps.target")
	boot.Cancel = func() error { return boot.Process.Signal(syscall.SIGTERM) } // which it hands on
	boot.WaitDelay = 10 * time.Second
	out, err := boot.CombinedOutput()
	m.said = string(out)
	if err != nil {
		t.Logf("the machine ended with %v", err)
	}
}

// scriptOf is what the machine does: each command in one shell, one after the
// other, whatever becomes of it. Before each stands its number, after it its status.
func scriptOf(commands []string) string {
	var b strings.Builder
	b.WriteString("cd /steps; exec >out 2>&1 </dev/null\n")
	for i, c := range commands {
		fmt.Fprintf(&b, "echo; echo @@@ %d\n%s\nrc=$?; echo; echo @@@ ended $rc\n", i, c)
	}
	return b.String()
}

// did returns what each command printed, and its status.
func (m *machine) did(t *testing.T, commands int) (printed, status []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(m.shared, "out"))
	if err != nil {
		t.Fatalf("no machine starts here:\n%s", m.said)
	}
	for i := range commands {
		_, rest, ok := strings.Cut(string(text), fmt.Sprintf("\n@@@ %d\n", i))
		out, rest, ended := strings.Cut(rest, "\n@@@ ended ")
		if !ok || !ended {
			t.Fatalf("the machine ended before command %d:\n%s", i, text)
		}
		code, _, _ := strings.Cut(rest, "\n")
		printed, status = append(printed, out), append(status, code)
	}
	return printed, status
}

// TestTheOperationsPageOnAMachineOfItsOwn: a stranger does what the page says, from
// a package to a server that runs under systemd, is backed up, restored, upgraded
// and watched. systemd, the units and what they shut in are the real ones.
func TestTheOperationsPageOnAMachineOfItsOwn(t *testing.T) {
	var commands []string
	of := map[int]step{} // a command's number to the page's
	for _, s := range steps(t) {
		of[len(commands)] = s
		commands = append(commands, s.command)
		commands = append(commands, besides[s.command]...)
	}
	for command := range besides {
		if !strings.Contains(strings.Join(commands, "\n"), command) {
			t.Errorf("the page no longer says %s", command)
		}
	}
	commands = append(commands, last...)
	m := newMachine(t, scriptOf(commands))
	deb, err := os.ReadFile(one(t, "*_"+runtime.GOARCH+".deb"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(m.shared, filepath.Base(one(t, "*_"+runtime.GOARCH+".deb"))), deb, 0o600); err != nil {
		t.Fatal(err)
	}
	m.starts(t, 3*time.Minute)
	printed, status := m.did(t, len(commands))
	for i, command := range commands {
		s, ofPage := of[i]
		if status[i] != "0" {
			t.Errorf("line %d: %s\nfails with %s:\n%s", s.line, command, status[i], printed[i])
		}
		if ofPage && !shows(printed[i], s.prints) {
			t.Errorf("line %d: %s\nprints\n%s\nand not\n%s", s.line, command, printed[i], strings.Join(s.prints, "\n"))
		}
	}
}

// shows reports whether these lines were printed, in this order; … stands for
// anything.
func shows(printed string, lines []string) bool {
	for _, line := range lines {
		pattern := "(?m)^" + strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*") + "$"
		at := regexp.MustCompile(pattern).FindStringIndex(printed)
		if at == nil {
			return false
		}
		printed = printed[at[1]:]
	}
	return true
}
