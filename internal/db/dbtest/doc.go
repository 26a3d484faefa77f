// Package dbtest holds the suites that every implementation of the server's
// stores must pass, one for each interface. A store's own test is one call for
// each of them.
package dbtest
