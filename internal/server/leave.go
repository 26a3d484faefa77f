package server

import (
	"context"
	"database/sql"
	"net"
	"net/http"
	"time"
)

const (
	// leaveTime is how long the server goes on to be open when it is no longer
	// ready, if anybody has asked for that within askedWithin.
	leaveTime   = 2 * time.Second
	askedWithin = time.Minute
	// windDownTime is how long connections may stay that have no request in
	// flight, so that one which is just about to come is answered.
	windDownTime = time.Second
)

// Serving is closed once requests are answered.
func (s *Server) Serving() <-chan struct{} { return s.serving }

// leave goes on to serve until whoever asks /readyz had the time to notice, and
// to send people elsewhere. It waits for nobody where nobody asks.
func (s *Server) leave() {
	s.leaving.Store(true)
	if time.Since(time.Unix(0, s.asked.Load())) < askedWithin {
		time.Sleep(leaveTime)
	}
}

// windDown waits until all connections have got their last answer, or have been
// without a request for long enough.
func (s *Server) windDown() {
	for began := time.Now(); s.open.Load() > 0 && time.Since(began) < windDownTime; {
		time.Sleep(time.Millisecond)
	}
}

// countConnections is for http.Server.ConnState.
func (s *Server) countConnections(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.open.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.open.Add(-1)
	}
}

// tell tells the service manager something. That it cannot be told changes
// nothing for anybody else.
func (s *Server) tell(say func() error) {
	if err := say(); err != nil {
		s.logger.Warn("server: the service manager could not be told", "error", err)
	}
}

// keepAlive tells the service manager, as often as it wants to hear it, that the
// server need not be started anew.
func (s *Server) keepAlive(ctx context.Context) {
	every := s.manager.Watchdog() / 2
	if every <= 0 {
		return
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if s.alive(ctx, every) {
			s.tell(s.manager.Alive)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// alive reports whether the store answers a read and a write in time. That it
// answers with an error is no reason to be started anew: that mends no disk, it is
// tried again all the time, and what is in memory only would be lost.
func (s *Server) alive(ctx context.Context, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	_ = s.canDecide(ctx)
	_ = s.store.Write(ctx, func(context.Context, *sql.Tx) error { return nil })
	return ctx.Err() == nil
}
