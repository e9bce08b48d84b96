-- Endpoints: where events of an organization are sent to. `settings` (of its kind), `secrets` and `question` (filter,
-- search, log) are JSON; `roles`, `plan` and `logs` are its maker's, by which every reading for it is permitted anew.
CREATE TABLE endpoint (
    organization_no INTEGER NOT NULL REFERENCES organization (no),
    id              TEXT NOT NULL,
    label           TEXT NOT NULL,
    kind            INTEGER NOT NULL,
    url             TEXT NOT NULL,
    settings        TEXT NOT NULL,
    secrets         TEXT NOT NULL,
    question        TEXT NOT NULL,
    roles           TEXT NOT NULL,
    plan            TEXT,
    logs            TEXT NOT NULL,
    status          INTEGER NOT NULL,
    created_ns      INTEGER NOT NULL,
    created_by      TEXT NOT NULL,
    changed_ns      INTEGER NOT NULL,
    PRIMARY KEY (organization_no, id)
) STRICT, WITHOUT ROWID;

-- How far each endpoint has got, and which process sends to it. Events are named by their sequence, and kept nowhere else.
CREATE TABLE delivery (
    organization_no INTEGER NOT NULL REFERENCES organization (no),
    endpoint_id     TEXT NOT NULL,
    next            INTEGER NOT NULL,
    failures        INTEGER NOT NULL,
    failing_ns      INTEGER,
    due_ns          INTEGER NOT NULL,
    succeeded_ns    INTEGER,
    trouble         TEXT,
    replay_next     INTEGER,
    replay_end      INTEGER,
    replays         INTEGER NOT NULL,
    owner           INTEGER NOT NULL,
    lease_ns        INTEGER NOT NULL,
    PRIMARY KEY (organization_no, endpoint_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_owner ON delivery (owner);

-- Events that an endpoint would not take.
CREATE TABLE dead_letter (
    organization_no INTEGER NOT NULL REFERENCES organization (no),
    endpoint_id     TEXT NOT NULL,
    sequence        INTEGER NOT NULL,
    at_ns           INTEGER NOT NULL,
    reason          TEXT NOT NULL,
    PRIMARY KEY (organization_no, endpoint_id, sequence)
) STRICT, WITHOUT ROWID;

-- The last tries of each endpoint.
CREATE TABLE attempt (
    organization_no INTEGER NOT NULL REFERENCES organization (no),
    endpoint_id     TEXT NOT NULL,
    at_ns           INTEGER NOT NULL,
    no              INTEGER NOT NULL,
    purpose         INTEGER NOT NULL,
    first           INTEGER NOT NULL,
    last            INTEGER NOT NULL,
    status          INTEGER,
    took_ms         INTEGER NOT NULL,
    trouble         TEXT,
    PRIMARY KEY (organization_no, endpoint_id, at_ns, no)
) STRICT, WITHOUT ROWID;
