-- Paths of what of an event was erased, in the form of `truncated`; where there are none, nothing was.
ALTER TABLE event ADD COLUMN erased TEXT;

-- How often something of an organization's events was erased. What is remembered of a head with another number is not
-- trusted, and a replica is asked only once it has this one.
ALTER TABLE organization_head ADD COLUMN erased INTEGER NOT NULL DEFAULT 0;

-- A door of this kind lets fields of events go empty, and lets idempotency keys go; no event leaves by it.
ALTER TABLE removal_grant ADD COLUMN erases INTEGER NOT NULL DEFAULT 0 CHECK (erases IN (0, 1));

DROP TRIGGER event_no_delete;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event
    WHEN NOT EXISTS (SELECT 1 FROM removal_grant g WHERE g.organization_no = OLD.key >> 36
        AND OLD.key & 68719476735 BETWEEN g.low AND g.high AND g.erases = 0)
    BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;
DROP TRIGGER event_order_no_delete;
CREATE TRIGGER event_order_no_delete BEFORE DELETE ON event_order
    WHEN NOT EXISTS (SELECT 1 FROM removal_grant g WHERE g.organization_no = OLD.organization_no
        AND OLD.sequence BETWEEN g.low AND g.high AND g.erases = 0)
    BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;
DROP TRIGGER event_no_update;
CREATE TRIGGER event_no_update BEFORE UPDATE ON event
    WHEN NOT EXISTS (SELECT 1 FROM removal_grant g WHERE g.organization_no = OLD.key >> 36
            AND OLD.key & 68719476735 BETWEEN g.low AND g.high AND g.erases = 1)
        OR NEW.erased IS NULL
        OR (NEW.key, NEW.position, NEW.salt, NEW.log_no, NEW.occurred_ns, NEW.recorded_ns, NEW.action, NEW.actor_kind)
            IS NOT (OLD.key, OLD.position, OLD.salt, OLD.log_no, OLD.occurred_ns, OLD.recorded_ns, OLD.action, OLD.actor_kind)
        OR (NEW.category, NEW.outcome) IS NOT (OLD.category, OLD.outcome)
        -- What may go goes as a whole, and nothing comes in its place.
        OR NEW.actor_id IS NOT NULL AND NEW.actor_id IS NOT OLD.actor_id
        OR NEW.actor_name IS NOT NULL AND NEW.actor_name IS NOT OLD.actor_name
        OR NEW.actor_email IS NOT NULL AND NEW.actor_email IS NOT OLD.actor_email
        OR NEW.on_behalf_of IS NOT NULL AND NEW.on_behalf_of IS NOT OLD.on_behalf_of
        OR NEW.ip_address IS NOT NULL AND NEW.ip_address IS NOT OLD.ip_address
        OR NEW.user_agent IS NOT NULL AND NEW.user_agent IS NOT OLD.user_agent
        OR NEW.correlation_id IS NOT NULL AND NEW.correlation_id IS NOT OLD.correlation_id
        OR NEW.source IS NOT NULL AND NEW.source IS NOT OLD.source
        OR NEW.source_event_id IS NOT NULL AND NEW.source_event_id IS NOT OLD.source_event_id
        OR NEW.recorded_by <> '' AND NEW.recorded_by IS NOT OLD.recorded_by
        OR NEW.metadata <> '{}' AND NEW.metadata IS NOT OLD.metadata
        -- Of lists, some of what stood there.
        OR length(coalesce(NEW.resources, '')) > length(coalesce(OLD.resources, ''))
        OR length(coalesce(NEW.truncated, '')) > length(coalesce(OLD.truncated, ''))
        OR length(coalesce(NEW.masked, '')) > length(coalesce(OLD.masked, ''))
    BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;

-- Erasures that were asked for. `whom` (JSON) says who is to be erased, and is emptied when it is over. Everything before
-- `next` was looked at. `hold_id`: the hold that keeps it from going on.
CREATE TABLE erasure (
    organization_no INTEGER NOT NULL REFERENCES organization (no),
    id              TEXT NOT NULL,
    status          INTEGER NOT NULL,
    whom            TEXT,
    created_ns      INTEGER NOT NULL,
    created_by      TEXT NOT NULL,
    finished_ns     INTEGER,
    total           INTEGER NOT NULL,
    next            INTEGER NOT NULL,
    events          INTEGER NOT NULL,
    hold_id         TEXT,
    owner           INTEGER NOT NULL,
    lease_ns        INTEGER NOT NULL,
    PRIMARY KEY (organization_no, id)
) STRICT, WITHOUT ROWID;

-- The erasure list: of which events what was erased, without what stood there. A database that is restored from a backup
-- is erased by it once more; `salt` tells whether it is the same event.
CREATE TABLE erased_event (
    organization_no INTEGER NOT NULL,
    sequence        INTEGER NOT NULL,
    salt            INTEGER NOT NULL,
    paths           TEXT NOT NULL,
    erased_ns       INTEGER NOT NULL,
    PRIMARY KEY (organization_no, sequence)
) STRICT, WITHOUT ROWID;

-- A row here says that some idempotency keys are stored as hashes without a secret, as earlier versions did.
CREATE TABLE plain_hashes (no INTEGER PRIMARY KEY CHECK (no = 0)) STRICT;
INSERT INTO plain_hashes (no) SELECT 0 WHERE EXISTS (SELECT 1 FROM idempotency);

-- Filled while what lies free in the file is overwritten, and empty at all other times.
CREATE TABLE free_filler (no INTEGER PRIMARY KEY, filler BLOB NOT NULL) STRICT;
