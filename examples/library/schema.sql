-- The application's tables. They stand in the file of the sessions, so that one
-- transaction can change both.

CREATE TABLE IF NOT EXISTS users (
    id    TEXT PRIMARY KEY,    -- the subject of the user's sessions
    email TEXT NOT NULL UNIQUE, -- lower case
    hash  TEXT NOT NULL         -- of the password
) STRICT;

CREATE TABLE IF NOT EXISTS audit (
    number INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL DEFAULT (unixepoch()),
    user   TEXT    NOT NULL REFERENCES users (id), -- whom it concerns
    actor  TEXT    NOT NULL REFERENCES users (id), -- who did it
    event  TEXT    NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS notes (
    number INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL DEFAULT (unixepoch()),
    author TEXT    NOT NULL, -- the name, as it was
    text   TEXT    NOT NULL
) STRICT;
