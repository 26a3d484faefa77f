// Package debian holds what makes a Debian package of the program, and the tests
// that build one as it is released, look into it, and install it on a machine of
// its own, where they do what the operations page says.
package debian
