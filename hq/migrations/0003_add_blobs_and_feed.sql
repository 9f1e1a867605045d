-- Files that records cite, and what HQ tells devices.

CREATE TABLE blob (
    sha256 BLOB NOT NULL PRIMARY KEY CHECK (length(sha256) = 32),
    bytes INTEGER NOT NULL,
    completed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE blob_citation (
    device BLOB NOT NULL CONSTRAINT blob_citation_device REFERENCES device (device),
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    -- Length that the citing record states.
    bytes INTEGER NOT NULL,
    media TEXT NOT NULL,
    -- First record that cites it.
    log_index INTEGER NOT NULL,
    PRIMARY KEY (device, sha256)
) STRICT, WITHOUT ROWID;

-- Cited and not whole yet, in the order in which HQ wants them.
CREATE TABLE blob_wanted (
    device BLOB NOT NULL,
    -- 0 previews and document text, 1 originals, 2 watermarked copies.
    rank INTEGER NOT NULL,
    log_index INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    PRIMARY KEY (device, rank, log_index, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_wanted_by_sha256 ON blob_wanted (sha256);

CREATE TABLE feed (
    idx INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    -- Null is for every device.
    device BLOB CONSTRAINT feed_device REFERENCES device (device),
    kind TEXT NOT NULL,
    bytes BLOB NOT NULL
) STRICT;
CREATE INDEX feed_by_device ON feed (device, idx);

CREATE TABLE rulebook (
    -- SHA-256 of the canonical bytes; envelopes pin it.
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    version INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    issued_at INTEGER NOT NULL,
    CONSTRAINT rulebook_version UNIQUE (version)
) STRICT;

CREATE TABLE number_lease (
    lease BLOB NOT NULL PRIMARY KEY CHECK (length(lease) = 16),
    device BLOB NOT NULL CONSTRAINT number_lease_device REFERENCES device (device),
    authority TEXT NOT NULL,
    word TEXT NOT NULL,
    year INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    CONSTRAINT number_lease_first UNIQUE (word, year, first)
) STRICT;

CREATE TRIGGER feed_is_never_changed BEFORE UPDATE ON feed
BEGIN SELECT RAISE(ABORT, 'feed is append-only'); END;
CREATE TRIGGER feed_is_never_deleted BEFORE DELETE ON feed
BEGIN SELECT RAISE(ABORT, 'feed is append-only'); END;
