// Package systemd holds the units that run Cloakroom as a service, and the tests
// that hold the built server to what they say: it is started as systemd starts it,
// with a socket to be told on and sockets to listen on.
package systemd
