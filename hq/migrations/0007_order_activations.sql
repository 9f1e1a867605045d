-- The order in which codes were issued is a column of its own: not every database numbers rows.
ALTER TABLE activation ADD COLUMN ordinal INTEGER NOT NULL DEFAULT 0;
UPDATE activation SET ordinal = rowid;
