package grafana

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"cloakroom/internal/config"
	"cloakroom/internal/server"
)

// ask sends a request to a server, and returns the answer's text.
func ask(t *testing.T, method, url, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	client := http.Client{Timeout: 20 * time.Second}
	a, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// exported are the series of a server that was used a little: their names, each
// with its labels.
func exported(t *testing.T) map[string][]string {
	t.Helper()
	cfg := config.Default()
	cfg.Listen, cfg.OpsListen = "127.0.0.1:0", "127.0.0.1:0"
	cfg.Database = "sqlite:" + filepath.Join(t.TempDir(), "cloakroom.db")
	s, err := server.New(t.Context(), server.Options{Config: cfg, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Serving()
	ask(t, "POST", s.URL()+"/auth/v1/sign-up", `{"email":"ada@example.com","password":"correct horse battery staple"}`)
	ask(t, "GET", s.URL()+"/auth/check", "")
	text := ask(t, "GET", "http://"+s.OpsAddr().String()+"/metrics", "")
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	series := map[string][]string{}
	for line := range strings.Lines(text) {
		m := regexp.MustCompile(`^([a-z_]+)(?:\{(.*)\})? `).FindStringSubmatch(line)
		if m == nil {
			continue
		}
		series[m[1]] = nil
		for _, label := range regexp.MustCompile(`([a-z_]+)="`).FindAllStringSubmatch(m[2], -1) {
			series[m[1]] = append(series[m[1]], label[1])
		}
	}
	if len(series) < 20 {
		t.Fatalf("only %d series are exported", len(series))
	}
	return series
}

// expression is a question to Prometheus, and where it stands.
type expression struct{ where, text string }

// expressions are those of the dashboard and of the alerts.
func expressions(t *testing.T) (all []expression) {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			ID          int
			Title, Type string
			Description string
			Targets     []struct{ Expr, LegendFormat string }
		}
	}
	text, err := os.ReadFile("cloakroom.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	ids := map[int]bool{}
	for _, p := range dashboard.Panels {
		if ids[p.ID] {
			t.Errorf("two panels have the number %d", p.ID)
		}
		ids[p.ID] = true
		if p.Type != "row" && (p.Description == "" || len(p.Targets) == 0) {
			t.Errorf("the panel %q explains or shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			all = append(all, expression{p.Title, target.Expr})
			for _, m := range regexp.MustCompile(`\{\{(\w+)\}\}`).FindAllStringSubmatch(target.LegendFormat, -1) {
				if !strings.Contains(target.Expr, "by (") || !strings.Contains(target.Expr, m[1]) {
					t.Errorf("%s: the legend speaks of %s, which %s does not keep", p.Title, m[1], target.Expr)
				}
			}
		}
	}
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Annotations map[string]string
			}
		}
	}
	if text, err = os.ReadFile("alerts.yaml"); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &rules); err != nil {
		t.Fatal(err)
	}
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			if rule.Annotations["summary"] == "" {
				t.Errorf("%s says nothing", rule.Alert)
			}
			all = append(all, expression{rule.Alert, rule.Expr})
		}
	}
	return all
}

var (
	selector = regexp.MustCompile(`([a-z_]+)(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`([a-z_]+)(?:=~|!~|!=|=)"`)
	grouping = regexp.MustCompile(`\b(?:by|without|on|ignoring) \(([^)]*)\)`)
	called   = regexp.MustCompile(`\b[a-z_]+ *\(`)
	ranges   = regexp.MustCompile(`\[[^\]]*\]`)
)

// words of the language, and the labels and series that Prometheus itself adds.
var (
	words = []string{"or", "and", "unless"}
	own   = []string{"instance", "job", "le"}
	added = []string{"up"}
)

// uses returns the series that an expression asks for, each with the labels that
// it must have.
func uses(text string) map[string][]string {
	var grouped []string
	for _, m := range grouping.FindAllStringSubmatch(text, -1) {
		grouped = append(grouped, strings.Split(m[1], ", ")...)
	}
	text = ranges.ReplaceAllString(grouping.ReplaceAllString(text, ""), "")
	text = called.ReplaceAllString(text, "(")
	found := map[string][]string{}
	for _, m := range selector.FindAllStringSubmatch(text, -1) {
		if slices.Contains(words, m[1]) {
			continue
		}
		found[m[1]] = append(found[m[1]], grouped...)
		for _, label := range matcher.FindAllStringSubmatch(m[2], -1) {
			found[m[1]] = append(found[m[1]], label[1])
		}
	}
	return found
}

func TestTheDashboardAndTheAlertsAskForWhatThereIs(t *testing.T) {
	there := exported(t)
	shown := map[string]bool{}
	for _, e := range expressions(t) {
		asked := uses(e.text)
		if len(asked) == 0 {
			t.Errorf("%s: %s asks for nothing", e.where, e.text)
		}
		for name, labels := range asked {
			has, ok := there[name]
			if !ok && !slices.Contains(added, name) {
				t.Errorf("%s asks for %s, which is not exported", e.where, name)
				continue
			}
			for _, label := range labels {
				if !slices.Contains(own, label) && !slices.Contains(has, label) {
					t.Errorf("%s asks for the label %s of %s, which has %v", e.where, label, name, has)
				}
			}
			shown[regexp.MustCompile(`_(bucket|count|sum)$`).ReplaceAllString(name, "")] = true
		}
	}
	for name := range there {
		if base := regexp.MustCompile(`_(bucket|count|sum)$`).ReplaceAllString(name, ""); strings.HasPrefix(name, "cloakroom_") && !shown[base] {
			t.Errorf("%s is shown nowhere", name)
		}
	}
}

// TestExpressionsAreReadAsTheyAreMeant: a test that saw no names would pass.
func TestExpressionsAreReadAsTheyAreMeant(t *testing.T) {
	got := uses(`clamp_min(1 - sum by (le, a) (rate(one_total{x=~"y|z", w="{"}[$__rate_interval])) / max(two), 0) or absent(three)`)
	want := map[string][]string{"one_total": {"le", "a", "x", "w"}, "two": {"le", "a"}, "three": {"le", "a"}}
	if len(got) != len(want) {
		t.Fatalf("%v, want %v", got, want)
	}
	for name, labels := range want {
		if !slices.Equal(got[name], labels) {
			t.Errorf("%s: %v, want %v", name, got[name], labels)
		}
	}
}

// TestPrometheusAsksWhereTheServerAnswers, by the name that the alerts go by.
func TestPrometheusAsksWhereTheServerAnswers(t *testing.T) {
	text, err := os.ReadFile("prometheus.yml")
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Scrape []struct {
			Job    string                       `yaml:"job_name"`
			Static []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
		Rules []string `yaml:"rule_files"`
	}
	if err := yaml.Unmarshal(text, &c); err != nil || len(c.Scrape) != 1 || len(c.Scrape[0].Static) != 1 || len(c.Rules) != 1 {
		t.Fatalf("%+v, %v", c, err)
	}
	if got := c.Scrape[0].Static[0].Targets; !slices.Equal(got, []string{config.Default().OpsListen}) {
		t.Errorf("it asks %v", got)
	}
	rules, err := os.ReadFile(c.Rules[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`job="([^"]+)"`).FindAllStringSubmatch(string(rules), -1) {
		if m[1] != c.Scrape[0].Job {
			t.Errorf("an alert goes by the job %q, and it is called %q", m[1], c.Scrape[0].Job)
		}
	}
}
