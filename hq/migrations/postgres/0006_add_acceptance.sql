-- What HQ found when it looked at records, and the projections that looking needs.

-- The device is known from its signed request; no foreign key, as in `record`.
CREATE TABLE acceptance (
    record BYTEA NOT NULL PRIMARY KEY CHECK (length(record) = 32),
    device BYTEA NOT NULL CHECK (length(device) = 16),
    seq BIGINT NOT NULL,
    accepted BIGINT NOT NULL CONSTRAINT acceptance_accepted CHECK (accepted IN (0, 1)),
    -- Canonical CBOR of the findings.
    findings BYTEA NOT NULL,
    judged_at BIGINT NOT NULL
);

-- Who unlocked which device from when to when.
CREATE TABLE presence (
    officer BYTEA NOT NULL,
    device BYTEA NOT NULL,
    shift BYTEA NOT NULL,
    from_at BIGINT NOT NULL,
    -- Null until the end of the shift arrived.
    to_at BIGINT,
    PRIMARY KEY (officer, device, shift)
);
CREATE INDEX presence_by_shift ON presence (device, shift);

-- Which document carries which number.
CREATE TABLE document_number (
    document_number TEXT NOT NULL,
    document BYTEA NOT NULL,
    device BYTEA NOT NULL,
    PRIMARY KEY (document_number, document)
);
