// Package e2e tells the story of a person in a real browser, against the built
// server on a database of its own. It holds tests only, behind the build tag
// "browser":
//
//	go test -tags browser ./e2e
package e2e
