-- Objects beside the database: parts of files, the archive, witnesses, and how far all this has come.

-- Parts of files that are not whole yet; each is an object of its own, durable before it stands here.
CREATE TABLE blob_part (
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    -- Offset of its first byte in the file.
    start INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    -- SHA-256 of the part.
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    noted_at INTEGER NOT NULL,
    PRIMARY KEY (sha256, start)
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_part_by_age ON blob_part (noted_at);

-- What an administrator set.
CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- How far background work has come; a value only rises.
CREATE TABLE progress (
    name TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Which of several processes does which background work, and until when.
CREATE TABLE duty (
    name TEXT NOT NULL PRIMARY KEY,
    holder BLOB NOT NULL,
    until_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Logs of others that this HQ watches as a witness.
CREATE TABLE watched_log (
    origin TEXT NOT NULL PRIMARY KEY,
    key BLOB NOT NULL CHECK (length(key) = 32),
    -- The newest checkpoint it cosigned.
    size INTEGER NOT NULL,
    root BLOB NOT NULL CHECK (length(root) = 32)
) STRICT, WITHOUT ROWID;

-- Who watches this HQ's log.
CREATE TABLE witness (
    name TEXT NOT NULL PRIMARY KEY,
    key BLOB NOT NULL CHECK (length(key) = 32),
    url TEXT NOT NULL,
    -- Size of the newest checkpoint that it cosigned.
    size INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE cosignature (
    size INTEGER NOT NULL,
    witness TEXT NOT NULL CONSTRAINT cosignature_witness REFERENCES witness (name),
    -- The signature line as the witness gave it.
    line TEXT NOT NULL,
    cosigned_at INTEGER NOT NULL,
    PRIMARY KEY (size, witness)
) STRICT, WITHOUT ROWID;

-- Whole files that are not in the archive yet.
CREATE TABLE archive_blob (
    sha256 BLOB NOT NULL PRIMARY KEY CHECK (length(sha256) = 32),
    bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Citations whose file is not in the archive yet: a device's records are archived before the first.
CREATE TABLE archive_wanted (
    device BLOB NOT NULL,
    log_index INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    PRIMARY KEY (device, log_index, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX archive_wanted_by_sha256 ON archive_wanted (sha256);

-- Records in the archive, in the order of the log.
CREATE TABLE archive_pack (
    first INTEGER NOT NULL PRIMARY KEY,
    count INTEGER NOT NULL,
    -- SHA-256 of the pack as it lies there.
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    bytes INTEGER NOT NULL,
    archived_at INTEGER NOT NULL
) STRICT;

INSERT INTO archive_blob (sha256, bytes) SELECT sha256, bytes FROM blob;
INSERT INTO archive_wanted (device, log_index, sha256)
    SELECT device, log_index, sha256 FROM blob_citation;
