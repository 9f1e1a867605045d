-- People at HQ, what they read, and what they ruled.

CREATE TABLE account (
    name TEXT NOT NULL PRIMARY KEY,
    role TEXT NOT NULL CONSTRAINT account_role CHECK (
        role IN ('officer', 'leader', 'reviewer', 'supervisor', 'administrator')),
    -- Whose cases: of this authority; null for every one.
    authority TEXT,
    -- Whose cases: of this officer; for the role of that name.
    officer BLOB CONSTRAINT account_officer REFERENCES officer (officer),
    -- Argon2id: memory in KiB, passes, salt and result.
    memory_kib INTEGER NOT NULL,
    passes INTEGER NOT NULL,
    salt BLOB NOT NULL CHECK (length(salt) = 16),
    verifier BLOB NOT NULL CHECK (length(verifier) = 32),
    -- Wrong passwords in a row, and when the last one was given.
    failures INTEGER NOT NULL DEFAULT 0,
    failed_at INTEGER NOT NULL DEFAULT 0,
    disabled_at INTEGER
) STRICT;

CREATE TABLE login (
    -- Hash of the token that whoever logged in holds.
    token BLOB NOT NULL PRIMARY KEY CHECK (length(token) = 32),
    account TEXT NOT NULL CONSTRAINT login_account REFERENCES account (name),
    -- Why he came, in his words.
    purpose TEXT NOT NULL,
    begun_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL
) STRICT;

-- Every read of personal data, each naming the one before it.
CREATE TABLE read_audit (
    seq INTEGER NOT NULL PRIMARY KEY,
    -- SHA-256 of the bytes.
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    -- Canonical CBOR of the entry.
    bytes BLOB NOT NULL
) STRICT;
CREATE TRIGGER read_audit_is_never_changed BEFORE UPDATE ON read_audit
BEGIN SELECT RAISE(ABORT, 'the audit of reads is append-only'); END;
CREATE TRIGGER read_audit_is_never_deleted BEFORE DELETE ON read_audit
BEGIN SELECT RAISE(ABORT, 'the audit of reads is append-only'); END;

-- What a legal reviewer ruled on the questions of a case.
CREATE TABLE ruling (
    case_id BLOB NOT NULL CHECK (length(case_id) = 16),
    -- How many questions the case had: one more opens it again.
    reviews INTEGER NOT NULL,
    account TEXT NOT NULL CONSTRAINT ruling_account REFERENCES account (name),
    text TEXT NOT NULL,
    ruled_at INTEGER NOT NULL,
    PRIMARY KEY (case_id, reviews)
) STRICT;
CREATE TRIGGER ruling_is_never_changed BEFORE UPDATE ON ruling
BEGIN SELECT RAISE(ABORT, 'rulings are append-only'); END;
CREATE TRIGGER ruling_is_never_deleted BEFORE DELETE ON ruling
BEGIN SELECT RAISE(ABORT, 'rulings are append-only'); END;
