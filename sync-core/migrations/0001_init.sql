-- Facts about the device itself.
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT;

-- The device's chain: what happened, as signed. Never changed, never deleted.
CREATE TABLE journal (
  seq         INTEGER PRIMARY KEY,
  hash        BLOB NOT NULL CONSTRAINT journal_hash UNIQUE,
  record      BLOB NOT NULL CONSTRAINT journal_record UNIQUE,
  kind        TEXT NOT NULL,
  inspection  BLOB,              -- NULL: outside any visit
  recorded_at INTEGER NOT NULL,
  bytes       BLOB NOT NULL      -- COSE_Sign1
) STRICT;
CREATE INDEX journal_inspection ON journal (inspection, seq) WHERE inspection IS NOT NULL;
CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END;
CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END;

-- Where each record is on its way to HQ.
CREATE TABLE outbox (
  seq           INTEGER PRIMARY KEY CONSTRAINT outbox_journal REFERENCES journal (seq),
  status        TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'received', 'parked')),
  parked_reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX outbox_open ON outbox (status, seq) WHERE status <> 'received';

-- HQ's receipts as verified: proof that the log holds these records.
CREATE TABLE receipt (
  seq         INTEGER PRIMARY KEY CONSTRAINT receipt_journal REFERENCES journal (seq),
  log_index   INTEGER NOT NULL,
  checkpoint  INTEGER NOT NULL CONSTRAINT receipt_checkpoint REFERENCES checkpoint (id),
  proof       BLOB NOT NULL,     -- inclusion proof, 32 bytes a hash, lowest first
  received_at INTEGER NOT NULL   -- HQ's clock
) STRICT;
CREATE TRIGGER receipt_no_update BEFORE UPDATE ON receipt
BEGIN SELECT RAISE(ABORT, 'receipt is append-only'); END;
CREATE TRIGGER receipt_no_delete BEFORE DELETE ON receipt
BEGIN SELECT RAISE(ABORT, 'receipt is append-only'); END;

CREATE TABLE checkpoint (
  id   INTEGER PRIMARY KEY,
  size INTEGER NOT NULL,
  root BLOB NOT NULL,
  note TEXT NOT NULL CONSTRAINT checkpoint_note UNIQUE
) STRICT;

-- What HQ found when it looked at a record.
CREATE TABLE acceptance (
  seq      INTEGER PRIMARY KEY,
  accepted INTEGER NOT NULL CHECK (accepted IN (0, 1)),
  findings BLOB NOT NULL
) STRICT;

-- Files that records cite; the files lie in blobs/ by hash.
CREATE TABLE blob (
  sha256      BLOB PRIMARY KEY,
  bytes       INTEGER NOT NULL,
  media       TEXT NOT NULL,
  role        TEXT NOT NULL,
  seq         INTEGER NOT NULL CONSTRAINT blob_journal REFERENCES journal (seq),
  sent_offset INTEGER NOT NULL DEFAULT 0,
  status      TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'received', 'parked')),
  parked_reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX blob_open ON blob (status, seq) WHERE status <> 'received';

-- What is still being typed; saved at every change.
CREATE TABLE draft (
  scope    TEXT NOT NULL,
  field    TEXT NOT NULL,
  value    TEXT NOT NULL,
  saved_at INTEGER NOT NULL,
  CONSTRAINT draft_key PRIMARY KEY (scope, field)
) STRICT;

-- Signed items from HQ as received.
CREATE TABLE feed (
  idx       INTEGER PRIMARY KEY,
  kind      TEXT NOT NULL,
  issued_at INTEGER NOT NULL,
  bytes     BLOB NOT NULL
) STRICT;

CREATE TABLE rulebook (
  hash    BLOB PRIMARY KEY,      -- of the canonical rulebook; records pin it
  version INTEGER NOT NULL,
  content BLOB NOT NULL
) STRICT;

CREATE TABLE officer (
  officer            BLOB PRIMARY KEY,
  name               TEXT NOT NULL,
  certificate_number TEXT NOT NULL,
  credential         BLOB,       -- NULL: not activated on this device
  sealed_key         BLOB,       -- NULL: not activated on this device
  failures           INTEGER NOT NULL DEFAULT 0,
  failed_mono_ms     INTEGER NOT NULL DEFAULT 0,
  failed_boot        BLOB        -- NULL: never failed
) STRICT;
