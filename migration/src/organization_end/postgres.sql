-- The histories of this database: the newest row counts, and without one it is the first history, which is open. Where it is
-- not open, nothing is recorded and nothing is sent: the database was restored from a backup, or put back under a running
-- service, and nobody has decided yet that it goes on from here.
CREATE TABLE history (
    no      BIGINT PRIMARY KEY,
    id      BIGINT NOT NULL,
    is_open SMALLINT NOT NULL,
    at_ns   BIGINT NOT NULL,
    reason  TEXT NOT NULL
);

-- Whether the organization has ended: nothing of it is recorded any more.
ALTER TABLE organization_head ADD COLUMN ended SMALLINT NOT NULL DEFAULT 0;

-- The end of an organization, from the request on. Who asked and who confirmed stands here until it has ended; after that
-- only as what they did. The row stays as the certificate, with the organization's own row and its head.
CREATE TABLE organization_end (
    organization_no BIGINT NOT NULL REFERENCES organization (no),
    requested_ns    BIGINT NOT NULL,
    requested_by    TEXT,
    requested_as    TEXT NOT NULL,
    confirmed_ns    BIGINT,
    confirmed_by    TEXT,
    confirmed_as    TEXT,
    due_ns          BIGINT,
    begun_ns        BIGINT,
    ended_ns        BIGINT,
    events          BIGINT NOT NULL DEFAULT 0,
    first_sequence  BIGINT,
    first_ns        BIGINT,
    last_sequence   BIGINT,
    last_ns         BIGINT,
    PRIMARY KEY (organization_no)
);
