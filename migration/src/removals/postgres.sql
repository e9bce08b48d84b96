-- How many events of an organization have left. What is remembered of a head with another number is not trusted.
ALTER TABLE organization_head ADD COLUMN removed BIGINT NOT NULL DEFAULT 0;

-- The one door through the triggers: a transaction that has set `ledgerline.removal` to `organization:low:high` may delete
-- events of these sequences (both included). The setting ends with the transaction.
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    door TEXT;
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
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

-- Whoever removes an event knows its sequence, not its key.
CREATE INDEX idempotency_sequence ON idempotency (organization_no, sequence);

-- What must not leave while it is there. `question` (log, filter) is JSON.
CREATE TABLE hold (
    organization_no BIGINT NOT NULL REFERENCES organization (no),
    id              TEXT COLLATE "C" NOT NULL,
    label           TEXT NOT NULL,
    question        TEXT NOT NULL,
    created_ns      BIGINT NOT NULL,
    created_by      TEXT NOT NULL,
    PRIMARY KEY (organization_no, id)
);

-- For how many days an organization wants its events kept, other than its product says: of a level, or, where that is
-- empty, of all. Without a number, for ever.
CREATE TABLE retention (
    organization_no BIGINT NOT NULL REFERENCES organization (no),
    level           TEXT COLLATE "C" NOT NULL,
    days            BIGINT,
    changed_ns      BIGINT NOT NULL,
    changed_by      TEXT NOT NULL,
    PRIMARY KEY (organization_no, level)
);

-- How far the sweep of what is kept for so many days has got: everything before `next` was looked at under `rules`.
-- `untold`: events that it has removed since it last recorded how many.
CREATE TABLE sweep (
    organization_no BIGINT NOT NULL REFERENCES organization (no),
    days            BIGINT NOT NULL,
    next            BIGINT NOT NULL,
    rules           TEXT NOT NULL,
    untold          BIGINT NOT NULL,
    PRIMARY KEY (organization_no, days)
);

-- The latest time at which a sweep believed the clock.
CREATE TABLE sweep_clock (
    no         BIGINT PRIMARY KEY CHECK (no = 0),
    trusted_ns BIGINT NOT NULL
);
