//go:build race

package session_test

// manyTokens is fewer where each check takes ten times as long.
const manyTokens = 100_000
