-- Officers, devices, one-time codes; records and the log over them; files; the feed.

CREATE TABLE officer (
    officer BLOB NOT NULL PRIMARY KEY CHECK (length(officer) = 16),
    name TEXT NOT NULL,
    kind TEXT NOT NULL CONSTRAINT officer_kind CHECK (kind IN ('officer', 'auxiliary')),
    certificate_number TEXT NOT NULL,
    authority TEXT NOT NULL,
    authority_name TEXT NOT NULL,
    valid_from_at INTEGER NOT NULL,
    valid_to_at INTEGER NOT NULL,
    CONSTRAINT officer_certificate_number UNIQUE (certificate_number)
) STRICT;

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

CREATE TABLE device (
    device BLOB NOT NULL PRIMARY KEY CHECK (length(device) = 16),
    name TEXT NOT NULL,
    authority TEXT NOT NULL,
    key BLOB NOT NULL CHECK (length(key) = 32),
    certificate BLOB NOT NULL,
    enrolled_at INTEGER NOT NULL,
    -- Null while the device may send.
    revoked_at INTEGER,
    CONSTRAINT device_key UNIQUE (key)
) STRICT;

CREATE TABLE officer_key (
    key BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    officer BLOB NOT NULL CONSTRAINT officer_key_officer REFERENCES officer (officer),
    device BLOB NOT NULL CONSTRAINT officer_key_device REFERENCES device (device),
    credential BLOB NOT NULL,
    activated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX officer_key_by_officer ON officer_key (officer);
