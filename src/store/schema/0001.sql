-- Agencies, warrants and their changes, and the audit trail. Numbers are local and never reused (AUTOINCREMENT).
-- Times are nanoseconds since 1970 UTC, but those of the trail: text, exactly as hashed.

CREATE TABLE schema_version (version INTEGER NOT NULL);

CREATE TABLE agency (
	number INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE,
	country TEXT NOT NULL,
	added INTEGER NOT NULL
);

CREATE TABLE agency_deliver (
	agency INTEGER NOT NULL REFERENCES agency (number) ON DELETE CASCADE,
	place INTEGER NOT NULL,
	destination TEXT NOT NULL,
	PRIMARY KEY (agency, place)
);

-- salt keeps the hash of a warrant's content, which leaves in audit exports, from being guessed backwards.
CREATE TABLE warrant (
	number INTEGER PRIMARY KEY AUTOINCREMENT,
	liid TEXT NOT NULL UNIQUE,
	agency INTEGER NOT NULL REFERENCES agency (number),
	authority TEXT NOT NULL,
	scope TEXT NOT NULL,
	diverted TEXT NOT NULL,
	trust_from INTEGER NOT NULL,
	starts INTEGER NOT NULL,
	ends INTEGER NOT NULL,
	from_entered TEXT NOT NULL,
	until_entered TEXT NOT NULL,
	document TEXT,
	document_sha256 BLOB,
	added INTEGER NOT NULL,
	revoked INTEGER,
	revoked_reason TEXT,
	salt BLOB NOT NULL,
	CHECK (starts < ends),
	CHECK ((document IS NULL) = (document_sha256 IS NULL)),
	CHECK ((revoked IS NULL) = (revoked_reason IS NULL))
);
CREATE INDEX warrant_of_agency ON warrant (agency);

CREATE TABLE warrant_target (
	warrant INTEGER NOT NULL REFERENCES warrant (number),
	place INTEGER NOT NULL,
	uri TEXT NOT NULL,
	PRIMARY KEY (warrant, place)
);

CREATE TABLE warrant_change (
	number INTEGER PRIMARY KEY AUTOINCREMENT,
	warrant INTEGER NOT NULL REFERENCES warrant (number),
	at INTEGER NOT NULL,
	actor TEXT NOT NULL,
	act TEXT NOT NULL,
	field TEXT NOT NULL,
	before TEXT,
	after TEXT
);
CREATE INDEX warrant_change_of ON warrant_change (warrant, number);

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

-- The trail grows at its end and nowhere else; a revoked warrant is closed for good; history is not rewritten.
CREATE TRIGGER audit_grows BEFORE INSERT ON audit
WHEN NEW.number <> (SELECT COALESCE(MAX(number), 0) + 1 FROM audit)
BEGIN SELECT RAISE(ABORT, 'the audit trail grows at its end only'); END;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is never changed'); END;
CREATE TRIGGER audit_keeps BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is never cut'); END;
CREATE TRIGGER change_stays BEFORE UPDATE ON warrant_change
BEGIN SELECT RAISE(ABORT, 'the history of a warrant is never changed'); END;
CREATE TRIGGER change_keeps BEFORE DELETE ON warrant_change
BEGIN SELECT RAISE(ABORT, 'the history of a warrant is never cut'); END;
CREATE TRIGGER warrant_closed BEFORE UPDATE ON warrant WHEN OLD.revoked IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a revoked warrant is never changed'); END;
CREATE TRIGGER warrant_keeps BEFORE DELETE ON warrant
BEGIN SELECT RAISE(ABORT, 'a warrant is never deleted'); END;
CREATE TRIGGER target_stays BEFORE UPDATE ON warrant_target
BEGIN SELECT RAISE(ABORT, 'the targets of a warrant are never changed'); END;
CREATE TRIGGER target_keeps BEFORE DELETE ON warrant_target
BEGIN SELECT RAISE(ABORT, 'the targets of a warrant are never changed'); END;
