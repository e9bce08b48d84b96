-- What a database of Citus has, as far as the service looks at it: one that has it is spoken to as a cluster.
CREATE TABLE pg_dist_partition (logicalrelid regclass, partmethod "char", repmodel "char");
INSERT INTO pg_dist_partition VALUES ('organization_head', 'h', 's');
CREATE TABLE pg_dist_shard (logicalrelid regclass, shardid bigint, shardminvalue text, shardmaxvalue text);
INSERT INTO pg_dist_shard VALUES
    ('organization_head', 1, '-2147483648', '-1'), ('organization_head', 2, '0', '2147483647');
CREATE TABLE pg_dist_placement (shardid bigint, groupid int);
INSERT INTO pg_dist_placement VALUES (1, 1), (2, 2);
CREATE TABLE pg_dist_node (groupid int, nodename text, nodeport int, noderole text, shouldhaveshards boolean);
INSERT INTO pg_dist_node VALUES (1, 'one', 5432, 'primary', true), (2, 'two', 5432, 'primary', true);
CREATE FUNCTION worker_hash(bigint) RETURNS int LANGUAGE sql AS 'SELECT hashint8($1)';
CREATE TABLE pg_dist_local_group (groupid int);
INSERT INTO pg_dist_local_group VALUES (0);
-- A node that is listed here does not answer: it refuses, or it is silent for as long as it stands here.
CREATE TABLE gone_node (groupid int, silent boolean DEFAULT false);
CREATE FUNCTION citus_check_connection_to_node(text, int) RETURNS boolean LANGUAGE sql
    AS 'SELECT NOT EXISTS (SELECT 1 FROM gone_node JOIN pg_dist_node USING (groupid) WHERE nodename = $1)';
CREATE FUNCTION reach_node() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    node int := CASE WHEN worker_hash(NEW.organization_no) < 0 THEN 1 ELSE 2 END;
BEGIN
    IF EXISTS (SELECT 1 FROM gone_node WHERE groupid = node AND NOT silent) THEN
        RAISE EXCEPTION 'connection to the node failed' USING ERRCODE = 'connection_failure';
    END IF;
    WHILE EXISTS (SELECT 1 FROM gone_node WHERE groupid = node) LOOP
        PERFORM pg_sleep(0.05);
    END LOOP;
    RETURN NEW;
END $$;
CREATE TRIGGER reach_node BEFORE INSERT ON event_order FOR EACH ROW EXECUTE FUNCTION reach_node();
CREATE FUNCTION citus_total_relation_size(regclass) RETURNS bigint LANGUAGE sql AS 'SELECT pg_total_relation_size($1)';
CREATE FUNCTION run_command_on_workers(text) RETURNS TABLE (success boolean, result text) LANGUAGE sql
    AS 'SELECT true, NULL::text WHERE false';
