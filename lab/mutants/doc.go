// Package mutants holds small breakages of the core, one a file in testdata,
// each of which the tests must notice. Its test (build tag mutants) applies one
// after the other with go test -overlay and demands the assertion that the
// mutant names: a compile error, a panic or a time-out kills nothing.
package mutants
