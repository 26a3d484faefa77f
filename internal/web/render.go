package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

//go:embed templates
var templateFiles embed.FS

// view is what a template is given: the frame's part, and the page's own.
type view struct {
	Title     string
	Nonce     string
	Here      string // the page under the base path, for the bar
	FormToken string // of who is signed in
	Body      any
}

// parseTemplates returns one template set for each page, all on one layout.
func (p *pages) parseTemplates() (map[string]*template.Template, error) {
	layout, err := template.New("layout").Funcs(template.FuncMap{
		"path":  p.path,
		"asset": p.assets.url,
		"spans": spans,
		"ago":   func(t time.Time) string { return ago(p.cfg.Now(), t) },
		"day":   day,
		"exact": exact,
		"iso":   func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	}).ParseFS(templateFiles, "templates/layout.html", "templates/parts.html")
	if err != nil {
		return nil, fmt.Errorf("web: parse the layout: %w", err)
	}
	names, err := templateFiles.ReadDir("templates/pages")
	if err != nil {
		return nil, fmt.Errorf("web: read the embedded pages: %w", err)
	}
	sets := map[string]*template.Template{}
	for _, entry := range names {
		set, err := layout.Clone()
		if err != nil {
			return nil, fmt.Errorf("web: clone the layout: %w", err)
		}
		if _, err = set.ParseFS(templateFiles, path.Join("templates/pages", entry.Name())); err != nil {
			return nil, fmt.Errorf("web: parse a page: %w", err)
		}
		sets[strings.TrimSuffix(entry.Name(), ".html")] = set
	}
	return sets, nil
}

// guest shows a page to a visitor: a ticket in the middle.
func (p *pages) guest(w http.ResponseWriter, status int, page, title string, body any) error {
	return p.render(w, status, page, "guest", view{Title: title, Body: body})
}

// forMember shows a page to who is signed in. here is the page in the bar.
func (p *pages) forMember(w http.ResponseWriter, r *http.Request, status int, here, page, title string, body any) error {
	return p.render(w, status, page, "member",
		view{Title: title, Here: here, FormToken: p.cfg.Sessions.FormToken(r), Body: body})
}

// render writes nothing before the whole page has been made.
func (p *pages) render(w http.ResponseWriter, status int, page, layout string, v view) error {
	v.Nonce = newNonce()
	var out bytes.Buffer
	if err := p.templates[page].ExecuteTemplate(&out, layout, v); err != nil {
		return fmt.Errorf("render the page %s: %w", page, err)
	}
	h := w.Header()
	h.Set("Content-Security-Policy", policy(v.Nonce))
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(out.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // a client that has gone is nobody to tell
	return nil
}
