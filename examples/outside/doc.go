// Package outside holds the tests that use the library as a stranger would: from
// a module of their own, with nothing but a replace line, and offline.
package outside
