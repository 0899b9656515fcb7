-- Agencies, warrants and their changes, and the audit trail, in a schema of their own. Numbers are local and never reused.
-- Times are nanoseconds since 1970 UTC, but those of the trail: text, exactly as hashed. Text is ordered by its octets.

DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'otway') THEN
		CREATE SCHEMA otway;
	END IF;
END $$;

-- application: "otwy", what marks it as a store of warrants.
CREATE TABLE schema_version (
	version BIGINT NOT NULL,
	application BIGINT NOT NULL DEFAULT 1869903737
);

CREATE TABLE agency (
	number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name TEXT COLLATE "C" NOT NULL UNIQUE,
	country TEXT COLLATE "C" NOT NULL,
	added BIGINT NOT NULL
);

CREATE TABLE agency_deliver (
	agency BIGINT NOT NULL REFERENCES agency (number) ON DELETE CASCADE,
	place BIGINT NOT NULL,
	destination TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (agency, place)
);

-- salt keeps the hash of a warrant's content, which leaves in audit exports, from being guessed backwards.
CREATE TABLE warrant (
	number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	liid TEXT COLLATE "C" NOT NULL UNIQUE,
	agency BIGINT NOT NULL REFERENCES agency (number),
	authority TEXT COLLATE "C" NOT NULL,
	scope TEXT COLLATE "C" NOT NULL,
	diverted TEXT COLLATE "C" NOT NULL,
	trust_from BIGINT NOT NULL,
	starts BIGINT NOT NULL,
	ends BIGINT NOT NULL,
	from_entered TEXT COLLATE "C" NOT NULL,
	until_entered TEXT COLLATE "C" NOT NULL,
	document TEXT COLLATE "C",
	document_sha256 BYTEA,
	added BIGINT NOT NULL,
	revoked BIGINT,
	revoked_reason TEXT COLLATE "C",
	salt BYTEA NOT NULL,
	CHECK (starts < ends),
	CHECK ((document IS NULL) = (document_sha256 IS NULL)),
	CHECK ((revoked IS NULL) = (revoked_reason IS NULL))
);
CREATE INDEX warrant_of_agency ON warrant (agency);

CREATE TABLE warrant_target (
	warrant BIGINT NOT NULL REFERENCES warrant (number),
	place BIGINT NOT NULL,
	uri TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (warrant, place)
);

CREATE TABLE warrant_change (
	number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	warrant BIGINT NOT NULL REFERENCES warrant (number),
	at BIGINT NOT NULL,
	actor TEXT COLLATE "C" NOT NULL,
	act TEXT COLLATE "C" NOT NULL,
	field TEXT COLLATE "C" NOT NULL,
	before TEXT COLLATE "C",
	after TEXT COLLATE "C"
);
CREATE INDEX warrant_change_of ON warrant_change (warrant, number);

CREATE TABLE audit (
	number BIGINT PRIMARY KEY,
	at TEXT COLLATE "C" NOT NULL,
	actor TEXT COLLATE "C" NOT NULL,
	act TEXT COLLATE "C" NOT NULL,
	subject TEXT COLLATE "C" NOT NULL,
	detail TEXT COLLATE "C" NOT NULL,
	before TEXT COLLATE "C" NOT NULL CHECK (length(before) = 64),
	hash TEXT COLLATE "C" NOT NULL CHECK (length(hash) = 64)
);
CREATE INDEX audit_of ON audit (subject, number);

-- The trail grows at its end and nowhere else; a revoked warrant is closed for good; history is not rewritten. The primary key
-- keeps two writers from both being the end, whatever locks they forgot.
CREATE FUNCTION audit_end() RETURNS trigger LANGUAGE plpgsql SET search_path = otway, pg_temp AS $$
BEGIN
	IF NEW.number <> (SELECT COALESCE(MAX(number), 0) + 1 FROM audit) THEN
		RAISE EXCEPTION 'the audit trail grows at its end only';
	END IF;
	RETURN NEW;
END $$;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION '%', TG_ARGV[0];
END $$;

CREATE TRIGGER audit_grows BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_end();
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
	FOR EACH ROW EXECUTE FUNCTION refuse('the audit trail is never changed');
CREATE TRIGGER audit_keeps BEFORE DELETE ON audit
	FOR EACH ROW EXECUTE FUNCTION refuse('the audit trail is never cut');
CREATE TRIGGER audit_keeps_all BEFORE TRUNCATE ON audit EXECUTE FUNCTION refuse('the audit trail is never cut');
CREATE TRIGGER change_stays BEFORE UPDATE ON warrant_change
	FOR EACH ROW EXECUTE FUNCTION refuse('the history of a warrant is never changed');
CREATE TRIGGER change_keeps BEFORE DELETE ON warrant_change
	FOR EACH ROW EXECUTE FUNCTION refuse('the history of a warrant is never cut');
CREATE TRIGGER change_keeps_all BEFORE TRUNCATE ON warrant_change
	EXECUTE FUNCTION refuse('the history of a warrant is never cut');
CREATE TRIGGER warrant_closed BEFORE UPDATE ON warrant
	FOR EACH ROW WHEN (OLD.revoked IS NOT NULL) EXECUTE FUNCTION refuse('a revoked warrant is never changed');
CREATE TRIGGER warrant_keeps BEFORE DELETE ON warrant
	FOR EACH ROW EXECUTE FUNCTION refuse('a warrant is never deleted');
CREATE TRIGGER warrant_keeps_all BEFORE TRUNCATE ON warrant EXECUTE FUNCTION refuse('a warrant is never deleted');
CREATE TRIGGER target_stays BEFORE UPDATE ON warrant_target
	FOR EACH ROW EXECUTE FUNCTION refuse('the targets of a warrant are never changed');
CREATE TRIGGER target_keeps BEFORE DELETE ON warrant_target
	FOR EACH ROW EXECUTE FUNCTION refuse('the targets of a warrant are never changed');
CREATE TRIGGER target_keeps_all BEFORE TRUNCATE ON warrant_target
	EXECUTE FUNCTION refuse('the targets of a warrant are never changed');
