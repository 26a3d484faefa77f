package docker

import (
	"context"
	"debug/elf"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"cloakroom/internal/config"
	"cloakroom/internal/product"
)

// root is the repository, which is what an image is built of.
const root = "../.."

// instruction is one line of the Dockerfile, continuations included.
type instruction struct{ verb, rest string }

func instructions(t *testing.T) (list []instruction) {
	t.Helper()
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		verb, rest, ok := strings.Cut(strings.TrimSpace(line), " ")
		if ok && !strings.HasPrefix(verb, "#") {
			list = append(list, instruction{verb, strings.Join(strings.Fields(rest), " ")})
		}
	}
	return list
}

// only returns what follows the one instruction of a verb in the last stage.
func only(t *testing.T, verb string) string {
	t.Helper()
	found := ""
	for _, i := range instructions(t) {
		switch {
		case i.verb == "FROM":
			found = ""
		case i.verb == verb && found != "":
			t.Fatalf("%s stands twice", verb)
		case i.verb == verb:
			found = i.rest
		}
	}
	if found == "" {
		t.Fatalf("there is no %s", verb)
	}
	return found
}

// environment is what the image sets.
func environment(t *testing.T) map[string]string {
	t.Helper()
	set := map[string]string{}
	for _, pair := range strings.Fields(only(t, "ENV")) {
		name, value, _ := strings.Cut(pair, "=")
		set[name] = value
	}
	return set
}

// command reads an instruction in its form of JSON, which needs no shell.
func command(t *testing.T, text string) (words []string) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &words); err != nil || len(words) == 0 {
		t.Fatalf("%s needs a shell, and there is none: %v", text, err)
	}
	return words
}

// build makes the program as the Dockerfile does.
func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := product.Build(dir, "-trimpath", "-ldflags", "-s -w", product.Server); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "cloakroom")
}

func TestTheImageSetsWhatThereIsAndListensWhereItSays(t *testing.T) {
	cfg, set := config.Default(), environment(t)
	for _, k := range config.Keys() {
		value, ok := set[k.Variable]
		if !ok {
			continue
		}
		delete(set, k.Variable)
		switch k.Name {
		case "listen":
			cfg.Listen = value
		case "ops.listen":
			cfg.OpsListen = value
		case "database":
			cfg.Database = value
		default:
			t.Errorf("%s is the operator's to set", k.Variable)
		}
	}
	if delete(set, "PATH"); len(set) > 0 {
		t.Errorf("these set nothing: %v", set)
	}
	if _, err := cfg.Check(); err == nil || !strings.Contains(err.Error(), "public_url") {
		t.Errorf("without a public URL: %v", err)
	}
	cfg.PublicURL = []string{"https://example.com"}
	settings, err := cfg.Check()
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(settings.Listen.Text)
	if host != "" || port != only(t, "EXPOSE") || !settings.OpsListen.Loopback() {
		t.Errorf("it listens on %s and %s, and says %s", settings.Listen, settings.OpsListen, only(t, "EXPOSE"))
	}
	if folder := filepath.Dir(settings.SQLitePath); folder != only(t, "VOLUME") || folder != only(t, "WORKDIR") {
		t.Errorf("the data is in %s, and the volume is %s", folder, only(t, "VOLUME"))
	}
	if user := only(t, "USER"); !regexp.MustCompile(`^[1-9]\d+:[1-9]\d+$`).MatchString(user) {
		t.Errorf("it runs as %s; without a list of users that has to be a number, and not root's", user)
	}
}

// TestTheImageHoldsWhatItsCommandsName: what is copied into it is there, and
// belongs to the user that needs it.
func TestTheImageHoldsWhatItsCommandsName(t *testing.T) {
	holds := map[string]string{} // where it is to how it was copied
	for _, i := range instructions(t) {
		if parts := strings.Fields(i.rest); i.verb == "COPY" && strings.HasPrefix(i.rest, "--from=build") {
			holds[strings.TrimSuffix(parts[len(parts)-1], "/")] = i.rest
		}
	}
	for _, words := range [][]string{command(t, only(t, "ENTRYPOINT")), command(t, only(t, "HEALTHCHECK")[strings.Index(only(t, "HEALTHCHECK"), "["):])} {
		if holds[words[0]] == "" {
			t.Errorf("%s is not in the image", words[0])
		}
	}
	if !strings.Contains(holds[only(t, "VOLUME")], "--chown="+only(t, "USER")) {
		t.Errorf("%s is not the user's", only(t, "VOLUME"))
	}
	if path := environment(t)["PATH"]; holds[path+"/cloakroom"] == "" {
		t.Errorf("docker exec finds no program in %s", path)
	}
	binary := build(t)
	file, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("the program needs libraries, and the image has none")
		}
	}
}

// TestTheImagesCommandsWork with its environment, but in another folder and on
// other ports.
func TestTheImagesCommandsWork(t *testing.T) {
	binary, dir := build(t), t.TempDir()
	env := []string{"CLOAKROOM_PUBLIC_URL=https://example.com"}
	for name, value := range environment(t) {
		switch {
		case strings.HasSuffix(name, "LISTEN"):
			host, _, _ := net.SplitHostPort(value)
			value = net.JoinHostPort(host, freePort(t))
		case name == "CLOAKROOM_DATABASE":
			value = "sqlite:" + filepath.Join(dir, "cloakroom.db")
		}
		env = append(env, name+"="+value)
	}
	run := func(ctx context.Context, args []string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, binary, args...)
		cmd.Env, cmd.Dir = env, dir
		return cmd
	}
	health := command(t, only(t, "HEALTHCHECK")[strings.Index(only(t, "HEALTHCHECK"), "["):])
	if said, err := run(t.Context(), health[1:]).CombinedOutput(); err == nil {
		t.Errorf("without a server it is healthy: %s", said)
	}
	entry := append(command(t, only(t, "ENTRYPOINT")), command(t, only(t, "CMD"))...)
	serving := run(context.Background(), entry[1:])
	if err := serving.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = serving.Process.Kill() }()
	var said []byte
	err := fmt.Errorf("never asked")
	for deadline := time.Now().Add(20 * time.Second); err != nil && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		said, err = run(t.Context(), health[1:]).CombinedOutput()
	}
	if err != nil {
		t.Errorf("%v: %s", err, said)
	}
	signals := map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT}
	if err := serving.Process.Signal(signals[only(t, "STOPSIGNAL")]); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := serving.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("it took %v to stop; docker stop waits for 10 s", took)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}

// TestTheBuildGetsWhatItNeeds: the Go of go.mod, and every folder that the program
// is built of.
func TestTheBuildGetsWhatItNeeds(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(text); instructions(t)[0].rest != "golang:"+string(version[1])+" AS build" {
		t.Errorf("it is built from %s, and go.mod wants %s", instructions(t)[0].rest, version[1])
	}
	ignore, err := os.ReadFile("Dockerfile.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	var sent []string
	for line := range strings.Lines(string(ignore)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "!"); ok {
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				t.Error(err)
			}
			sent = append(sent, name)
		}
	}
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if .Module}}{{if .Module.Main}}{{.ImportPath}}{{end}}{{end}}", "cloakroom/cmd/cloakroom").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range strings.Fields(string(out)) {
		folder, _, _ := strings.Cut(strings.TrimPrefix(path, "cloakroom/"), "/")
		if !slices.Contains(sent, folder) {
			t.Errorf("%s is not sent to the build", path)
		}
	}
}
