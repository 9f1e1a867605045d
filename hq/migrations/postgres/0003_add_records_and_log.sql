-- Custody: what devices sent, in the order of the log. Append-only.
--
-- `record` is narrow and in one piece, so that a hash, a place in a chain and a place in the log
-- are each unique over all records; the bytes lie in `record_body`, in partitions by place.
-- Which device sent a record is known from its signed request; a foreign key would lock the row of
-- the device at every record.

CREATE TABLE record (
    log_index BIGINT NOT NULL PRIMARY KEY,
    hash BYTEA NOT NULL CHECK (length(hash) = 32),
    device BYTEA NOT NULL CHECK (length(device) = 16),
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    -- Null for acts outside a visit.
    inspection BYTEA,
    received_at BIGINT NOT NULL,
    CONSTRAINT record_hash UNIQUE (hash),
    CONSTRAINT record_device_seq UNIQUE (device, seq)
);
CREATE INDEX record_by_inspection ON record (inspection, device, seq) WHERE inspection IS NOT NULL;

CREATE TABLE record_body (
    log_index BIGINT NOT NULL PRIMARY KEY,
    -- The signed bytes as the device made them.
    bytes BYTEA NOT NULL
) PARTITION BY RANGE (log_index);

-- The partitions that there are, without holes from 0 on.
CREATE TABLE record_partition (
    first_index BIGINT NOT NULL PRIMARY KEY,
    end_index BIGINT NOT NULL UNIQUE CHECK (end_index > first_index)
);

-- Makes partitions of `size` records until there is room for the places below `wanted`; returns
-- the end of the last. Runs with the rights of its owner: who writes records may not make tables.
CREATE FUNCTION make_record_partitions(wanted BIGINT, size BIGINT) RETURNS BIGINT
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    last BIGINT;
    name TEXT;
BEGIN
    SELECT COALESCE(MAX(end_index), 0) INTO last FROM record_partition;
    WHILE last < wanted LOOP
        name := 'record_body_' || last;
        -- Attaching an empty table waits for nobody; making it as a partition would wait for
        -- every reader.
        EXECUTE format('CREATE TABLE %I (LIKE record_body INCLUDING ALL)', name);
        EXECUTE format(
            'ALTER TABLE record_body ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
            name, last, last + size);
        EXECUTE format(
            'CREATE TRIGGER record_body_is_never_truncated BEFORE TRUNCATE ON %I
             FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
        INSERT INTO record_partition VALUES (last, last + size);
        last := last + size;
    END LOOP;
    RETURN last;
END $$;

-- Hash of the perfect subtree over leaves idx << level .. (idx + 1) << level.
CREATE TABLE log_node (
    level BIGINT NOT NULL,
    idx BIGINT NOT NULL,
    hash BYTEA NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, idx)
);

-- A device signed two records for one place: the held one stands in `record`, the other here.
CREATE TABLE fork (
    hash BYTEA NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    device BYTEA NOT NULL CONSTRAINT fork_of_device REFERENCES device (device),
    seq BIGINT NOT NULL,
    -- Hash that stands at this seq in `record`; null for what follows the fork.
    held BYTEA,
    bytes BYTEA NOT NULL,
    seen_at BIGINT NOT NULL
);

-- What an enrolled device sent and nobody can attribute; kept with the reason.
CREATE TABLE quarantine (
    hash BYTEA NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    device BYTEA NOT NULL CONSTRAINT quarantine_of_device REFERENCES device (device),
    reason TEXT NOT NULL,
    bytes BYTEA NOT NULL,
    seen_at BIGINT NOT NULL
);
CREATE INDEX quarantine_by_device ON quarantine (device);

CREATE TRIGGER record_is_never_changed BEFORE UPDATE OR DELETE ON record
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER record_is_never_truncated BEFORE TRUNCATE ON record
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER record_body_is_never_changed BEFORE UPDATE OR DELETE ON record_body
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER record_body_is_never_truncated BEFORE TRUNCATE ON record_body
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER record_partition_is_never_changed BEFORE UPDATE OR DELETE ON record_partition
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER log_node_is_never_changed BEFORE UPDATE OR DELETE ON log_node
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER log_node_is_never_truncated BEFORE TRUNCATE ON log_node
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER fork_is_never_changed BEFORE UPDATE OR DELETE ON fork
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER fork_is_never_truncated BEFORE TRUNCATE ON fork
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
