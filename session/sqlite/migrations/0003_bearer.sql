-- How the session's token travels: in a cookie, or in the Authorization header.
ALTER TABLE cloakroom_sessions ADD COLUMN bearer INTEGER NOT NULL DEFAULT 0;
