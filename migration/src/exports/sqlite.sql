-- Exports: what was asked for and by whom, how far each has got, and where its parts lie. It is worked on by the process
-- that `lease_holder` names until `lease_until_ns`. `asked`, `maker` and `parts` are JSON. Status: 0 queued, 1 running,
-- 2 done, 3 failed, 4 expired.
CREATE TABLE export (
    organization_no INTEGER NOT NULL REFERENCES organization (no),
    id              TEXT NOT NULL,
    format          TEXT NOT NULL,
    asked           TEXT NOT NULL,
    maker           TEXT NOT NULL,
    logs            TEXT NOT NULL,
    secret          BLOB NOT NULL,
    created_ns      INTEGER NOT NULL,
    created_by      TEXT NOT NULL,
    pinned          INTEGER NOT NULL,
    status          INTEGER NOT NULL,
    next_sequence   INTEGER NOT NULL,
    count           INTEGER NOT NULL,
    first_sequence  INTEGER,
    last_sequence   INTEGER,
    bytes           INTEGER NOT NULL,
    parts           TEXT NOT NULL,
    sha256          TEXT,
    fault_code      TEXT,
    fault           TEXT,
    finished_ns     INTEGER,
    served_ns       INTEGER NOT NULL,
    lease_holder    TEXT,
    lease_until_ns  INTEGER NOT NULL,
    PRIMARY KEY (organization_no, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX export_id ON export (id);
CREATE INDEX export_unfinished ON export (served_ns) WHERE status < 2;
