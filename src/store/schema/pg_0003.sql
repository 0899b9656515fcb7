-- Which store this is: 128 random bits, drawn once (a UUID has 122, so that two are mixed).
CREATE TABLE store_identity (id TEXT COLLATE "C" NOT NULL CHECK (length(id) = 32));
INSERT INTO store_identity (id) VALUES
	(left(encode(sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')), 'hex'), 32));
CREATE TRIGGER identity_one BEFORE INSERT ON store_identity
	FOR EACH ROW EXECUTE FUNCTION refuse('a store has one identity');
CREATE TRIGGER identity_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON store_identity
	EXECUTE FUNCTION refuse('the identity of a store is never changed');

-- Who listens hears, when it is committed, that something changed; not what.
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_catalog.pg_notify('otway_changed', '');
	RETURN NULL;
END $$;
CREATE TRIGGER agency_tells AFTER INSERT OR UPDATE OR DELETE ON agency EXECUTE FUNCTION tell();
CREATE TRIGGER warrant_tells AFTER INSERT OR UPDATE OR DELETE ON warrant EXECUTE FUNCTION tell();
CREATE TRIGGER target_tells AFTER INSERT OR UPDATE OR DELETE ON warrant_target EXECUTE FUNCTION tell();
CREATE TRIGGER kms_tells AFTER INSERT OR UPDATE OR DELETE ON kms EXECUTE FUNCTION tell();
CREATE TRIGGER binding_tells AFTER INSERT OR UPDATE OR DELETE ON kms_binding EXECUTE FUNCTION tell();

-- What the roles of deploy/postgresql.sql may do, those of them that are there. Nobody but the owner does anything else.
CREATE FUNCTION grant_rights() RETURNS void LANGUAGE plpgsql SET search_path = otway, pg_temp AS $$
BEGIN
	REVOKE ALL ON ALL TABLES IN SCHEMA otway FROM PUBLIC;
	REVOKE ALL ON ALL FUNCTIONS IN SCHEMA otway FROM PUBLIC;
	IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'otway_reader') THEN
		GRANT USAGE ON SCHEMA otway TO otway_reader;
		GRANT SELECT ON ALL TABLES IN SCHEMA otway TO otway_reader;
	END IF;
	IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'otway_writer') THEN
		GRANT USAGE ON SCHEMA otway TO otway_writer;
		GRANT INSERT ON agency, agency_deliver, warrant, warrant_target, kms, kms_binding TO otway_writer;
		GRANT UPDATE (ends, until_entered, authority, revoked, revoked_reason) ON warrant TO otway_writer;
		GRANT DELETE ON agency, kms TO otway_writer;
	END IF;
	IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'otway_appender') THEN
		GRANT USAGE ON SCHEMA otway TO otway_appender;
		GRANT SELECT ON schema_version, store_identity TO otway_appender;
		GRANT SELECT (number, hash) ON audit TO otway_appender;
		GRANT INSERT ON audit, warrant_change TO otway_appender;
	END IF;
END $$;
SELECT grant_rights();
