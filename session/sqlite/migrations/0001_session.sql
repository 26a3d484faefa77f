-- Times are Unix seconds. Epochs, versions and log numbers only grow.

-- One row. number is that of the last log entry: the log itself lives in
-- memory, and its numbers go on across starts. The first number is 1, so that a
-- subject made without an entry has a version other than 0. The token key
-- comes from SQLite's generator, which is seeded by the operating system; it
-- keys a checksum that filters typing errors, and proves nothing.
CREATE TABLE cloakroom_meta (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    number       INTEGER NOT NULL,
    global_epoch INTEGER NOT NULL,
    latest       INTEGER NOT NULL, -- highest time judged by or stored
    token_key    BLOB    NOT NULL CHECK (length(token_key) = 32)
) STRICT;

INSERT INTO cloakroom_meta (one, number, global_epoch, latest, token_key)
VALUES (1, 1, 1, 0, randomblob(32));

CREATE TABLE cloakroom_subjects (
    key            INTEGER PRIMARY KEY,
    subject        TEXT    NOT NULL UNIQUE,
    epoch          INTEGER NOT NULL,
    version        INTEGER NOT NULL, -- log number of the last change
    deleted        INTEGER NOT NULL,
    name           TEXT    NOT NULL,
    email          TEXT    NOT NULL,
    email_verified INTEGER NOT NULL,
    roles          TEXT    NOT NULL, -- joined by commas
    attributes     TEXT    NOT NULL
) STRICT;

-- The row's key is ordered, so that new rows stand together; the random id and
-- hash are in indexes, whose entries are small.
CREATE TABLE cloakroom_sessions (
    key           INTEGER PRIMARY KEY,
    id            BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    token         BLOB    NOT NULL UNIQUE CHECK (length(token) = 32), -- SHA-256
    subject       INTEGER NOT NULL, -- cloakroom_subjects.key
    epoch         INTEGER NOT NULL, -- the subject's, as it was issued under
    global_epoch  INTEGER NOT NULL,
    created       INTEGER NOT NULL,
    authenticated INTEGER NOT NULL,
    last_seen     INTEGER NOT NULL,
    idle_ends     INTEGER NOT NULL, -- never later than absolute_ends
    absolute_ends INTEGER NOT NULL,
    idle          INTEGER NOT NULL, -- seconds
    level         INTEGER NOT NULL,
    methods       INTEGER NOT NULL,
    remember      INTEGER NOT NULL,
    user_agent    TEXT    NOT NULL,
    address       TEXT    NOT NULL,
    label         TEXT    NOT NULL,
    ended         INTEGER           -- when it was revoked
) STRICT;

-- What a subject has, newest first. Revoked rows leave it, and those of an
-- earlier epoch stand apart: neither can slow down a sign-in.
CREATE INDEX cloakroom_sessions_of_subject
    ON cloakroom_sessions (subject, epoch, created, id) WHERE ended IS NULL;

CREATE TABLE cloakroom_data (
    session INTEGER NOT NULL, -- cloakroom_sessions.key
    key     TEXT    NOT NULL,
    value   BLOB    NOT NULL,
    UNIQUE (session, key)
) STRICT;
