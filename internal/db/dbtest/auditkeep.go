package dbtest

import (
	"time"

	"cloakroom/internal/audit"
)

func appendOnly(f *auditFixture) {
	now := time.Now()
	f.append(
		audit.Entry{Event: audit.SessionIssued, Subject: "ann", At: now.Add(-25 * time.Hour)},
		audit.Entry{Event: audit.SessionIssued, Subject: "ann", At: now.Add(-23 * time.Hour)},
		audit.Entry{Event: audit.SignInRefused, Subject: "ann", At: now.Add(-25 * time.Hour), Until: now.Add(-23 * time.Hour)},
	)
	const columns = `(seq, at, event, reason, actor, subject, session, address, user_agent, detail, count, until)`
	for _, statement := range []string{
		`UPDATE cloakroom_audit SET subject = 'eve' WHERE seq = 1`,
		`UPDATE cloakroom_audit SET at = 0, until = 0`,
		`DELETE FROM cloakroom_audit`,
		`DELETE FROM cloakroom_audit WHERE seq = 2`,
		`DELETE FROM cloakroom_audit WHERE seq = 3`,
		`INSERT INTO cloakroom_audit ` + columns + ` VALUES (2, 0, 'e', '', '', '', '', '', '', '', 1, 0)
			ON CONFLICT (seq) DO UPDATE SET at = 0`,
	} {
		if f.Exec(statement) == nil {
			f.Errorf("done: %s", statement)
		}
	}
	f.wantSeqs(f.all(audit.Filter{Subject: "ann"}, 10), 2, 3, 1)
	f.ok(f.Exec(`DELETE FROM cloakroom_audit WHERE seq = 1`))
	f.wantSeqs(f.all(audit.Filter{}, 10), 2, 3)

	if n, err := f.Store.Sweep(f.Context(), now.Add(time.Minute), 10); n != 0 || err == nil {
		f.Errorf("swept %d entries of the last day: %v", n, err)
	}
	f.wantSeqs(f.all(audit.Filter{}, 10), 2, 3)
}

func sweeps(f *auditFixture) {
	for i := range 9 { // 9 is the oldest
		f.append(audit.Entry{Event: audit.SessionIssued, At: long.Add(-time.Duration(i) * time.Minute)})
	}
	f.append(audit.Entry{Event: audit.SignInRefused, At: long.Add(-time.Hour), Until: long}) // goes on into the time that is kept
	before := long.Add(-90 * time.Second)
	for _, want := range []struct {
		n    int
		left []int64
	}{
		{3, []int64{1, 2, 3, 4, 5, 6, 10}},
		{3, []int64{1, 2, 3, 10}},
		{1, []int64{1, 2, 10}},
		{0, []int64{1, 2, 10}},
	} {
		n, err := f.Store.Sweep(f.Context(), before, 3)
		if f.ok(err); n != want.n {
			f.Errorf("swept %d, want %d", n, want.n)
		}
		f.wantSeqs(f.all(audit.Filter{}, 10), want.left...)
	}
}

func numbersAfterSweep(f *auditFixture) {
	f.append(entriesOf(3)...)
	if n, err := f.Store.Sweep(f.Context(), time.Now().Add(-48*time.Hour), 10); n != 3 || err != nil {
		f.Fatalf("swept %d: %v", n, err)
	}
	f.append(audit.Entry{Event: audit.SetupUsed})
	f.wantSeqs(f.all(audit.Filter{}, 10), 4)
}
