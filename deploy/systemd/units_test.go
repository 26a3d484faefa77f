package systemd

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"cloakroom/internal/config"
)

var units = []string{"cloakroom.service", "cloakroom.socket", "cloakroom-ops.socket", "cloakroom-backup.service", "cloakroom-backup.timer"}

// unit returns what a unit says.
func unit(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// values are what a unit gives a key, in order.
func values(t *testing.T, name, key string) (all []string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`(?m)^`+key+`=(.*)$`).FindAllStringSubmatch(unit(t, name), -1) {
		all = append(all, m[1])
	}
	return all
}

// analyze runs systemd-analyze.
func analyze(t *testing.T, args ...string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Fatal("systemd-analyze is not installed, and the units are looked at by it: run make tools")
	}
	said, err := exec.CommandContext(t.Context(), "systemd-analyze", args...).CombinedOutput()
	return string(said), err
}

func TestTheUnitsAreUnderstood(t *testing.T) {
	dir := t.TempDir()
	args := []string{"verify", "--man=no"}
	for _, name := range units {
		text := strings.ReplaceAll(unit(t, name), "/usr/bin/cloakroom", binary(t)) // which has to be there
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	if said, err := analyze(t, args...); err != nil || said != "" {
		t.Errorf("%v\n%s", err, said)
	}
}

func TestTheServiceIsShutIn(t *testing.T) {
	for name, most := range map[string]float64{"cloakroom.service": 1.2, "cloakroom-backup.service": 2} {
		said, err := analyze(t, "security", "--offline=true", "--no-pager", name)
		verdict := regexp.MustCompile(`Overall exposure level for \S+: (\d+\.\d) `).FindStringSubmatch(said)
		if err != nil || verdict == nil {
			t.Fatalf("%s: %v\n%s", name, err, said)
		}
		if exposure, err := strconv.ParseFloat(verdict[1], 64); err != nil || exposure > most {
			t.Errorf("%s: its exposure is %s, more than %v", name, verdict[1], most)
		}
	}
}

// TestTheSocketsStandWhereTheServerListens unless it is configured.
func TestTheSocketsStandWhereTheServerListens(t *testing.T) {
	cfg := config.Default()
	for name, want := range map[string][2]string{"cloakroom.socket": {"public", cfg.Listen}, "cloakroom-ops.socket": {"ops", cfg.OpsListen}} {
		got := append(values(t, name, "FileDescriptorName"), values(t, name, "ListenStream")...)
		if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
