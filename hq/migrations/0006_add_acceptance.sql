-- What HQ found when it looked at records, and the projections that looking needs.

CREATE TABLE acceptance (
    record BLOB NOT NULL PRIMARY KEY CHECK (length(record) = 32),
    device BLOB NOT NULL CONSTRAINT acceptance_device REFERENCES device (device),
    seq INTEGER NOT NULL,
    accepted INTEGER NOT NULL CONSTRAINT acceptance_accepted CHECK (accepted IN (0, 1)),
    -- Canonical CBOR of the findings.
    findings BLOB NOT NULL,
    judged_at INTEGER NOT NULL
) STRICT;

-- Who unlocked which device from when to when.
CREATE TABLE presence (
    officer BLOB NOT NULL,
    device BLOB NOT NULL,
    shift BLOB NOT NULL,
    from_at INTEGER NOT NULL,
    -- Null until the end of the shift arrived.
    to_at INTEGER,
    PRIMARY KEY (officer, device, shift)
) STRICT, WITHOUT ROWID;
CREATE INDEX presence_by_shift ON presence (device, shift);

-- Which document carries which number.
CREATE TABLE document_number (
    document_number TEXT NOT NULL,
    document BLOB NOT NULL,
    device BLOB NOT NULL,
    PRIMARY KEY (document_number, document)
) STRICT, WITHOUT ROWID;
