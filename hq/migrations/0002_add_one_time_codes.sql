-- One-time codes; a code itself is never stored, only its hash.

CREATE TABLE enrollment (
    -- SHA-256 of the one-time code; the code itself is never stored.
    code BLOB NOT NULL PRIMARY KEY CHECK (length(code) = 32),
    authority TEXT NOT NULL,
    device_name TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    -- Null until a device used the code.
    used_by BLOB CONSTRAINT enrollment_device REFERENCES device (device)
) STRICT;

CREATE TABLE enrollment_item (
    enrollment BLOB NOT NULL CONSTRAINT enrollment_item_code REFERENCES enrollment (code),
    ordinal INTEGER NOT NULL,
    -- Canonical CBOR of what the device gets in its feed as soon as it is enrolled.
    prepared BLOB NOT NULL,
    PRIMARY KEY (enrollment, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE activation (
    code BLOB NOT NULL PRIMARY KEY CHECK (length(code) = 32),
    enrollment BLOB NOT NULL CONSTRAINT activation_enrollment REFERENCES enrollment (code),
    officer BLOB NOT NULL CONSTRAINT activation_officer REFERENCES officer (officer),
    expires_at INTEGER NOT NULL,
    -- Null until the officer brought a key.
    used_key BLOB CHECK (used_key IS NULL OR length(used_key) = 32)
) STRICT;
CREATE INDEX activation_by_enrollment ON activation (enrollment);
