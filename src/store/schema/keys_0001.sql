-- What a KMS keeps: keys of legs, what was purged, and its own audit trail. Who called whom, which call and which key are nowhere
-- in clear: identities, Call-IDs and handles are keyed hashes, secrets are sealed. Times are nanoseconds since 1970 UTC, but
-- those of the trail: text, exactly as hashed.

CREATE TABLE schema_version (version INTEGER NOT NULL);

-- Sealed under the key that seals all else: tells whether the key at hand is the right one.
CREATE TABLE proof (sealed BLOB NOT NULL);

CREATE TABLE leg_key (
	number INTEGER PRIMARY KEY AUTOINCREMENT,
	handle BLOB NOT NULL UNIQUE,
	run BLOB,
	call_id BLOB,
	a BLOB,
	b BLOB,
	r BLOB,
	made INTEGER NOT NULL,
	ends INTEGER NOT NULL,
	secret BLOB NOT NULL
);
CREATE INDEX leg_key_of_run ON leg_key (run);
CREATE INDEX leg_key_of_call ON leg_key (call_id);
CREATE INDEX leg_key_of_a ON leg_key (a);
CREATE INDEX leg_key_of_b ON leg_key (b);
CREATE INDEX leg_key_of_r ON leg_key (r);
CREATE INDEX leg_key_end ON leg_key (ends);

-- What a purged key was known by, so that "purged" is not "unknown", for a while.
CREATE TABLE gone (
	mark BLOB NOT NULL,
	until INTEGER NOT NULL
);
CREATE INDEX gone_mark ON gone (mark);
CREATE INDEX gone_until ON gone (until);

CREATE TABLE audit (
	number INTEGER PRIMARY KEY,
	at TEXT NOT NULL,
	actor TEXT NOT NULL,
	act TEXT NOT NULL,
	subject TEXT NOT NULL,
	detail TEXT NOT NULL,
	before TEXT NOT NULL CHECK (length(before) = 64),
	hash TEXT NOT NULL CHECK (length(hash) = 64)
);
CREATE INDEX audit_of ON audit (subject, number);

-- The trail grows at its end and nowhere else.
CREATE TRIGGER audit_grows BEFORE INSERT ON audit
WHEN NEW.number <> (SELECT COALESCE(MAX(number), 0) + 1 FROM audit)
BEGIN SELECT RAISE(ABORT, 'the audit trail grows at its end only'); END;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is never changed'); END;
CREATE TRIGGER audit_keeps BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is never cut'); END;
