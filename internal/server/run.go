package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

const (
	// drainTime is how long requests in flight may take when the server stops.
	drainTime = 10 * time.Second
	// startTime is how long the first connections wait for the session manager.
	startTime = 2 * time.Second
)

// httpServer has the limits without which a client that is slow, or sends
// without end, holds what others need.
func httpServer(h http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}

// Run serves until ctx ends, or until something that cannot be done without
// fails, and then stops in order. First /readyz says so, while requests go on to
// be answered; then nobody is let in any more, and requests in flight are
// answered; then last uses of sessions and refused attempts are written, and the
// database is closed. The operations listener ends last.
func (s *Server) Run(ctx context.Context) error {
	main := httpServer(http.HandlerFunc(s.answer), s.logger)
	main.ConnState = s.countConnections
	ops := httpServer(s.operations(), s.logger)
	control := httpServer(s.operator(), s.logger)
	control.WriteTimeout = 0 // a backup takes its time
	sessionsCtx, stopSessions := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSessions()

	failed := make(chan error, 6)
	var serving, running, keeping sync.WaitGroup
	keeping.Go(func() { failed <- s.sessions.Run(sessionsCtx) })
	keeping.Go(func() { failed <- s.refusals.Run(sessionsCtx) })
	keeping.Go(func() { failed <- s.retention.Run(sessionsCtx) })
	keeping.Go(func() { s.sweep(sessionsCtx) })
	s.awaitSessions(ctx)
	serving.Go(func() { failed <- main.Serve(s.listener) })
	running.Go(func() { failed <- ops.Serve(s.opsListener) })
	running.Go(func() { failed <- control.Serve(s.control) })
	s.ready.Store(true)
	close(s.serving)
	s.tell(s.manager.Ready)
	keeping.Go(func() { s.keepAlive(sessionsCtx) })
	s.logger.Info("server: listening", "listen", s.Addr().String(), "ops.listen", s.OpsAddr().String(), "public_url", s.URL())

	var cause error
	select {
	case <-ctx.Done():
	case cause = <-failed:
	}
	s.logger.Info("server: stopping")
	s.ready.Store(false)
	s.tell(s.manager.Stopping)
	s.leave()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if l, ok := s.listener.(*lastCall); ok {
		l.finish()
		serving.Wait()
	}
	s.windDown()
	err := errors.Join(cause, stop(drain, main), stop(drain, control))
	serving.Wait()
	stopSessions()
	keeping.Wait()
	_ = s.store.Close() // what it returns is returned below
	err = errors.Join(err, stop(drain, ops))
	running.Wait()
	return errors.Join(err, s.Close())
}

const (
	sweepEvery = time.Minute
	sweepBatch = 1000
)

// sweep forgets, now and then, the attempts and the links that are over.
func (s *Server) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.sweepOnce(ctx)
		}
	}
}

func (s *Server) sweepOnce(ctx context.Context) {
	if _, err := s.throttle.Sweep(ctx, sweepBatch); err != nil && ctx.Err() == nil {
		s.logger.Warn("server: the throttle's table was not swept", "error", err)
	}
	if _, err := s.authority.Links.Sweep(ctx, s.authority.Now(), sweepBatch); err != nil && ctx.Err() == nil {
		s.logger.Warn("server: links that have expired were not swept", "error", err)
	}
}

// stop waits for the requests in flight, and cuts off those that take too long.
func stop(ctx context.Context, server *http.Server) error {
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("requests were cut off after %v: %w", drainTime, server.Close())
	}
	return err
}

// awaitSessions keeps the first connections waiting until they can be decided
// about, so that nobody is told 503 because they came early.
func (s *Server) awaitSessions(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	_ = s.sessions.Ready(ctx) // if it is not by then, they are told so one by one
}

// canDecide asks the store through the session manager, and changes nothing.
func (s *Server) canDecide(ctx context.Context) error {
	_, err := s.sessions.Begin(ctx, "readiness")
	return err
}
