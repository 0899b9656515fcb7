-- Agreements with key management services: whom we may ask for keys, and how.
CREATE TABLE kms (
	number INTEGER PRIMARY KEY AUTOINCREMENT,
	identity TEXT NOT NULL UNIQUE,
	url TEXT NOT NULL,
	ca TEXT NOT NULL,
	cert TEXT NOT NULL,
	key_file TEXT NOT NULL,
	roaming_partner INTEGER NOT NULL,
	network_default INTEGER NOT NULL,
	added INTEGER NOT NULL,
	salt BLOB NOT NULL
);

-- The domains ('home') and single users ('user') that an agreement binds to its KMS.
CREATE TABLE kms_binding (
	kms INTEGER NOT NULL REFERENCES kms (number) ON DELETE CASCADE,
	kind TEXT NOT NULL CHECK (kind IN ('home', 'user')),
	place INTEGER NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (kms, kind, place)
);
