-- The session subject of an account is its id; name, roles and the rest of the
-- profile stand there. When an account was created is part of its id (UUIDv7).
CREATE TABLE cloakroom_accounts (
	id     TEXT PRIMARY KEY,
	email  TEXT NOT NULL UNIQUE, -- canonical: compared byte by byte
	status INTEGER NOT NULL      -- 1 active, 2 disabled
) STRICT, WITHOUT ROWID;

CREATE TABLE cloakroom_passwords (
	account TEXT PRIMARY KEY REFERENCES cloakroom_accounts (id) ON DELETE CASCADE,
	hash    TEXT NOT NULL -- a PHC string
) STRICT, WITHOUT ROWID;
