package readme

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func TestTheSiteShowsEveryPage(t *testing.T) {
	var site struct {
		Nav []any `yaml:"nav"`
	}
	if err := yaml.Unmarshal([]byte(read(t, "mkdocs.yml")), &site); err != nil {
		t.Fatal(err)
	}
	inNav := leaves(site.Nav)
	if len(inNav) == 0 {
		t.Fatal("mkdocs.yml has no nav")
	}
	for _, wrong := range wrongNav(inNav, allPages(t)) {
		t.Error(wrong)
	}
}

// leaves returns the pages that a part of the nav names.
func leaves(nav any) (pages []string) {
	switch nav := nav.(type) {
	case string:
		return []string{nav}
	case []any:
		for _, part := range nav {
			pages = append(pages, leaves(part)...)
		}
	case map[string]any:
		for _, part := range nav {
			pages = append(pages, leaves(part)...)
		}
	}
	return pages
}

// wrongNav reports the pages that the nav leaves out, has twice, or makes up.
func wrongNav(nav, pages []string) (wrong []string) {
	for i, page := range nav {
		if !slices.Contains(rootPages, page) {
			nav[i] = path.Join("docs", page)
		}
		if slices.Contains(nav[:i], nav[i]) {
			wrong = append(wrong, fmt.Sprintf("the nav of mkdocs.yml has %s twice", page))
		}
		if !slices.Contains(pages, nav[i]) {
			wrong = append(wrong, fmt.Sprintf("the nav of mkdocs.yml has %s, and there is no such page", page))
		}
	}
	for _, page := range pages {
		if !slices.Contains(nav, page) {
			wrong = append(wrong, fmt.Sprintf("%s is not in the nav of mkdocs.yml", page))
		}
	}
	return wrong
}

// The hook of mkdocs has a list of the pages beside the sources, as we do.
func TestTheSiteKnowsTheRootPages(t *testing.T) {
	want := `ROOT_PAGES = ["` + strings.Join(rootPages, `", "`) + `"]`
	if !strings.Contains(read(t, "scripts/site.py"), want) {
		t.Errorf("scripts/site.py does not say %s", want)
	}
}
