-- A database for otway's warrants, and who may do what in it. To be run by a superuser, as often as one likes:
--
--     createdb --encoding=UTF8 --template=template0 otway
--     psql --dbname=otway --file=deploy/postgresql.sql
--
-- Then, once and after each new version, otway makes or renews its tables as their owner:
--
--     otway --store 'postgresql://otway_owner@/otway?host=/run/postgresql' agency add …
--
-- Roles. The owner alone logs in (by peer authentication, a password or a certificate, as pg_hba.conf says) and owns the tables;
-- nothing that runs from day to day is the owner. The other three are given to the users that do:
--
--     otway_reader    reads everything, changes nothing
--     otway_writer    enters agencies, warrants and agreements with KMSs; extends and revokes warrants
--     otway_appender  appends to the history of warrants and to the audit trail; sees no warrant
--
--     who                                          needs
--     warrant list, audit export, audit verify     otway_reader
--     decrypt, run (each act goes to the trail)    otway_reader, otway_appender
--     agency, warrant, kms: add, extend, revoke    otway_reader, otway_appender, otway_writer
--
--     CREATE ROLE alice LOGIN; GRANT otway_reader, otway_appender, otway_writer TO alice;
--     CREATE ROLE otway_run LOGIN; GRANT otway_reader, otway_appender TO otway_run;
--
-- That the trail only grows, that history stays and a revoked warrant is closed is kept by triggers of the tables, for the owner too
-- until he takes them off; that he did, a trail whose head is kept elsewhere tells (otway audit verify --head).
--
-- The server's log tells of a statement that failed, not of the values in it. Backups are as secret as the warrants they hold.

DO $$
DECLARE
	one text;
BEGIN
	FOREACH one IN ARRAY ARRAY['otway_owner', 'otway_reader', 'otway_writer', 'otway_appender'] LOOP
		IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = one) THEN
			EXECUTE format('CREATE ROLE %I %s NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', one,
				CASE one WHEN 'otway_owner' THEN 'LOGIN' ELSE 'NOLOGIN' END);
		END IF;
	END LOOP;
	EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
	EXECUTE format('GRANT CONNECT ON DATABASE %I TO otway_owner, otway_reader, otway_writer, otway_appender',
		current_database());
	EXECUTE format('ALTER DATABASE %I SET log_error_verbosity = terse', current_database());
	EXECUTE format('ALTER DATABASE %I SET log_statement = none', current_database());
	EXECUTE format('ALTER DATABASE %I SET log_parameter_max_length = 0', current_database());
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'otway') THEN
		CREATE SCHEMA otway AUTHORIZATION otway_owner;
	END IF;
	IF EXISTS (SELECT FROM pg_catalog.pg_proc WHERE proname = 'grant_rights' AND pronamespace = 'otway'::regnamespace) THEN
		PERFORM otway.grant_rights(); -- tables that were there before their roles
	END IF;
END $$;
