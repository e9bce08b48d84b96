-- Rules: when events of an organization raise an alert. `question` (filter, search, log) and `emails` are JSON; `roles`,
-- `plan` and `logs` are the maker's, by which every reading for a rule is permitted anew.
CREATE TABLE alert_rule (
    organization_no INTEGER NOT NULL REFERENCES organization (no),
    id              TEXT NOT NULL,
    label           TEXT NOT NULL,
    question        TEXT NOT NULL,
    threshold       INTEGER NOT NULL,
    window_s        INTEGER NOT NULL,
    per             INTEGER NOT NULL,
    endpoint_id     TEXT,
    emails          TEXT NOT NULL,
    roles           TEXT NOT NULL,
    plan            TEXT,
    logs            TEXT NOT NULL,
    status          INTEGER NOT NULL,
    created_ns      INTEGER NOT NULL,
    created_by      TEXT NOT NULL,
    changed_ns      INTEGER NOT NULL,
    PRIMARY KEY (organization_no, id)
) STRICT, WITHOUT ROWID;

-- How far each rule has counted, and which process counts for it. What lies in the window is read from the log again, from
-- `counted_from` on; `fired_at` names the events by which it has fired meanwhile, as JSON. `changes` tells how often the
-- rule was changed: what was counted before says nothing of it.
CREATE TABLE alert_watch (
    organization_no INTEGER NOT NULL REFERENCES organization (no),
    rule_id         TEXT NOT NULL,
    next            INTEGER NOT NULL,
    counted_from    INTEGER NOT NULL,
    fired_at        TEXT NOT NULL,
    changes         INTEGER NOT NULL,
    firings         INTEGER NOT NULL,
    fired_ns        INTEGER,
    fired_sequence  INTEGER,
    trouble         TEXT,
    sent_ns         INTEGER,
    unsent          TEXT,
    owner           INTEGER NOT NULL,
    lease_ns        INTEGER NOT NULL,
    PRIMARY KEY (organization_no, rule_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_watch_owner ON alert_watch (owner);

-- Messages of alerts that have not arrived: the event that tells of the firing, by its sequence, and whom it goes to.
CREATE TABLE alert_message (
    organization_no INTEGER NOT NULL REFERENCES organization (no),
    rule_id         TEXT NOT NULL,
    sequence        INTEGER NOT NULL,
    receiver        TEXT NOT NULL,
    made_ns         INTEGER NOT NULL,
    due_ns          INTEGER NOT NULL,
    failures        INTEGER NOT NULL,
    refusals        INTEGER NOT NULL,
    trouble         TEXT,
    PRIMARY KEY (organization_no, rule_id, sequence, receiver)
) STRICT, WITHOUT ROWID;
