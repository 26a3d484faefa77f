-- Times are Unix milliseconds.

-- A bucket of the throttle. A row that is not there is a bucket that is empty.
CREATE TABLE cloakroom_throttle (
	key      BLOB PRIMARY KEY CHECK (length(key) = 16), -- a hash: no address stands here
	empty_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The browsers that an account was signed in to on.
CREATE TABLE cloakroom_devices (
	account TEXT    NOT NULL REFERENCES cloakroom_accounts (id) ON DELETE CASCADE,
	hash    BLOB    NOT NULL CHECK (length(hash) = 32), -- SHA-256 of the device's secret
	used_at INTEGER NOT NULL,
	PRIMARY KEY (account, hash)
) STRICT, WITHOUT ROWID;
