-- SQLite knows no roles.
SELECT 1;
