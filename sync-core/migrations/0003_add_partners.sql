-- Other devices whose records are kept here, with the certificate that HQ gave them.
CREATE TABLE partner_device (
  device      BLOB PRIMARY KEY,
  certificate BLOB NOT NULL
) STRICT;

-- Their records, as they signed them: read, shown, brought to HQ, never part of the own chain.
CREATE TABLE partner_record (
  hash        BLOB PRIMARY KEY,
  device      BLOB NOT NULL CONSTRAINT partner_record_device REFERENCES partner_device (device),
  seq         INTEGER NOT NULL,
  kind        TEXT NOT NULL,
  inspection  BLOB,              -- NULL: outside any visit
  case_id     BLOB,              -- NULL: of no case
  recorded_at INTEGER NOT NULL,
  log_index   INTEGER,           -- NULL: not known to be at HQ
  -- told: from HQ's feed; copied: from the device itself, to be brought to HQ; brought: HQ has
  -- receipted it; parked: HQ will not take it.
  status      TEXT NOT NULL CHECK (status IN ('told', 'copied', 'brought', 'parked')),
  parked_reason TEXT NOT NULL DEFAULT '',
  bytes       BLOB NOT NULL
) STRICT;
CREATE INDEX partner_record_chain ON partner_record (device, seq);
CREATE INDEX partner_record_inspection ON partner_record (inspection) WHERE inspection IS NOT NULL;
CREATE INDEX partner_record_case ON partner_record (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX partner_record_open ON partner_record (status, device, seq) WHERE status = 'copied';

-- Small files that copied records cite; the files lie in blobs/ by hash.
CREATE TABLE partner_file (
  sha256  BLOB NOT NULL,
  device  BLOB NOT NULL,
  seq     INTEGER NOT NULL,      -- first record that cites it
  bytes   INTEGER NOT NULL,
  here    INTEGER NOT NULL CHECK (here IN (0, 1)),
  brought INTEGER NOT NULL DEFAULT 0 CHECK (brought IN (0, 1)),
  PRIMARY KEY (sha256, device)
) STRICT;

-- What HQ holds of each day that was closed here.
CREATE TABLE day_report (
  stated_on TEXT PRIMARY KEY,
  content   BLOB NOT NULL
) STRICT;
