-- Takes a partition of events away that has none, as its owner, and says whether it did. Whoever asks proves nothing: under a
-- lock that keeps recording out of this partition, the function looks for itself, and it drops nothing but a partition of
-- events. A transaction with an earlier snapshot than its lock would not see what was recorded meanwhile, so it is refused.
CREATE FUNCTION drop_empty_event_partition(asked TEXT) RETURNS BOOLEAN
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    child REGCLASS;
    is_empty BOOLEAN;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a partition of events is dropped in a transaction that is read committed'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    SELECT i.inhrelid INTO child FROM event_partition p JOIN pg_inherits i ON i.inhrelid = to_regclass(quote_ident(p.name))
    WHERE p.name = asked AND i.inhparent = 'event'::regclass;
    IF child IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('LOCK TABLE ONLY %s IN SHARE MODE', child);
    EXECUTE format('SELECT NOT EXISTS (SELECT 1 FROM ONLY %s)', child) INTO is_empty;
    IF is_empty THEN
        EXECUTE format('DROP TABLE %s', child);
        DELETE FROM event_partition p WHERE p.name = asked;
    END IF;
    RETURN is_empty;
END $$;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION drop_empty_event_partition(text) SET search_path = %I, pg_temp', current_schema());
    REVOKE ALL ON FUNCTION drop_empty_event_partition(text) FROM PUBLIC;
END $$;
