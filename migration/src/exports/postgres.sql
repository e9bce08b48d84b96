-- Exports: what was asked for and by whom, how far each has got, and where its parts lie. It is worked on by the process
-- that `lease_holder` names until `lease_until_ns`. `asked`, `maker` and `parts` are JSON. Status: 0 queued, 1 running,
-- 2 done, 3 failed, 4 expired. The index by id is not unique, because a unique key of a cluster has to carry the organization.
CREATE TABLE export (
    organization_no BIGINT NOT NULL REFERENCES organization (no),
    id              TEXT COLLATE "C" NOT NULL,
    format          TEXT NOT NULL,
    asked           TEXT NOT NULL,
    maker           TEXT NOT NULL,
    logs            TEXT NOT NULL,
    secret          BYTEA NOT NULL,
    created_ns      BIGINT NOT NULL,
    created_by      TEXT NOT NULL,
    pinned          BIGINT NOT NULL,
    status          SMALLINT NOT NULL,
    next_sequence   BIGINT NOT NULL,
    count           BIGINT NOT NULL,
    first_sequence  BIGINT,
    last_sequence   BIGINT,
    bytes           BIGINT NOT NULL,
    parts           TEXT NOT NULL,
    sha256          TEXT,
    fault_code      TEXT,
    fault           TEXT,
    finished_ns     BIGINT,
    served_ns       BIGINT NOT NULL,
    lease_holder    TEXT,
    lease_until_ns  BIGINT NOT NULL,
    PRIMARY KEY (organization_no, id)
);
CREATE INDEX export_id ON export (id);
CREATE INDEX export_unfinished ON export (served_ns) WHERE status < 2;
