//go:build !race

package cache

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestMarkersStandWhileRecordsMove: in one shard the table grows and records are
// evicted, so that what stays moves all the time, and whoever looks finds every
// dead marker. The window is short, so neither side does anything else.
func TestMarkersStandWhileRecordsMove(t *testing.T) {
	const each, dead = 150, 30 // tokens of each writer, and how many of them it buries
	var keys []*Key
	for _, token := range sameShard(8 * workers / 2 * each) {
		keys = append(keys, keyOf(token))
	}
	// Those that want to lie in the same eighth of the table: what is removed
	// has many after it that move back, and what is sought has many before it.
	slices.SortFunc(keys, func(a, b *Key) int { return cmp.Compare(nameOf(a).a, nameOf(b).a) })
	keys = keys[:workers/2*each]
	rand.New(rand.NewPCG(1, 4)).Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	grown, evicted := 0, 0
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end) && !t.Failed(); {
		c := New(Config{MarkerAge: 2})
		var buried [workers / 2]atomic.Int64 // how many of a writer's tokens, from its first
		var done, looking sync.WaitGroup
		var over atomic.Bool
		for w := range workers / 2 {
			mine, subject := keys[w*each:(w+1)*each], subjectName(w)
			identity := identityOf(subject, 1)
			done.Go(func() {
				for i := range 30 * each {
					c.Put(mine[dead+i%(each-dead)], Record{}, subject, 1, identity, 0, never)
					if i%2 == 0 && i/2 < dead {
						c.Bury(mine[i/2], 0)
						buried[w].Store(int64(i/2) + 1)
					}
				}
			})
			looking.Go(func() {
				var hit Hit
				for i := w; !over.Load() && !t.Failed(); i++ {
					of := i % len(buried)
					for j := range buried[of].Load() {
						if state := c.Get(keys[of*each+int(j)], 0, false, &hit); state != Dead {
							t.Errorf("I5: token %d of writer %d was buried and is in state %d", j, of, state)
						}
					}
				}
			})
		}
		done.Wait()
		over.Store(true)
		looking.Wait()
		check(t, c, 0)
		if len(c.shards[0].slots) > firstSlots {
			grown++
		}
		evicted += len(keys) - c.shards[0].count
	}
	if grown == 0 || evicted == 0 {
		t.Errorf("the tables of %d rounds grew, %d records were evicted", grown, evicted)
	}
}
