-- How many events of an organization have left. What is remembered of a head with another number is not trusted.
ALTER TABLE organization_head ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;

-- The one door through the triggers: events of an organization, from one sequence to another (both included), may be
-- deleted by the transaction that holds a row here. No transaction that leaves one behind can be committed: no organization
-- has the number -1.
CREATE TABLE removal_grant (
    organization_no INTEGER NOT NULL,
    low             INTEGER NOT NULL,
    high            INTEGER NOT NULL,
    left_behind     INTEGER NOT NULL DEFAULT -1 REFERENCES organization (no) DEFERRABLE INITIALLY DEFERRED
        CHECK (left_behind = -1),
    PRIMARY KEY (organization_no, low)
) STRICT, WITHOUT ROWID;

DROP TRIGGER event_no_delete;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event
    WHEN NOT EXISTS (SELECT 1 FROM removal_grant g WHERE g.organization_no = OLD.key >> 36
        AND OLD.key & 68719476735 BETWEEN g.low AND g.high)
    BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;
DROP TRIGGER event_order_no_delete;
CREATE TRIGGER event_order_no_delete BEFORE DELETE ON event_order
    WHEN NOT EXISTS (SELECT 1 FROM removal_grant g WHERE g.organization_no = OLD.organization_no
        AND OLD.sequence BETWEEN g.low AND g.high)
    BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;
DROP TRIGGER idempotency_no_delete;
CREATE TRIGGER idempotency_no_delete BEFORE DELETE ON idempotency
    WHEN NOT EXISTS (SELECT 1 FROM removal_grant g WHERE g.organization_no = OLD.organization_no
        AND OLD.sequence BETWEEN g.low AND g.high)
    BEGIN SELECT RAISE (ABORT, 'idempotency keys are append-only'); END;

-- Whoever removes an event knows its sequence, not its key.
CREATE INDEX idempotency_sequence ON idempotency (organization_no, sequence);

-- What must not leave while it is there. `question` (log, filter) is JSON.
CREATE TABLE hold (
    organization_no INTEGER NOT NULL REFERENCES organization (no),
    id              TEXT NOT NULL,
    label           TEXT NOT NULL,
    question        TEXT NOT NULL,
    created_ns      INTEGER NOT NULL,
    created_by      TEXT NOT NULL,
    PRIMARY KEY (organization_no, id)
) STRICT, WITHOUT ROWID;

-- For how many days an organization wants its events kept, other than its product says: of a level, or, where that is
-- empty, of all. Without a number, for ever.
CREATE TABLE retention (
    organization_no INTEGER NOT NULL REFERENCES organization (no),
    level           TEXT NOT NULL,
    days            INTEGER,
    changed_ns      INTEGER NOT NULL,
    changed_by      TEXT NOT NULL,
    PRIMARY KEY (organization_no, level)
) STRICT, WITHOUT ROWID;

-- How far the sweep of what is kept for so many days has got: everything before `next` was looked at under `rules`.
-- `untold`: events that it has removed since it last recorded how many.
CREATE TABLE sweep (
    organization_no INTEGER NOT NULL REFERENCES organization (no),
    days            INTEGER NOT NULL,
    next            INTEGER NOT NULL,
    rules           TEXT NOT NULL,
    untold          INTEGER NOT NULL,
    PRIMARY KEY (organization_no, days)
) STRICT, WITHOUT ROWID;

-- The latest time at which a sweep believed the clock.
CREATE TABLE sweep_clock (
    no         INTEGER PRIMARY KEY CHECK (no = 0),
    trusted_ns INTEGER NOT NULL
) STRICT;
