-- Devices, officers and the keys they brought.

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

CREATE TABLE officer (
    officer BLOB NOT NULL PRIMARY KEY CHECK (length(officer) = 16),
    name TEXT NOT NULL,
    kind TEXT NOT NULL CONSTRAINT officer_kind CHECK (kind IN ('officer', 'auxiliary')),
    certificate_number TEXT NOT NULL,
    authority TEXT NOT NULL,
    authority_name TEXT NOT NULL,
    valid_from_at INTEGER NOT NULL,
    valid_to_at INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT 'active' CONSTRAINT officer_status
        CHECK (status IN ('active', 'suspended', 'cancelled', 'lost')),
    CONSTRAINT officer_certificate_number UNIQUE (certificate_number)
) STRICT;

CREATE TABLE officer_key (
    key BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    officer BLOB NOT NULL CONSTRAINT officer_key_officer REFERENCES officer (officer),
    device BLOB NOT NULL CONSTRAINT officer_key_device REFERENCES device (device),
    activated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX officer_key_by_officer ON officer_key (officer);
CREATE INDEX officer_key_by_device ON officer_key (device);

-- Every credential ever issued: a record may cite one that was renewed since.
CREATE TABLE credential (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    key BLOB NOT NULL CONSTRAINT credential_key REFERENCES officer_key (key),
    bytes BLOB NOT NULL,
    issued_at INTEGER NOT NULL
) STRICT;
CREATE INDEX credential_by_key ON credential (key, issued_at);
