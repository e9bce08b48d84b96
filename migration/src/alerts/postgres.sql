-- Rules: when events of an organization raise an alert. `question` (filter, search, log) and `emails` are JSON; `roles`,
-- `plan` and `logs` are the maker's, by which every reading for a rule is permitted anew.
CREATE TABLE alert_rule (
    organization_no BIGINT NOT NULL REFERENCES organization (no),
    id              TEXT COLLATE "C" NOT NULL,
    label           TEXT NOT NULL,
    question        TEXT NOT NULL,
    threshold       BIGINT NOT NULL,
    window_s        BIGINT NOT NULL,
    per             SMALLINT NOT NULL,
    endpoint_id     TEXT,
    emails          TEXT NOT NULL,
    roles           TEXT NOT NULL,
    plan            TEXT,
    logs            TEXT NOT NULL,
    status          SMALLINT NOT NULL,
    created_ns      BIGINT NOT NULL,
    created_by      TEXT NOT NULL,
    changed_ns      BIGINT NOT NULL,
    PRIMARY KEY (organization_no, id)
);

-- How far each rule has counted, and which process counts for it. What lies in the window is read from the log again, from
-- `counted_from` on; `fired_at` names the events by which it has fired meanwhile, as JSON. `changes` tells how often the
-- rule was changed: what was counted before says nothing of it.
CREATE TABLE alert_watch (
    organization_no BIGINT NOT NULL REFERENCES organization (no),
    rule_id         TEXT COLLATE "C" NOT NULL,
    next            BIGINT NOT NULL,
    counted_from    BIGINT NOT NULL,
    fired_at        TEXT NOT NULL,
    changes         BIGINT NOT NULL,
    firings         BIGINT NOT NULL,
    fired_ns        BIGINT,
    fired_sequence  BIGINT,
    trouble         TEXT,
    sent_ns         BIGINT,
    unsent          TEXT,
    owner           BIGINT NOT NULL,
    lease_ns        BIGINT NOT NULL,
    PRIMARY KEY (organization_no, rule_id)
);
CREATE INDEX alert_watch_owner ON alert_watch (owner);

-- Messages of alerts that have not arrived: the event that tells of the firing, by its sequence, and whom it goes to.
CREATE TABLE alert_message (
    organization_no BIGINT NOT NULL REFERENCES organization (no),
    rule_id         TEXT COLLATE "C" NOT NULL,
    sequence        BIGINT NOT NULL,
    receiver        TEXT COLLATE "C" NOT NULL,
    made_ns         BIGINT NOT NULL,
    due_ns          BIGINT NOT NULL,
    failures        BIGINT NOT NULL,
    refusals        BIGINT NOT NULL,
    trouble         TEXT,
    PRIMARY KEY (organization_no, rule_id, sequence, receiver)
);
