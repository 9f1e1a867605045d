-- R3: when HQ had archived the record that cites a file and all before it, by HQ's clock; and when
-- the original was removed here after that.
ALTER TABLE blob ADD COLUMN archived_at INTEGER;  -- NULL: not archived yet
ALTER TABLE blob ADD COLUMN deleted_at INTEGER;   -- NULL: lies here
CREATE INDEX blob_unarchived ON blob (seq) WHERE archived_at IS NULL;
CREATE INDEX blob_removable ON blob (archived_at)
WHERE archived_at IS NOT NULL AND deleted_at IS NULL AND role = 'original';
CREATE INDEX blob_removed ON blob (seq) WHERE deleted_at IS NOT NULL;

-- Visits whose files go over any network.
CREATE TABLE urgent (
  inspection BLOB PRIMARY KEY,
  marked_at  INTEGER NOT NULL
) STRICT;
