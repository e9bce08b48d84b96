-- Tenants. Numbers stay below 36^5: they stand in up to five base-36 digits in every search term. The service gives the
-- next one itself: an identity would lose one with every conflict and every transaction that comes to nothing.
CREATE TABLE organization (
    no          BIGINT PRIMARY KEY CHECK (no BETWEEN 0 AND 60466175),
    product     TEXT COLLATE "C" NOT NULL,
    external_id TEXT COLLATE "C" NOT NULL,
    created_ns  BIGINT NOT NULL,
    UNIQUE (product, external_id)
);

-- What the next event of a tenant needs to know; its row lock is the order of commits.
-- `dictionary` grows when the tenant's logs or actions change, by a step drawn at random: histories that part, as after a
-- restore, never come to the same version. `last_salt` is the newest event's, and tells histories of the same size apart.
CREATE TABLE organization_head (
    organization_no BIGINT PRIMARY KEY REFERENCES organization (no),
    size            BIGINT NOT NULL,
    spill           BIGINT NOT NULL,
    recorded_ns     BIGINT NOT NULL,
    dictionary      BIGINT NOT NULL,
    last_salt       BIGINT NOT NULL
) WITH (fillfactor = 50);

-- Nodes of a tenant's tree of logs; 0 is its own. A deleted log keeps its row: what reads show is its level's policy.
-- `salt` is the random part of its id.
CREATE TABLE log (
    organization_no BIGINT NOT NULL REFERENCES organization (no),
    no              BIGINT NOT NULL,
    level           TEXT COLLATE "C" NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    name            TEXT,
    parent_no       BIGINT,
    deleted_ns      BIGINT,
    salt            BIGINT NOT NULL,
    PRIMARY KEY (organization_no, no)
);
CREATE UNIQUE INDEX log_live ON log (organization_no, level, id) WHERE deleted_ns IS NULL;

-- The distinct (action, category, outcome) of a tenant: counts refer to them, prefixes are expanded through them.
CREATE TABLE kind (
    organization_no BIGINT NOT NULL REFERENCES organization (no),
    no              BIGINT NOT NULL,
    action          TEXT NOT NULL,
    category        TEXT,
    outcome         SMALLINT,
    PRIMARY KEY (organization_no, no)
);

-- Events, in partitions by time that the service makes as it needs them: `store/partitions.rs`. Every filter value and
-- every word stands in `terms`, built by the service.
CREATE TABLE event (
    organization_no BIGINT NOT NULL,
    sequence        BIGINT NOT NULL,
    position        BIGINT NOT NULL,
    salt            BIGINT NOT NULL,
    log_no          BIGINT NOT NULL,
    occurred_ns     BIGINT NOT NULL,
    recorded_ns     BIGINT NOT NULL,
    outcome         SMALLINT,
    actor_kind      SMALLINT NOT NULL,
    terms_version   SMALLINT NOT NULL,
    action          TEXT COLLATE "C" NOT NULL,
    category        TEXT COLLATE "C",
    actor_id        TEXT COLLATE "C",
    actor_name      TEXT,
    actor_email     TEXT COLLATE "C",
    on_behalf_of    TEXT,
    resources       TEXT,
    ip_address      TEXT,
    user_agent      TEXT,
    correlation_id  TEXT,
    source          TEXT,
    source_event_id TEXT,
    recorded_by     TEXT NOT NULL,
    truncated       TEXT,
    metadata        TEXT NOT NULL,
    terms           TSVECTOR NOT NULL,
    PRIMARY KEY (organization_no, position)
) PARTITION BY RANGE (position);
CREATE INDEX event_search ON event USING gin (terms) WITH (fastupdate = on, gin_pending_list_limit = 16384);

-- From the order of recording to the order of time. A key of a partitioned table must hold the position: this one keeps
-- a sequence from being given twice.
CREATE TABLE event_order (
    organization_no BIGINT NOT NULL,
    sequence        BIGINT NOT NULL,
    position        BIGINT NOT NULL,
    PRIMARY KEY (organization_no, sequence) INCLUDE (position)
);

-- The partitions of `event`: positions from `low` (inclusive) to `high` (exclusive). `sealed_ns`: when the indexes of
-- one whose time is over were last built tight.
CREATE TABLE event_partition (
    low       BIGINT PRIMARY KEY,
    high      BIGINT NOT NULL,
    name      TEXT COLLATE "C" NOT NULL UNIQUE,
    sealed_ns BIGINT
);

-- What an idempotency key has recorded. Both are the first 128 bits of a SHA-256.
CREATE TABLE idempotency (
    organization_no BIGINT NOT NULL,
    key_hash        BYTEA NOT NULL,
    content_hash    BYTEA NOT NULL,
    sequence        BIGINT NOT NULL,
    PRIMARY KEY (organization_no, key_hash)
);

-- Exact counts. grain 0: quarter-hours since 1970, 1: days, 2: all of time (bucket 0).
CREATE TABLE event_count (
    organization_no BIGINT NOT NULL,
    grain           SMALLINT NOT NULL,
    bucket          BIGINT NOT NULL,
    log_no          BIGINT NOT NULL,
    kind_no         BIGINT NOT NULL,
    n               BIGINT NOT NULL,
    PRIMARY KEY (organization_no, grain, bucket, log_no, kind_no)
) WITH (fillfactor = 70);

-- The distinct actors of a tenant.
CREATE TABLE actor_directory (
    organization_no BIGINT NOT NULL,
    hash            BYTEA NOT NULL,
    kind            SMALLINT NOT NULL,
    id              TEXT,
    name            TEXT,
    email           TEXT,
    folded          TEXT COLLATE "C" NOT NULL,
    name_folded     TEXT COLLATE "C",
    email_folded    TEXT COLLATE "C",
    n               BIGINT NOT NULL,
    last_position   BIGINT NOT NULL,
    PRIMARY KEY (organization_no, hash)
) WITH (fillfactor = 70);

-- Append-only, whoever asks.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$;
CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON event FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER event_order_append_only BEFORE UPDATE OR DELETE ON event_order FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER event_order_no_truncate BEFORE TRUNCATE ON event_order FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER idempotency_append_only BEFORE UPDATE OR DELETE ON idempotency FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER idempotency_no_truncate BEFORE TRUNCATE ON idempotency FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
