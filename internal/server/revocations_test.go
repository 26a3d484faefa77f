package server

import (
	"net/http"
	"strings"
	"testing"
)

// What people do to their own sessions is recorded, with the session that they
// did it in and the one that they ended.
func TestOnesOwnRevocationsAreRecorded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	root, ada := s.admin("root@example.com"), s.browser().signUp("ada@example.com")
	id, here := ada.accountID(), ada.sessionID()
	other := s.browser().signIn("ada@example.com").sessionID()
	ada.do("DELETE", "/v1/sessions/"+other, "").is(http.StatusNoContent)
	ada.do("DELETE", "/v1/sessions/"+root.sessionID(), "").problem(http.StatusNotFound, "not-found") // and leaves no entry
	ada.do("DELETE", "/v1/sessions", "").is(http.StatusNoContent)
	ada.do("DELETE", "/v1/sessions?all=true", "").is(http.StatusNoContent)
	var events []string
	for _, e := range root.do("GET", "/v1/admin/audit?actor="+id, "").is(http.StatusOK).at("entries").([]any) {
		entry := e.(map[string]any)
		event := entry["event"].(string)
		events = append(events, event)
		if strings.Contains(event, "revoked") && (entry["session"] != here || entry["subject"] != id || entry["address"] != "127.0.0.1") {
			t.Errorf("%v", entry)
		}
		if detail, _ := entry["detail"].(map[string]any); event == "session.revoked" && detail["session"] != other {
			t.Errorf("%v does not name the session that ended", entry)
		}
	}
	want := "sessions.revoked_all sessions.revoked_others session.revoked session.issued session.issued account.created"
	if got := strings.Join(events, " "); got != want {
		t.Errorf("the audit tells of %s,\nwant %s", got, want)
	}
}
