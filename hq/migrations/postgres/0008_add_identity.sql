-- Whose log this is: a store that is opened with other keys would sign another log over its
-- records.
CREATE TABLE identity (
    -- Public key of the log.
    log_key BYTEA NOT NULL PRIMARY KEY CHECK (length(log_key) = 32)
);
