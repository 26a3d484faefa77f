package memory

import (
	"testing"

	"cloakroom/session/sessiontest/modeltest"
)

func TestModel(t *testing.T) { modeltest.Run(t, open) }
