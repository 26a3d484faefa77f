package sqlite

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// helperEnv names the helper that this binary is to be, instead of running
// tests: what happens to a whole process is tested on one of its own.
const helperEnv = "CLOAKROOM_SQLITE_TEST_HELPER"

func TestMain(m *testing.M) {
	switch os.Getenv(helperEnv) {
	case "":
		goleak.VerifyTestMain(m)
	case "open":
		helpOpen()
	case "write":
		helpWrite()
	case "renew":
		helpRenew()
	case "fill":
		helpFill()
	}
}
