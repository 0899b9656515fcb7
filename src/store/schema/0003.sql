-- Which store this is: 128 random bits, drawn once.
CREATE TABLE store_identity (id TEXT NOT NULL CHECK (length(id) = 32));
INSERT INTO store_identity (id) VALUES (lower(hex(randomblob(16))));
CREATE TRIGGER identity_one BEFORE INSERT ON store_identity
BEGIN SELECT RAISE(ABORT, 'a store has one identity'); END;
CREATE TRIGGER identity_stays BEFORE UPDATE ON store_identity
BEGIN SELECT RAISE(ABORT, 'the identity of a store is never changed'); END;
CREATE TRIGGER identity_keeps BEFORE DELETE ON store_identity
BEGIN SELECT RAISE(ABORT, 'the identity of a store is never changed'); END;
