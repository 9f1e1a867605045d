-- Every status list that HQ signed, by its number; the newest holds.

CREATE TABLE status_list (
    number INTEGER NOT NULL PRIMARY KEY,
    issued_at INTEGER NOT NULL,
    -- Signed bytes.
    bytes BLOB NOT NULL
) STRICT;

CREATE TRIGGER status_list_is_never_changed BEFORE UPDATE ON status_list
BEGIN SELECT RAISE(ABORT, 'status lists are append-only'); END;
CREATE TRIGGER status_list_is_never_deleted BEFORE DELETE ON status_list
BEGIN SELECT RAISE(ABORT, 'status lists are append-only'); END;
