package server

import (
	"encoding/json"
	"net/http"
	"path/filepath"

	"cloakroom/internal/problem"
	"cloakroom/session/sqlite"
)

// Backup is where to keep a copy.
type Backup struct {
	Path string `json:"path"` // from the root
}

// Progress is one line of the answer to a backup: how far it is, and at last
// that it is done or why it failed.
type Progress struct {
	Written int64  `json:"written"`
	Total   int64  `json:"total"` // about
	Done    bool   `json:"done,omitempty"`
	Error   string `json:"error,omitempty"`
}

// backup writes a copy of the database while it serves. Whoever asked and goes
// away stops it, and nothing is left of it.
func (s *Server) backup(w http.ResponseWriter, r *http.Request) error {
	var b Backup
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&b); err != nil || !filepath.IsAbs(b.Path) {
		return problem.Malformed("path", "The key \"path\" must be a path from the root.")
	}
	w.Header().Set("Content-Type", "application/jsonl")
	out := json.NewEncoder(w)
	flush := http.NewResponseController(w)
	say := func(p Progress) {
		_ = out.Encode(p) // if nobody listens, r.Context ends
		_ = flush.Flush()
	}
	last := Progress{}
	err := sqlite.Backup(r.Context(), s.store, b.Path, func(written, total int64) {
		last = Progress{Written: written, Total: total}
		say(last)
	})
	if err != nil {
		last.Error = err.Error()
		s.logger.Warn("server: a backup failed", "error", err)
	} else {
		last.Done = true
		s.logger.Info("server: a backup was written", "path", b.Path, "bytes", last.Written)
	}
	say(last)
	return nil
}
