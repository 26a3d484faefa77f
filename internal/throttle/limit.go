package throttle

import "time"

// Limit says how many attempts a bucket takes: Burst at once, then one each
// Every. Every counts in whole milliseconds, rounded up, of which it has at
// least one. A bucket of a Burst below 1 takes none.
type Limit struct {
	Burst int
	Every time.Duration
}

// every and full are what one attempt fills, and what a bucket holds, in
// milliseconds: the time in which it runs empty again.
func (l Limit) every() int64 { return max(1, int64((l.Every+time.Millisecond-1)/time.Millisecond)) }
func (l Limit) full() int64  { return int64(l.Burst) * l.every() }

// Key names a bucket. It is a hash, see keyOf.
type Key [16]byte

// Bucket is one of the counts that an attempt goes into.
//
// All that is kept of it is when it is empty again, in Unix milliseconds (the
// generic cell rate algorithm's theoretical arrival time): 0 for one that
// nothing is kept of. An attempt puts that off by Every, and is refused if it
// would then be further from now than Burst times Every. So a bucket needs
// nobody who refills it, and one whose time has come may be forgotten.
type Bucket struct {
	Key   Key
	Limit Limit
}

// Admit judges one attempt by all its buckets, which are different ones. emptyAt
// is what is kept of each, and after what is to be kept from now on.
//
// With wait 0 the attempt is admitted and charged to all. Otherwise it is
// charged to none, and would be admitted after wait, which is never longer than
// the longest Every. What then differs in after was fuller than it can be,
// because the clock was set back or a limit was lowered, and is now just full.
// That has to be kept, or such a bucket would be found full until the clock has
// caught up.
func Admit(now time.Time, buckets []Bucket, emptyAt []int64) (after []int64, wait time.Duration) {
	at := now.UnixMilli()
	after = make([]int64, len(buckets))
	var over int64
	for i, b := range buckets {
		after[i] = b.Limit.clamp(at, emptyAt[i])
		over = max(over, max(after[i], at)+b.Limit.every()-b.Limit.full()-at)
	}
	if over > 0 {
		return after, time.Duration(over) * time.Millisecond
	}
	for i, b := range buckets {
		after[i] = max(after[i], at) + b.Limit.every()
	}
	return after, 0
}

// GiveBack takes one attempt out of what is kept of the bucket, and returns what
// is to be kept from now on: 0 if it is empty.
func (b Bucket) GiveBack(now time.Time, emptyAt int64) int64 {
	at := now.UnixMilli()
	left := b.Limit.clamp(at, emptyAt) - b.Limit.every()
	if left <= at {
		return 0
	}
	return left
}

// clamp makes a bucket that is fuller than it can be just full.
func (l Limit) clamp(at, emptyAt int64) int64 { return min(emptyAt, at+l.full()) }
