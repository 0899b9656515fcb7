-- Agreements with key management services: whom we may ask for keys, and how.
CREATE TABLE kms (
	number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	identity TEXT COLLATE "C" NOT NULL UNIQUE,
	url TEXT COLLATE "C" NOT NULL,
	ca TEXT COLLATE "C" NOT NULL,
	cert TEXT COLLATE "C" NOT NULL,
	key_file TEXT COLLATE "C" NOT NULL,
	roaming_partner BIGINT NOT NULL,
	network_default BIGINT NOT NULL,
	added BIGINT NOT NULL,
	salt BYTEA NOT NULL
);

-- The domains ('home') and single users ('user') that an agreement binds to its KMS.
CREATE TABLE kms_binding (
	kms BIGINT NOT NULL REFERENCES kms (number) ON DELETE CASCADE,
	kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('home', 'user')),
	place BIGINT NOT NULL,
	value TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (kms, kind, place)
);
