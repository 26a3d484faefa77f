package main

import (
	"testing"

	"cloakroom/examples/routertest"
)

func TestTheMiddlewareInChi(t *testing.T) { routertest.Run(t, routes) }
