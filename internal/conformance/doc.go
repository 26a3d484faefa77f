// Package conformance holds the product against what the published standards ask
// of an authentication system on sessions: one row for each requirement, and for
// each row that concerns what exists a test of its own.
//
// A test is named after its rows (TestRow001..., TestRow014And015...) and sees no
// more than anybody outside does: it builds the server, runs it as a process of
// its own on a new database, and speaks HTTP with it. It reads the database's
// file where the row is about what lies in there, and restarts the server with
// its clock ahead where the row is about time (see package driven).
//
// docs/conformance.md is made from the rows and the names of the tests. After a
// change of either:
//
//	go test ./internal/conformance -run TestThePage -update
package conformance
