// Package docker holds the container image's description, and the test that holds
// it to the program that goes into it.
package docker
