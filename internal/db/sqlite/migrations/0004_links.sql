-- Times are Unix seconds.

-- The live one-time links. A row that is not there is a link that was used,
-- replaced or never made.
CREATE TABLE cloakroom_links (
	account    TEXT    NOT NULL REFERENCES cloakroom_accounts (id) ON DELETE CASCADE,
	kind       INTEGER NOT NULL,                                   -- 1 reset, 2 invite
	hash       BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),  -- SHA-256 of the token
	expires_at INTEGER NOT NULL,
	created_by TEXT    NOT NULL,
	PRIMARY KEY (account, kind)
) STRICT, WITHOUT ROWID;

CREATE INDEX cloakroom_links_by_expiry ON cloakroom_links (expires_at);

-- The accounts whose profile has the role of administrators, so that the last
-- of them is known in the transaction that would take it away.
CREATE TABLE cloakroom_admins (
	account TEXT PRIMARY KEY REFERENCES cloakroom_accounts (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Who used the setup code. One row, or none; it outlives the account.
CREATE TABLE cloakroom_setup (
	one     INTEGER PRIMARY KEY CHECK (one = 1),
	account TEXT NOT NULL
) STRICT;

CREATE INDEX cloakroom_accounts_by_status ON cloakroom_accounts (status, email);
