-- Endpoints: where events of an organization are sent to. `settings` (of its kind), `secrets` and `question` (filter,
-- search, log) are JSON; `roles`, `plan` and `logs` are its maker's, by which every reading for it is permitted anew.
CREATE TABLE endpoint (
    organization_no BIGINT NOT NULL REFERENCES organization (no),
    id              TEXT COLLATE "C" NOT NULL,
    label           TEXT NOT NULL,
    kind            SMALLINT NOT NULL,
    url             TEXT NOT NULL,
    settings        TEXT NOT NULL,
    secrets         TEXT NOT NULL,
    question        TEXT NOT NULL,
    roles           TEXT NOT NULL,
    plan            TEXT,
    logs            TEXT NOT NULL,
    status          SMALLINT NOT NULL,
    created_ns      BIGINT NOT NULL,
    created_by      TEXT NOT NULL,
    changed_ns      BIGINT NOT NULL,
    PRIMARY KEY (organization_no, id)
);

-- How far each endpoint has got, and which process sends to it. Events are named by their sequence, and kept nowhere else.
CREATE TABLE delivery (
    organization_no BIGINT NOT NULL REFERENCES organization (no),
    endpoint_id     TEXT COLLATE "C" NOT NULL,
    next            BIGINT NOT NULL,
    failures        BIGINT NOT NULL,
    failing_ns      BIGINT,
    due_ns          BIGINT NOT NULL,
    succeeded_ns    BIGINT,
    trouble         TEXT,
    replay_next     BIGINT,
    replay_end      BIGINT,
    replays         BIGINT NOT NULL,
    owner           BIGINT NOT NULL,
    lease_ns        BIGINT NOT NULL,
    PRIMARY KEY (organization_no, endpoint_id)
);
CREATE INDEX delivery_owner ON delivery (owner);

-- Events that an endpoint would not take.
CREATE TABLE dead_letter (
    organization_no BIGINT NOT NULL REFERENCES organization (no),
    endpoint_id     TEXT COLLATE "C" NOT NULL,
    sequence        BIGINT NOT NULL,
    at_ns           BIGINT NOT NULL,
    reason          TEXT NOT NULL,
    PRIMARY KEY (organization_no, endpoint_id, sequence)
);

-- The last tries of each endpoint.
CREATE TABLE attempt (
    organization_no BIGINT NOT NULL REFERENCES organization (no),
    endpoint_id     TEXT COLLATE "C" NOT NULL,
    at_ns           BIGINT NOT NULL,
    no              BIGINT NOT NULL,
    purpose         SMALLINT NOT NULL,
    first           BIGINT NOT NULL,
    last            BIGINT NOT NULL,
    status          BIGINT,
    took_ms         BIGINT NOT NULL,
    trouble         TEXT,
    PRIMARY KEY (organization_no, endpoint_id, at_ns, no)
);
