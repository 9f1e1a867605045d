-- Whose log this is: a store that is opened with other keys would sign another log over its
-- records.
CREATE TABLE identity (
    -- Public key of the log.
    log_key BLOB NOT NULL PRIMARY KEY CHECK (length(log_key) = 32)
) STRICT;

-- The bytes of the records by themselves: where records are many, they lie apart from what is
-- looked up.
CREATE VIEW record_body AS SELECT log_index, bytes FROM record;
