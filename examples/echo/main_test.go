package main

import (
	"testing"

	"cloakroom/examples/routertest"
)

func TestTheMiddlewareInEcho(t *testing.T) { routertest.Run(t, routes) }
