package server

import (
	"io"
	"net/http"
	"time"
)

// operations is what the machine's keepers ask, on a listener of its own:
//
//	/healthz  the process answers
//	/readyz   the store answers, and the server is not about to stop
//	/metrics  figures for Prometheus
func (s *Server) operations() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		say(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		s.asked.Store(time.Now().UnixNano())
		switch {
		case !s.ready.Load():
			say(w, http.StatusServiceUnavailable, "stopping")
		case s.canDecide(r.Context()) != nil:
			say(w, http.StatusServiceUnavailable, "the store does not answer")
		default:
			say(w, http.StatusOK, "ready")
		}
	})
	mux.Handle("GET /metrics", s.metrics.handler())
	return mux
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n")
}
