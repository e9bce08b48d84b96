-- Organizations whose search terms are being made anew: `done` is the sequence up to which (exclusive) they are. A
-- migration that comes with a new way to read text into words adds all; `ledgerline reindex` takes them off.
CREATE TABLE stale_terms (
    organization_no BIGINT PRIMARY KEY REFERENCES organization (no),
    done            BIGINT NOT NULL
);

-- Append-only, whoever asks, but for the terms of an event, which follow from what it says: a transaction that has set
-- `ledgerline.reindex` may change them, and nothing else.
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('ledgerline.reindex', true) = 'on' THEN
        IF to_jsonb(OLD) ? 'terms'
            AND to_jsonb(NEW) - 'terms' - 'terms_version' = to_jsonb(OLD) - 'terms' - 'terms_version' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
