package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"time"
)

// grace is how long requests under way may take to end.
const grace = 10 * time.Second

// serve answers requests until ctx ends, and then those under way.
func serve(ctx context.Context, address string, h http.Handler) error {
	server := &http.Server{
		Addr:              address,
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	log.Printf("open http://%s", address)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	return errors.Join(server.Shutdown(ctx), server.Close())
}
