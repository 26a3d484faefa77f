//go:build packages

package debian

import (
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"cloakroom/internal/config"
)

// machines are those that a release is for, by the name of their architecture.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// TestAReleaseIsTheSameWhereverItIsBuilt: whoever has the source can check that
// what is offered for download was built of it.
func TestAReleaseIsTheSameWhereverItIsBuilt(t *testing.T) {
	one(t, "SHA256SUMS")
	second, err := release("another-place")
	if err != nil {
		t.Fatal(err)
	}
	a, _ := os.ReadFile(one(t, "SHA256SUMS"))
	b, err := os.ReadFile(filepath.Join(second, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	if string(a) != string(b) {
		t.Errorf("built in two places:\n%s\n%s", a, b)
	}
	if lines := strings.Count(string(a), "\n"); lines != 6 { // three for each of two architectures
		t.Errorf("%d files are released:\n%s", lines, a)
	}
	if said, err := shell(filepath.Dir(one(t, "SHA256SUMS")), "sha256sum --check --quiet SHA256SUMS"); err != nil {
		t.Errorf("%v: %s", err, said)
	}
}

func TestNothingIsReleasedThatIsNotCommitted(t *testing.T) {
	one(t, "SHA256SUMS")
	checkout := filepath.Join(workshop, "first", "checkout")
	if err := os.WriteFile(filepath.Join(checkout, "LICENSE"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = shell(checkout, "git checkout --quiet LICENSE") }()
	_, err := shell(checkout, `TOOLS="$1" scripts/release "$2"`, "/nowhere", filepath.Join(t.TempDir(), "dist"))
	if err == nil || !strings.Contains(err.Error(), "not committed") {
		t.Errorf("%v", err)
	}
}

func TestAReleaseSaysWhatIsBuiltIn(t *testing.T) {
	for arch := range machines {
		saysWhatIsBuiltIn(t, one(t, "*-"+arch+".cdx.json"))
	}
}

func saysWhatIsBuiltIn(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		BomFormat  string
		Components []struct{ Name, Version, Purl string }
	}
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range list.Components {
		names = append(names, c.Name)
	}
	for _, want := range []string{"modernc.org/sqlite", "github.com/coreos/go-systemd/v22", "golang.org/x/crypto"} {
		if list.BomFormat != "CycloneDX" || !slices.Contains(names, want) {
			t.Errorf("%s is not in the list of %s", want, list.BomFormat)
		}
	}
}

func TestTheArchiveHoldsAProgramThatRuns(t *testing.T) {
	dir := t.TempDir()
	archive := one(t, "*-"+runtime.GOARCH+".tar.gz")
	if _, err := shell(dir, `tar -xzf "$1"`, archive); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, strings.TrimSuffix(filepath.Base(archive), ".tar.gz"), "cloakroom")
	said, err := exec.Command(program, "version").Output()
	if err != nil || !regexp.MustCompile(`^cloakroom v\d+\.\d+\.\d+`).Match(said) {
		t.Errorf("%q, %v", said, err)
	}
	if info, err := os.Stat(program); err != nil || info.Size() > 45<<20 {
		t.Errorf("the program has %d bytes, more than 45 MiB", info.Size())
	}
}

// TestEachArchitectureGetsItsOwnProgram, in its archive and in its package, which says
// for which it is.
func TestEachArchitectureGetsItsOwnProgram(t *testing.T) {
	for arch, machine := range machines {
		dir := t.TempDir()
		said, err := shell(dir, `tar -xzf "$1"; dpkg-deb --extract "$2" p; cmp */cloakroom p/usr/bin/cloakroom; dpkg-deb --field "$2" Architecture`,
			one(t, "*-"+arch+".tar.gz"), one(t, "*_"+arch+".deb"))
		if err != nil || strings.TrimSpace(string(said)) != arch {
			t.Errorf("the package for %s is for %q, %v", arch, said, err)
		}
		program, err := elf.Open(filepath.Join(dir, "p/usr/bin/cloakroom"))
		if err != nil {
			t.Errorf("%s: %v", arch, err)
			continue
		}
		libraries, err := program.ImportedLibraries()
		if program.Machine != machine || len(libraries) > 0 || err != nil {
			t.Errorf("the program for %s is for %v, and wants the libraries %q, %v", arch, program.Machine, libraries, err)
		}
		_ = program.Close()
	}
}

func TestThePackagesHoldWhatTheyShould(t *testing.T) {
	for arch := range machines {
		holdsWhatItShould(t, one(t, "*_"+arch+".deb"))
	}
}

// holdsWhatItShould: owned by root and writable by nobody else.
func holdsWhatItShould(t *testing.T, deb string) {
	t.Helper()
	list, err := shell(".", `dpkg-deb --contents "$1"`, deb)
	if err != nil {
		t.Fatal(err)
	}
	modes := map[string]string{}
	for line := range strings.Lines(string(list)) {
		fields := strings.Fields(line)
		if fields[1] != "root/root" {
			t.Errorf("not root's: %s", line)
		}
		modes[strings.TrimPrefix(fields[5], ".")] = fields[0]
	}
	for path, want := range map[string]string{
		"/usr/bin/cloakroom":                                  "-rwxr-xr-x",
		"/etc/cloakroom/cloakroom.yaml":                       "-rw-r--r--",
		"/usr/lib/systemd/system/cloakroom.service":           "-rw-r--r--",
		"/usr/lib/systemd/system/cloakroom.socket":            "-rw-r--r--",
		"/usr/lib/systemd/system/cloakroom-ops.socket":        "-rw-r--r--",
		"/usr/lib/systemd/system/cloakroom-backup.service":    "-rw-r--r--",
		"/usr/lib/systemd/system/cloakroom-backup.timer":      "-rw-r--r--",
		"/usr/share/man/man1/cloakroom.1.gz":                  "-rw-r--r--",
		"/usr/share/bash-completion/completions/cloakroom":    "-rw-r--r--",
		"/usr/share/zsh/vendor-completions/_cloakroom":        "-rw-r--r--",
		"/usr/share/fish/vendor_completions.d/cloakroom.fish": "-rw-r--r--",
		"/usr/share/doc/cloakroom/copyright":                  "-rw-r--r--",
		"/usr/share/doc/cloakroom/operations.md":              "-rw-r--r--",
		"/usr/share/cloakroom/grafana/cloakroom.json":         "-rw-r--r--",
		"/usr/share/cloakroom/grafana/prometheus.yml":         "-rw-r--r--",
		"/usr/share/cloakroom/prometheus/alerts.yaml":         "-rw-r--r--",
	} {
		if modes[path] != want {
			t.Errorf("%s has the mode %q, want %s", path, modes[path], want)
		}
	}
	dir := t.TempDir()
	said, err := shell(dir, `dpkg-deb --raw-extract "$1" p; cat p/DEBIAN/conffiles; for f in p/DEBIAN/p*; do sh -n "$f"; test -x "$f"; done`, deb)
	if err != nil || string(said) != "/etc/cloakroom/cloakroom.yaml\n" {
		t.Errorf("%v; settings that an upgrade keeps: %q", err, said)
	}
	for _, unit := range []string{"cloakroom.service", "cloakroom.socket", "cloakroom-ops.socket", "cloakroom-backup.service", "cloakroom-backup.timer"} {
		ours, _ := os.ReadFile(filepath.Join("../systemd", unit))
		if theirs, err := os.ReadFile(filepath.Join(dir, "p/usr/lib/systemd/system", unit)); err != nil || string(theirs) != string(ours) {
			t.Errorf("%s is another, %v", unit, err)
		}
	}
	if manual, err := shell(dir, `zcat p/usr/share/man/man1/cloakroom.1.gz | head -1`); err != nil || !strings.Contains(string(manual), ".TH CLOAKROOM 1") {
		t.Errorf("the manual: %q, %v", manual, err)
	}
	for _, name := range []string{"postinst", "prerm", "postrm"} {
		if _, err := os.Stat(filepath.Join(dir, "p/DEBIAN", name)); err != nil {
			t.Error(err)
		}
	}
}

// TestThePackagesSettingsAreRight, with the lines that are commented out, too.
func TestThePackagesSettingsAreRight(t *testing.T) {
	text, err := os.ReadFile("cloakroom.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, settings := range map[string]string{
		"as it is": string(text), "with all": regexp.MustCompile(`(?m)^#([a-z])`).ReplaceAllString(string(text), "$1"),
	} {
		path := filepath.Join(t.TempDir(), "cloakroom.yaml")
		if err := os.WriteFile(path, []byte(settings), 0o600); err != nil {
			t.Fatal(err)
		}
		loaded, err := config.Load(path, nil, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		set, err := loaded.Settings()
		if err != nil || set.SQLitePath != "/var/lib/cloakroom/cloakroom.db" || set.SignUp != "invited" {
			t.Errorf("%s: %v, %+v", name, err, set)
		}
	}
}
