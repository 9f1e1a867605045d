-- Files that records cite.

CREATE TABLE blob (
    sha256 BYTEA NOT NULL PRIMARY KEY CHECK (length(sha256) = 32),
    bytes BIGINT NOT NULL,
    completed_at BIGINT NOT NULL
);

-- The device is known from its signed request; no foreign key, as in `record`.
CREATE TABLE blob_citation (
    device BYTEA NOT NULL CHECK (length(device) = 16),
    sha256 BYTEA NOT NULL CHECK (length(sha256) = 32),
    -- Length that the citing record states.
    bytes BIGINT NOT NULL,
    media TEXT NOT NULL,
    -- First record that cites it.
    log_index BIGINT NOT NULL,
    PRIMARY KEY (device, sha256)
);

-- Cited and not whole yet, in the order in which HQ wants them.
CREATE TABLE blob_wanted (
    device BYTEA NOT NULL,
    -- 0 previews and document text, 1 originals, 2 watermarked copies.
    rank BIGINT NOT NULL,
    log_index BIGINT NOT NULL,
    sha256 BYTEA NOT NULL,
    PRIMARY KEY (device, rank, log_index, sha256)
);
CREATE INDEX blob_wanted_by_sha256 ON blob_wanted (sha256);
