-- Paths of what of an event was masked, in the form of `truncated`.
ALTER TABLE event ADD COLUMN masked TEXT;

-- The key that the digests of masked secrets are made with: one row, made by the process that starts first. All
-- processes read it here, so that a secret has one digest, whoever records it.
CREATE TABLE masking_key (
    no         INTEGER PRIMARY KEY CHECK (no = 1),
    secret     BLOB NOT NULL,
    created_ns INTEGER NOT NULL
) STRICT;
