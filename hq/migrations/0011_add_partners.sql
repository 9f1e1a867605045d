-- Who works with whom, what a case is, who brought what, and what was closed.

-- A chain without its records: what an audit compares.
CREATE UNIQUE INDEX record_chain ON record (device, seq, hash);

-- Which visit carries out which assignment.
CREATE TABLE visit (
    inspection BLOB NOT NULL PRIMARY KEY CHECK (length(inspection) = 16),
    assignment BLOB NOT NULL CHECK (length(assignment) = 16)
) STRICT;
CREATE INDEX visit_by_assignment ON visit (assignment);

-- Devices that share an assignment or a visit: each is told what the others send of it.
CREATE TABLE sharing (
    -- Id of the assignment or the visit.
    scope BLOB NOT NULL CHECK (length(scope) = 16),
    device BLOB NOT NULL CHECK (length(device) = 16),
    PRIMARY KEY (scope, device)
) STRICT;

-- Which records tell a case.
CREATE TABLE case_record (
    case_id BLOB NOT NULL CHECK (length(case_id) = 16),
    log_index INTEGER NOT NULL,
    PRIMARY KEY (case_id, log_index)
) STRICT;

-- The case as folded from them; made anew with each record of it.
CREATE TABLE case_state (
    case_id BLOB NOT NULL PRIMARY KEY CHECK (length(case_id) = 16),
    -- Canonical CBOR of the state.
    state BLOB NOT NULL,
    -- How many questions are open, for example a possible double penalty.
    reviews INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- Records that another device brought.
CREATE TABLE custody (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    brought_by BLOB NOT NULL CONSTRAINT custody_device REFERENCES device (device),
    brought_at INTEGER NOT NULL
) STRICT;

-- Records whose signature holds and before which others are missing; they wait here.
CREATE TABLE early_record (
    device BLOB NOT NULL CONSTRAINT early_record_device REFERENCES device (device),
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    bytes BLOB NOT NULL,
    brought_by BLOB NOT NULL,
    brought_at INTEGER NOT NULL,
    PRIMARY KEY (device, seq, hash)
) STRICT;

-- What devices stated at the close of a day.
CREATE TABLE day_statement (
    device BLOB NOT NULL CONSTRAINT day_statement_device REFERENCES device (device),
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    -- The legal date, as the device's clock stood.
    stated_on TEXT NOT NULL,
    stated_at INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    head BLOB NOT NULL CHECK (length(head) = 32),
    blobs INTEGER NOT NULL,
    blob_bytes INTEGER NOT NULL,
    PRIMARY KEY (device, seq, hash)
) STRICT;

-- What somebody has to look into: raised once for each place.
CREATE TABLE alarm (
    device BLOB NOT NULL CONSTRAINT alarm_device REFERENCES device (device),
    kind TEXT NOT NULL CONSTRAINT alarm_kind CHECK (kind IN ('fork', 'rollback', 'healed')),
    seq INTEGER NOT NULL,
    raised_at INTEGER NOT NULL,
    PRIMARY KEY (device, kind, seq)
) STRICT;
