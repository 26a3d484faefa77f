// Package readme holds the tests that hold the documentation to what there is:
// commands print what is shown, Go is code that is compiled, links lead
// somewhere, a test that a page names exists, and the site shows every page.
package readme
