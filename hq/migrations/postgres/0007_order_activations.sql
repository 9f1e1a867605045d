-- The order in which codes were issued is a column of its own: not every database numbers rows.
ALTER TABLE activation ADD COLUMN ordinal BIGINT NOT NULL DEFAULT 0;
