// Package readme holds the test that runs what the README shows.
package readme
