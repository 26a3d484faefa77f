-- The pairs of tokens of the sessions that are renewable: at most one row a place.
-- The access token of the own pair is the session's token.
CREATE TABLE cloakroom_pairs (
    session INTEGER NOT NULL, -- cloakroom_sessions.key
    place   INTEGER NOT NULL, -- 0 own, 1 next, 2 superseded
    access  BLOB    NOT NULL UNIQUE CHECK (length(access) = 32),  -- SHA-256
    refresh BLOB    NOT NULL UNIQUE CHECK (length(refresh) = 32), -- SHA-256
    salt    BLOB    NOT NULL CHECK (length(salt) = 32),
    ends    INTEGER NOT NULL, -- when the access token does
    grace   INTEGER NOT NULL, -- when a superseded pair ends; else 0
    PRIMARY KEY (session, place)
) STRICT, WITHOUT ROWID;
