-- Leaves of the log when the device was revoked: what stands below is its word, nothing above is.
ALTER TABLE device ADD COLUMN revoked_size INTEGER;
