package audit_test

import (
	"testing"

	"cloakroom/internal/audit"
)

func TestOwnActivityTellsNothingOfOthers(t *testing.T) {
	f := newFixture(t)
	for _, actor := range []string{"ann", "", "eve", audit.Operator} {
		e := audit.Entry{Event: audit.SessionRevoked, Actor: actor, Subject: "ann", Session: "s", Address: "192.0.2.1", UserAgent: "curl"}
		if err := f.Append(t.Context(), []audit.Entry{e, {Event: audit.SessionIssued, Subject: "bob"}}); err != nil {
			t.Fatal(err)
		}
	}
	list, next, err := audit.OwnActivity(t.Context(), f, "ann", "", 3)
	if err != nil || len(list) != 3 || next == "" {
		t.Fatalf("%+v, %q, %v", list, next, err)
	}
	rest, next, err := audit.OwnActivity(t.Context(), f, "ann", next, 3)
	if list = append(list, rest...); err != nil || len(list) != 4 || next != "" {
		t.Fatalf("%+v, %q, %v", list, next, err)
	}
	for _, e := range list {
		own := e.Actor == "ann" || e.Actor == ""
		told := e.Session == "s" && e.Address == "192.0.2.1" && e.UserAgent == "curl"
		nothing := e.Session == "" && e.Address == "" && e.UserAgent == ""
		if e.Subject != "ann" || own && !told || !own && !nothing {
			t.Errorf("%+v", e)
		}
	}
	if list, next, err := audit.OwnActivity(t.Context(), f, "", "", 3); list != nil || next != "" || err != nil {
		t.Errorf("nobody's own activity: %+v, %q, %v", list, next, err)
	}
}
