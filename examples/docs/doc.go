// Package docs holds code that the pages under docs show, so that it is compiled
// and tested; what they show of a whole application comes from examples/library.
package docs
