package password

import (
	"context"
	"errors"
	"time"
)

// ErrBusy means that too many passwords are being hashed: try again shortly.
var ErrBusy = errors.New("too many passwords are being verified")

// pool bounds how many passwords are hashed and how many wait, and with them
// the memory that hashing takes. Nothing runs in it but its callers.
type pool struct {
	slots  chan struct{} // one for each hash under way
	places chan struct{} // one for each hash under way or waiting
	wait   time.Duration
}

func newPool(slots, queue int, wait time.Duration) pool {
	return pool{make(chan struct{}, slots), make(chan struct{}, slots+queue), wait}
}

// enter waits for a slot and returns the function that gives it back. With the
// queue full it is ErrBusy at once.
func (p pool) enter(ctx context.Context) (leave func(), err error) {
	select {
	case p.places <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	timer := time.NewTimer(p.wait)
	defer timer.Stop()
	select {
	case p.slots <- struct{}{}:
		return func() { <-p.slots; <-p.places }, nil
	case <-timer.C:
		err = ErrBusy
	case <-ctx.Done():
		err = ctx.Err()
	}
	<-p.places
	return nil, err
}
