-- Times are Unix seconds.

-- The record of who did what to whom. seq counts without gaps and is not used
-- again once it was swept.
CREATE TABLE cloakroom_audit (
	seq        INTEGER PRIMARY KEY AUTOINCREMENT,
	at         INTEGER NOT NULL,
	event      TEXT    NOT NULL,
	reason     TEXT    NOT NULL,
	actor      TEXT    NOT NULL, -- an account's id, "operator", or ""
	subject    TEXT    NOT NULL, -- an account's id, or ""; it outlives the account
	session    TEXT    NOT NULL,
	address    TEXT    NOT NULL,
	user_agent TEXT    NOT NULL,
	detail     TEXT    NOT NULL, -- a JSON object of strings, or ""
	count      INTEGER NOT NULL, -- how many attempts
	until      INTEGER NOT NULL  -- when the last of them was
) STRICT;

-- Every index ends in the row's seq, which is the order of entries of a second.
CREATE INDEX cloakroom_audit_by_time    ON cloakroom_audit (at);
CREATE INDEX cloakroom_audit_by_subject ON cloakroom_audit (subject, at);
CREATE INDEX cloakroom_audit_by_actor   ON cloakroom_audit (actor, at);
CREATE INDEX cloakroom_audit_by_event   ON cloakroom_audit (event, at);

CREATE TRIGGER cloakroom_audit_is_never_changed BEFORE UPDATE ON cloakroom_audit
BEGIN
	SELECT RAISE(ABORT, 'an entry of the audit is never changed');
END;

CREATE TRIGGER cloakroom_audit_is_kept_for_a_day BEFORE DELETE ON cloakroom_audit
WHEN old.until > unixepoch() - 86400
BEGIN
	SELECT RAISE(ABORT, 'an entry of the audit is kept for a day at least');
END;

-- INSERT OR REPLACE deletes without asking the trigger above.
CREATE TRIGGER cloakroom_audit_is_never_replaced BEFORE INSERT ON cloakroom_audit
WHEN EXISTS (SELECT 1 FROM cloakroom_audit WHERE seq = new.seq)
BEGIN
	SELECT RAISE(ABORT, 'an entry of the audit is never replaced');
END;
