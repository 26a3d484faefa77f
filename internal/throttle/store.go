package throttle

import (
	"context"
	"time"
)

// Store keeps buckets. An implementation must pass dbtest.Throttle. It is safe
// for concurrent use, and judges by the time that it is given, which may be
// earlier than one that it was given before. Any error is an outage.
type Store interface {
	// EmptyAt returns what is kept of each bucket, as Admit takes it. It waits
	// for nobody who changes them.
	EmptyAt(ctx context.Context, buckets []Bucket) ([]int64, error)

	// Take judges one attempt as Admit does, and keeps what Admit returns, in
	// one transaction: of attempts at the same time none is admitted by what
	// another is about to change. wait is Admit's. With an error the attempt is
	// not admitted; whether it was charged is not known.
	Take(ctx context.Context, now time.Time, buckets []Bucket) (wait time.Duration, err error)

	// Return takes one attempt out of each bucket, as Bucket.GiveBack does, in
	// one transaction. A bucket that nothing is kept of stays so.
	Return(ctx context.Context, now time.Time, buckets []Bucket) error

	// Sweep forgets up to limit buckets that are empty, and says how many. It
	// changes nothing that Take could tell.
	Sweep(ctx context.Context, now time.Time, limit int) (int, error)
}
