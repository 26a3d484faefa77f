// Package arch holds the tests that keep the house in order: who imports whom,
// who writes the cache, how long things may get. Each rule says why it is there.
package arch
