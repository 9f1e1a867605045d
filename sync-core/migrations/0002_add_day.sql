-- Tables that the pages read: projections of the journal, made in the same transaction.
CREATE TABLE assignment (
  assignment BLOB PRIMARY KEY,
  revision   INTEGER NOT NULL,
  due_at     INTEGER NOT NULL,
  state      TEXT NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'accepted', 'under_way', 'done')),
  content    BLOB NOT NULL
) STRICT;

CREATE TABLE shift (
  shift      BLOB PRIMARY KEY,
  begun_hash BLOB NOT NULL,
  begun_at   INTEGER NOT NULL,
  ended_at   INTEGER,            -- NULL: still on
  content    BLOB NOT NULL
) STRICT;

CREATE TABLE inspection (
  inspection   BLOB PRIMARY KEY,
  assignment   BLOB NOT NULL,
  state        TEXT NOT NULL DEFAULT 'begun' CHECK (state IN ('begun', 'concluded')),
  begun_at     INTEGER NOT NULL,
  displayed_at INTEGER,          -- NULL: credentials not shown yet
  noticed_at   INTEGER,          -- NULL: rights not told yet
  concluded_at INTEGER,          -- NULL: still there
  content      BLOB NOT NULL
) STRICT;
CREATE INDEX inspection_begun ON inspection (begun_at);

CREATE TABLE answer (
  inspection BLOB NOT NULL CONSTRAINT answer_inspection REFERENCES inspection (inspection),
  entry      TEXT NOT NULL,
  content    BLOB NOT NULL,
  CONSTRAINT answer_key PRIMARY KEY (inspection, entry)
) STRICT;

CREATE TABLE evidence (
  evidence    BLOB PRIMARY KEY,
  inspection  BLOB,              -- NULL: a lead
  ordinal     INTEGER NOT NULL,
  captured_at INTEGER NOT NULL,
  seq         INTEGER NOT NULL,
  excluded    TEXT NOT NULL DEFAULT '',  -- reason; empty: may be cited
  content     BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX evidence_ordinal ON evidence (inspection, ordinal) WHERE inspection IS NOT NULL;

CREATE TABLE transcript (
  transcript BLOB PRIMARY KEY,
  document   BLOB NOT NULL CONSTRAINT transcript_document UNIQUE,
  inspection BLOB NOT NULL,
  revision   INTEGER NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('prepared', 'read_back', 'locked')),
  prepared_at INTEGER NOT NULL,
  content    BLOB NOT NULL,      -- TranscriptPrepared
  strength   TEXT                -- NULL until locked
) STRICT;
CREATE INDEX transcript_inspection ON transcript (inspection);

CREATE TABLE signature (
  document  BLOB NOT NULL,
  revision  INTEGER NOT NULL,
  page      INTEGER NOT NULL,    -- 0: refusal of the whole document
  role      TEXT NOT NULL,
  name      TEXT NOT NULL,
  refused   INTEGER NOT NULL CHECK (refused IN (0, 1)),
  signed_at INTEGER NOT NULL,
  content   BLOB NOT NULL,       -- PageSigned or SignatureRefused
  CONSTRAINT signature_key PRIMARY KEY (document, revision, page, role)
) STRICT;

CREATE TABLE case_file (
  case_id    BLOB PRIMARY KEY,
  inspection BLOB NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('filed', 'noticed', 'heard', 'decided')),
  noticed_at INTEGER,            -- NULL: prior notice not given
  heard_at   INTEGER,            -- NULL: defense not heard
  document   BLOB,               -- NULL: no number reserved
  filed      BLOB NOT NULL,      -- CaseFiled
  notice     BLOB,               -- NULL: PriorNoticeGiven not yet
  defense    BLOB                -- NULL: DefenseHeard not yet
) STRICT;
CREATE INDEX case_file_inspection ON case_file (inspection);

CREATE TABLE document (
  document   BLOB PRIMARY KEY,
  inspection BLOB,               -- NULL: outside a visit
  case_id    BLOB,               -- NULL: of no case
  title      TEXT NOT NULL,
  number     TEXT NOT NULL DEFAULT '',
  text       BLOB NOT NULL,      -- SHA-256 of the text
  made_at    INTEGER NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('issued', 'delivered')),
  delivery   BLOB                -- NULL until delivered: DocumentDelivered
) STRICT;
CREATE INDEX document_inspection ON document (inspection);

CREATE TABLE number_lease (
  lease     BLOB PRIMARY KEY,
  authority TEXT NOT NULL,
  word      TEXT NOT NULL,
  year      INTEGER NOT NULL,
  first     INTEGER NOT NULL,
  last      INTEGER NOT NULL,
  next      INTEGER NOT NULL
) STRICT;

CREATE TABLE document_number (
  number   TEXT PRIMARY KEY,
  lease    BLOB NOT NULL,
  ordinal  INTEGER NOT NULL,     -- the number within its year
  document BLOB NOT NULL,
  state    TEXT NOT NULL CHECK (state IN ('reserved', 'issued', 'voided')),
  reason   TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE lead_note (
  seq     INTEGER PRIMARY KEY,
  content BLOB NOT NULL
) STRICT;

CREATE TABLE command_message (
  idx     INTEGER PRIMARY KEY,
  title   TEXT NOT NULL,
  text    TEXT NOT NULL
) STRICT;
