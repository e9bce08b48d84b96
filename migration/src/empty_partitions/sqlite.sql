-- SQLite keeps events in one table.
SELECT 1;
