-- Custody: what devices sent, in the order of the log. Append-only.

CREATE TABLE record (
    log_index INTEGER NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    device BLOB NOT NULL CONSTRAINT record_of_device REFERENCES device (device),
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    -- Null for acts outside a visit.
    inspection BLOB,
    -- The signed bytes as the device made them.
    bytes BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    CONSTRAINT record_hash UNIQUE (hash),
    CONSTRAINT record_device_seq UNIQUE (device, seq)
) STRICT;
CREATE INDEX record_by_inspection ON record (inspection, device, seq) WHERE inspection IS NOT NULL;

-- Hash of the perfect subtree over leaves idx << level .. (idx + 1) << level.
CREATE TABLE log_node (
    level INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;

-- A device signed two records for one place: the held one stands in `record`, the other here.
CREATE TABLE fork (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    device BLOB NOT NULL CONSTRAINT fork_of_device REFERENCES device (device),
    seq INTEGER NOT NULL,
    -- Hash that stands at this seq in `record`; null for what follows the fork.
    held BLOB,
    bytes BLOB NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;

-- What an enrolled device sent and nobody can attribute; kept with the reason.
CREATE TABLE quarantine (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    device BLOB NOT NULL CONSTRAINT quarantine_of_device REFERENCES device (device),
    reason TEXT NOT NULL,
    bytes BLOB NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;
CREATE INDEX quarantine_by_device ON quarantine (device);

CREATE TRIGGER record_is_never_changed BEFORE UPDATE ON record
BEGIN SELECT RAISE(ABORT, 'record is append-only'); END;
CREATE TRIGGER record_is_never_deleted BEFORE DELETE ON record
BEGIN SELECT RAISE(ABORT, 'record is append-only'); END;
CREATE TRIGGER log_node_is_never_changed BEFORE UPDATE ON log_node
BEGIN SELECT RAISE(ABORT, 'log_node is append-only'); END;
CREATE TRIGGER log_node_is_never_deleted BEFORE DELETE ON log_node
BEGIN SELECT RAISE(ABORT, 'log_node is append-only'); END;
CREATE TRIGGER fork_is_never_changed BEFORE UPDATE ON fork
BEGIN SELECT RAISE(ABORT, 'fork is append-only'); END;
CREATE TRIGGER fork_is_never_deleted BEFORE DELETE ON fork
BEGIN SELECT RAISE(ABORT, 'fork is append-only'); END;
