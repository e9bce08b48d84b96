-- Organizations whose search terms are being made anew: `done` is the sequence up to which (exclusive) they are. A
-- migration that comes with a new way to read text into words adds all; `ledgerline reindex` takes them off.
CREATE TABLE stale_terms (
    organization_no INTEGER PRIMARY KEY REFERENCES organization (no),
    done            INTEGER NOT NULL
) STRICT;
