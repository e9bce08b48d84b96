-- What a role needs done that serves and owns nothing: each does one thing to partitions of events as their owner, for
-- whoever was granted to ask. The search path is fixed, so that nobody puts tables of their own in the place of ours.
CREATE FUNCTION make_event_partition(low BIGINT, high BIGINT, name TEXT) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF name !~ '^event_[0-9a-z_]{1,40}$' THEN
        RAISE EXCEPTION 'a partition of events is not called %', name USING ERRCODE = 'invalid_parameter_value';
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE event INCLUDING ALL)', name);
    EXECUTE format('CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT '
        'EXECUTE FUNCTION refuse_change()', name);
    EXECUTE format('ALTER TABLE event ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', name,
        CASE low WHEN -9223372036854775808 THEN 'MINVALUE' ELSE low::text END, high);
    INSERT INTO event_partition (low, high, name) VALUES (low, high, name);
END $$;

CREATE FUNCTION merge_event_search(names TEXT[]) RETURNS TABLE (name TEXT, pages BIGINT)
LANGUAGE sql SECURITY DEFINER AS $$
    SELECT p.name, CAST(sum(gin_clean_pending_list(i.indexrelid)) AS BIGINT) FROM event_partition p
    JOIN pg_index i ON i.indrelid = p.name::regclass JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_am a ON a.oid = c.relam AND a.amname = 'gin'
    WHERE names IS NULL OR p.name = ANY (names) GROUP BY p.name
$$;

DO $$
DECLARE
    signature TEXT;
BEGIN
    FOREACH signature IN ARRAY ARRAY['make_event_partition(bigint, bigint, text)', 'merge_event_search(text[])'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', signature, current_schema());
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
    END LOOP;
END $$;
