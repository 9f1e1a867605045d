-- Files that records cite.

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
