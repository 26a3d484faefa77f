-- The file of the program of 2026-11-25, which knew neither the throttle nor the
-- record nor links: Ada signed up, with the password "correct horse battery staple",
-- and Eve.
PRAGMA journal_mode = WAL;
BEGIN TRANSACTION;
CREATE TABLE cloakroom_accounts (
	id     TEXT PRIMARY KEY,
	email  TEXT NOT NULL UNIQUE, -- canonical: compared byte by byte
	status INTEGER NOT NULL      -- 1 active, 2 disabled
) STRICT, WITHOUT ROWID;
INSERT INTO "cloakroom_accounts" VALUES('01a2305f-f3e8-7c03-b6fa-3e2506a13971','ada@example.com',1);
INSERT INTO "cloakroom_accounts" VALUES('01a2305f-f424-792e-8e1f-d1efef662043','eve@example.com',1);
CREATE TABLE cloakroom_data (
    session INTEGER NOT NULL, -- cloakroom_sessions.key
    key     TEXT    NOT NULL,
    value   BLOB    NOT NULL,
    UNIQUE (session, key)
) STRICT;
CREATE TABLE cloakroom_meta (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    number       INTEGER NOT NULL,
    global_epoch INTEGER NOT NULL,
    latest       INTEGER NOT NULL, -- highest time judged by or stored
    token_key    BLOB    NOT NULL CHECK (length(token_key) = 32)
) STRICT;
INSERT INTO "cloakroom_meta" VALUES(1,3,1,1796107924,X'C7AE8D648602A98E0A4109A804334DE356BC35F5A95607681786772E5D9D0C80');
CREATE TABLE cloakroom_migrations (
		component TEXT PRIMARY KEY,
		version   INTEGER NOT NULL
	);
INSERT INTO "cloakroom_migrations" VALUES('session',1);
INSERT INTO "cloakroom_migrations" VALUES('account',1);
CREATE TABLE cloakroom_passwords (
	account TEXT PRIMARY KEY REFERENCES cloakroom_accounts (id) ON DELETE CASCADE,
	hash    TEXT NOT NULL -- a PHC string
) STRICT, WITHOUT ROWID;
INSERT INTO "cloakroom_passwords" VALUES('01a2305f-f3e8-7c03-b6fa-3e2506a13971','$argon2id$v=19$m=19456,t=2,p=1$3JQJ1+0kmqcx3CNxNFbFxQ$3zi/VLHYxhH5uloA2ovapB9Dmj7ZzKCuHxbe/fSw+i8');
INSERT INTO "cloakroom_passwords" VALUES('01a2305f-f424-792e-8e1f-d1efef662043','$argon2id$v=19$m=19456,t=2,p=1$4d/YTzQ3eZmsw45YReKGVw$ogxPQFycMfEzEKw5COy810zzNXV+8zfl5+PiAqWHT84');
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
INSERT INTO "cloakroom_sessions" VALUES(1,X'7704559FBD7AF624B705BEA75B998AE3',X'97426E1ADDF186B3CA3E252EDCDF66E43A4BAA403F54BE505EC059287A134B53',1,1,1,1796107924,1796107924,1796107924,1796712724,1798699924,604800,1,1,0,'curl/7.88.1','127.0.0.1','',NULL);
INSERT INTO "cloakroom_sessions" VALUES(2,X'6B3F14DFC4DDDB5811A193E6E8C16280',X'9A481E1FAB113CADCD427C4BA527B6E128A2A6F74C2AFEBBF95E5374FF91936C',2,1,1,1796107924,1796107924,1796107924,1796712724,1798699924,604800,1,1,0,'curl/7.88.1','127.0.0.1','',NULL);
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
INSERT INTO "cloakroom_subjects" VALUES(1,'01a2305f-f3e8-7c03-b6fa-3e2506a13971',1,2,0,'Ada','ada@example.com',0,'','');
INSERT INTO "cloakroom_subjects" VALUES(2,'01a2305f-f424-792e-8e1f-d1efef662043',1,3,0,'Eve','eve@example.com',0,'','');
CREATE INDEX cloakroom_sessions_of_subject
    ON cloakroom_sessions (subject, epoch, created, id) WHERE ended IS NULL;
COMMIT;
