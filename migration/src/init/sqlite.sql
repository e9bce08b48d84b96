-- Tenants. Numbers stay below 36^5: they stand in up to five base-36 digits in every search term.
CREATE TABLE organization (
    no          INTEGER PRIMARY KEY CHECK (no BETWEEN 0 AND 60466175),
    product     TEXT NOT NULL,
    external_id TEXT NOT NULL,
    created_ns  INTEGER NOT NULL,
    UNIQUE (product, external_id)
) STRICT;

-- What the next event of a tenant needs to know. `dictionary` grows when its logs or actions change, by a step drawn at
-- random: histories that part, as after a restore, never come to the same version. `last_salt` is the newest event's, and
-- tells histories of the same size apart.
CREATE TABLE organization_head (
    organization_no INTEGER PRIMARY KEY REFERENCES organization (no),
    size            INTEGER NOT NULL,
    spill           INTEGER NOT NULL,
    recorded_ns     INTEGER NOT NULL,
    dictionary      INTEGER NOT NULL,
    last_salt       INTEGER NOT NULL
) STRICT;

-- Nodes of a tenant's tree of logs; 0 is its own. A deleted log keeps its row: what reads show is its level's policy.
-- `salt` is the random part of its id.
CREATE TABLE log (
    organization_no INTEGER NOT NULL REFERENCES organization (no),
    no              INTEGER NOT NULL,
    level           TEXT NOT NULL,
    id              TEXT NOT NULL,
    name            TEXT,
    parent_no       INTEGER,
    deleted_ns      INTEGER,
    salt            INTEGER NOT NULL,
    PRIMARY KEY (organization_no, no)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX log_live ON log (organization_no, level, id) WHERE deleted_ns IS NULL;

-- The distinct (action, category, outcome) of a tenant: counts refer to them, prefixes are expanded through them.
CREATE TABLE kind (
    organization_no INTEGER NOT NULL REFERENCES organization (no),
    no              INTEGER NOT NULL,
    action          TEXT NOT NULL,
    category        TEXT,
    outcome         INTEGER,
    PRIMARY KEY (organization_no, no)
) STRICT, WITHOUT ROWID;

-- Events, clustered by tenant in the order of recording.
CREATE TABLE event (
    key             INTEGER PRIMARY KEY,
    organization_no INTEGER GENERATED ALWAYS AS (key >> 36) VIRTUAL,
    sequence        INTEGER GENERATED ALWAYS AS (key & 68719476735) VIRTUAL,
    position        INTEGER NOT NULL,
    salt            INTEGER NOT NULL,
    log_no          INTEGER NOT NULL,
    occurred_ns     INTEGER NOT NULL,
    recorded_ns     INTEGER NOT NULL,
    action          TEXT NOT NULL,
    category        TEXT,
    outcome         INTEGER,
    actor_kind      INTEGER NOT NULL,
    actor_id        TEXT,
    actor_name      TEXT,
    actor_email     TEXT,
    on_behalf_of    TEXT,
    resources       TEXT,
    ip_address      TEXT,
    user_agent      TEXT,
    correlation_id  TEXT,
    source          TEXT,
    source_event_id TEXT,
    recorded_by     TEXT NOT NULL,
    terms_version   INTEGER NOT NULL,
    truncated       TEXT,
    metadata        TEXT NOT NULL
) STRICT;

-- From the order of time to the order of recording.
CREATE TABLE event_order (
    organization_no INTEGER NOT NULL,
    position        INTEGER NOT NULL,
    sequence        INTEGER NOT NULL,
    PRIMARY KEY (organization_no, position)
) STRICT, WITHOUT ROWID;

-- Every filter value and every word of an event, as terms; the rowid is the position's
-- complement (`~`), so that the newest come first.
CREATE VIRTUAL TABLE event_search USING fts5 (
    terms, content = '', columnsize = 0, detail = none, tokenize = "ascii tokenchars '='"
);
-- Its dictionary: how many events a prefix would touch.
CREATE VIRTUAL TABLE event_search_terms USING fts5vocab (event_search, row);

-- What an idempotency key has recorded. Both are the first 128 bits of a SHA-256.
CREATE TABLE idempotency (
    organization_no INTEGER NOT NULL,
    key_hash        BLOB NOT NULL,
    content_hash    BLOB NOT NULL,
    sequence        INTEGER NOT NULL,
    PRIMARY KEY (organization_no, key_hash)
) STRICT, WITHOUT ROWID;

-- Exact counts. grain 0: quarter-hours since 1970, 1: days, 2: all of time (bucket 0).
CREATE TABLE event_count (
    organization_no INTEGER NOT NULL,
    grain           INTEGER NOT NULL,
    bucket          INTEGER NOT NULL,
    log_no          INTEGER NOT NULL,
    kind_no         INTEGER NOT NULL,
    n               INTEGER NOT NULL,
    PRIMARY KEY (organization_no, grain, bucket, log_no, kind_no)
) STRICT, WITHOUT ROWID;

-- The distinct actors of a tenant.
CREATE TABLE actor_directory (
    organization_no INTEGER NOT NULL,
    hash            BLOB NOT NULL,
    kind            INTEGER NOT NULL,
    id              TEXT,
    name            TEXT,
    email           TEXT,
    folded          TEXT NOT NULL,
    name_folded     TEXT,
    email_folded    TEXT,
    n               INTEGER NOT NULL,
    last_position   INTEGER NOT NULL,
    PRIMARY KEY (organization_no, hash)
) STRICT, WITHOUT ROWID;

-- Written to find out whether anything can be written. It holds nothing that anyone needs.
CREATE TABLE write_probe (
    no     INTEGER PRIMARY KEY CHECK (no = 0),
    filler BLOB NOT NULL
) STRICT;

-- Append-only. INSERT OR REPLACE passes the other two, hence the third.
CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;
CREATE TRIGGER event_no_replace BEFORE INSERT ON event WHEN EXISTS (SELECT 1 FROM event WHERE key = NEW.key)
    BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;
CREATE TRIGGER event_order_no_update BEFORE UPDATE ON event_order BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;
CREATE TRIGGER event_order_no_delete BEFORE DELETE ON event_order BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;
CREATE TRIGGER event_order_no_replace BEFORE INSERT ON event_order
    WHEN EXISTS (SELECT 1 FROM event_order WHERE organization_no = NEW.organization_no AND position = NEW.position)
    BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;
CREATE TRIGGER idempotency_no_update BEFORE UPDATE ON idempotency BEGIN SELECT RAISE (ABORT, 'idempotency keys are append-only'); END;
CREATE TRIGGER idempotency_no_delete BEFORE DELETE ON idempotency BEGIN SELECT RAISE (ABORT, 'idempotency keys are append-only'); END;
CREATE TRIGGER idempotency_no_replace BEFORE INSERT ON idempotency
    WHEN EXISTS (SELECT 1 FROM idempotency WHERE organization_no = NEW.organization_no AND key_hash = NEW.key_hash)
    BEGIN SELECT RAISE (ABORT, 'idempotency keys are append-only'); END;
