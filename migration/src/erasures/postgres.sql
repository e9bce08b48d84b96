-- Paths of what of an event was erased, in the form of `truncated`; where there are none, nothing was.
ALTER TABLE event ADD COLUMN erased TEXT;

-- How often something of an organization's events was erased. What is remembered of a head with another number is not
-- trusted, and a replica is asked only once it has this one.
ALTER TABLE organization_head ADD COLUMN erased BIGINT NOT NULL DEFAULT 0;

-- The second door: a transaction that has set `ledgerline.erasure` to `organization:low:high` may empty fields of events of
-- these sequences (both included), and delete their idempotency keys. What goes goes as a whole, and nothing comes in its
-- place. The setting ends with the transaction.
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    door  TEXT;
    whole CONSTANT TEXT[] := ARRAY['actor_id', 'actor_name', 'actor_email', 'on_behalf_of', 'ip_address', 'user_agent',
        'correlation_id', 'source', 'source_event_id', 'recorded_by', 'metadata'];
    lists CONSTANT TEXT[] := ARRAY['resources', 'truncated', 'masked'];
    then_ JSONB;
    now_  JSONB;
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('ledgerline.reindex', true) = 'on' THEN
        IF to_jsonb(OLD) ? 'terms'
            AND to_jsonb(NEW) - 'terms' - 'terms_version' = to_jsonb(OLD) - 'terms' - 'terms_version' THEN
            RETURN NEW;
        END IF;
    END IF;
    IF TG_OP = 'DELETE' THEN
        door := current_setting('ledgerline.removal', true);
        IF door <> '' AND OLD.organization_no = split_part(door, ':', 1)::bigint
            AND OLD.sequence BETWEEN split_part(door, ':', 2)::bigint AND split_part(door, ':', 3)::bigint THEN
            RETURN OLD;
        END IF;
    END IF;
    door := current_setting('ledgerline.erasure', true);
    IF TG_OP <> 'TRUNCATE' AND door <> '' AND OLD.organization_no = split_part(door, ':', 1)::bigint
        AND OLD.sequence BETWEEN split_part(door, ':', 2)::bigint AND split_part(door, ':', 3)::bigint THEN
        then_ := to_jsonb(OLD);
        IF TG_OP = 'DELETE' AND then_ ? 'key_hash' THEN
            RETURN OLD;
        END IF;
        IF TG_OP = 'UPDATE' AND then_ ? 'terms' THEN
            now_ := to_jsonb(NEW);
            IF now_ ->> 'erased' IS NOT NULL
                AND now_ - whole - lists - ARRAY['erased', 'terms', 'terms_version']
                    = then_ - whole - lists - ARRAY['erased', 'terms', 'terms_version']
                AND NOT EXISTS (SELECT 1 FROM unnest(whole) AS field WHERE now_ -> field <> then_ -> field
                    AND coalesce(now_ ->> field, '') NOT IN ('', '{}'))
                AND NOT EXISTS (SELECT 1 FROM unnest(lists) AS field
                    WHERE length(coalesce(now_ ->> field, '')) > length(coalesce(then_ ->> field, ''))) THEN
                RETURN NEW;
            END IF;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

-- Erasures that were asked for. `whom` (JSON) says who is to be erased, and is emptied when it is over. Everything before
-- `next` was looked at. `hold_id`: the hold that keeps it from going on.
CREATE TABLE erasure (
    organization_no BIGINT NOT NULL REFERENCES organization (no),
    id              TEXT COLLATE "C" NOT NULL,
    status          SMALLINT NOT NULL,
    whom            TEXT,
    created_ns      BIGINT NOT NULL,
    created_by      TEXT NOT NULL,
    finished_ns     BIGINT,
    total           BIGINT NOT NULL,
    next            BIGINT NOT NULL,
    events          BIGINT NOT NULL,
    hold_id         TEXT COLLATE "C",
    owner           BIGINT NOT NULL,
    lease_ns        BIGINT NOT NULL,
    PRIMARY KEY (organization_no, id)
);

-- The erasure list: of which events what was erased, without what stood there. A database that is restored from a backup
-- is erased by it once more; `salt` tells whether it is the same event.
CREATE TABLE erased_event (
    organization_no BIGINT NOT NULL,
    sequence        BIGINT NOT NULL,
    salt            BIGINT NOT NULL,
    paths           TEXT NOT NULL,
    erased_ns       BIGINT NOT NULL,
    PRIMARY KEY (organization_no, sequence)
);

-- A row here says that some idempotency keys are stored as hashes without a secret, as earlier versions did.
CREATE TABLE plain_hashes (no BIGINT PRIMARY KEY CHECK (no = 0));
INSERT INTO plain_hashes (no) SELECT 0 WHERE EXISTS (SELECT 1 FROM idempotency);
