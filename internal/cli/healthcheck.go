package cli

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

type healthcheck struct{}

// Run asks the operations listener whether the server is ready, for containers
// that have no other program to ask with.
func (healthcheck) Run(ctx context.Context, load loader) error {
	_, settings, err := configured(load)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	at := settings.OpsListen
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, at.Network, at.Text)
	}}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://ops/readyz", nil)
	if err != nil {
		return err
	}
	a, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("no server answers at %s: %w", at, err)
	}
	defer func() { _ = a.Body.Close() }()
	if a.StatusCode != http.StatusOK {
		return fmt.Errorf("the server at %s is not ready: %s", at, a.Status)
	}
	return nil
}
