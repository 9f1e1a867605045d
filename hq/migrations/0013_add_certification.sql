-- When the device last sent something and its certificate was renewed by that; null for a device
-- of an earlier HQ until it comes again.
ALTER TABLE device ADD COLUMN certified_at INTEGER;
