-- The histories of this database: the newest row counts, and without one it is the first history, which is open. Where it is
-- not open, nothing is recorded and nothing is sent: the database was restored from a backup, or put back under a running
-- service, and nobody has decided yet that it goes on from here.
CREATE TABLE history (
    no      INTEGER PRIMARY KEY,
    id      INTEGER NOT NULL,
    is_open INTEGER NOT NULL,
    at_ns   INTEGER NOT NULL,
    reason  TEXT NOT NULL
) STRICT;

-- Whether the organization has ended: nothing of it is recorded any more.
ALTER TABLE organization_head ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;

-- The end of an organization, from the request on. Who asked and who confirmed stands here until it has ended; after that
-- only as what they did. The row stays as the certificate, with the organization's own row and its head.
CREATE TABLE organization_end (
    organization_no INTEGER NOT NULL REFERENCES organization (no),
    requested_ns    INTEGER NOT NULL,
    requested_by    TEXT,
    requested_as    TEXT NOT NULL,
    confirmed_ns    INTEGER,
    confirmed_by    TEXT,
    confirmed_as    TEXT,
    due_ns          INTEGER,
    begun_ns        INTEGER,
    ended_ns        INTEGER,
    events          INTEGER NOT NULL DEFAULT 0,
    first_sequence  INTEGER,
    first_ns        INTEGER,
    last_sequence   INTEGER,
    last_ns         INTEGER,
    PRIMARY KEY (organization_no)
) STRICT, WITHOUT ROWID;
