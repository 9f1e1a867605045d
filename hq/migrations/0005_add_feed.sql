-- What HQ tells devices.

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
