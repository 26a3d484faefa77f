package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed static
var staticFiles embed.FS

// assets are the files that pages load, each under a name that holds a hash of
// its content: a name never changes its meaning, so browsers keep it for good.
type assets struct {
	prefix string
	urls   map[string]string // "style.css" → "/auth/assets/style.0123456789ab.css"
	files  map[string]asset  // by the last part of the URL
}

type asset struct {
	kind string
	body []byte
}

func loadAssets(prefix string) (assets, error) {
	a := assets{prefix, map[string]string{}, map[string]asset{}}
	entries, err := staticFiles.ReadDir("static")
	if err != nil {
		return assets{}, fmt.Errorf("web: read the embedded files: %w", err)
	}
	for _, entry := range entries {
		body, err := staticFiles.ReadFile("static/" + entry.Name())
		if err != nil {
			return assets{}, fmt.Errorf("web: read an embedded file: %w", err)
		}
		hash, ext := sha256.Sum256(body), path.Ext(entry.Name())
		name := strings.TrimSuffix(entry.Name(), ext) + "." + hex.EncodeToString(hash[:6]) + ext
		a.urls[entry.Name()] = prefix + name
		a.files[name] = asset{contentType(ext), body}
	}
	return a, nil
}

// contentType does not ask the machine's own table first, which may lack a type
// or say another.
func contentType(ext string) string {
	switch ext {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml; charset=utf-8"
	}
	return mime.TypeByExtension(ext)
}

// url is the address of an asset; a name that does not exist ends the template.
func (a assets) url(name string) (string, error) {
	url, ok := a.urls[name]
	if !ok {
		return "", fmt.Errorf("no asset %q", name)
	}
	return url, nil
}

func (p *pages) asset(w http.ResponseWriter, r *http.Request) error {
	file, ok := p.assets.files[r.PathValue("name")]
	if !ok {
		return errNoPage
	}
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Del("Vary")
	h.Set("Content-Type", file.kind)
	_, _ = w.Write(file.body) // a client that has gone is nobody to tell
	return nil
}
