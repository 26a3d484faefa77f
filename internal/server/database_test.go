package server

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

func TestAFileOfAnotherUserIsSaidToBeOne(t *testing.T) {
	err := explainDatabase("/var/lib/c.db", fmt.Errorf("sqlite: open the lock: %w", &fs.PathError{Op: "open", Path: "/var/lib/c.db.lock", Err: fs.ErrPermission}))
	if !strings.Contains(err.Error(), "database: /var/lib/c.db may not be read and written by this user") {
		t.Error(err)
	}
}
