//go:build !race

package session_test

const manyTokens = 1_000_000
