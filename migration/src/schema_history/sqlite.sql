-- Which version of the program has brought a migration: an older program that refuses the schema names it. What is not
-- listed was brought by 0.1.0.
CREATE TABLE schema_history (
    migration TEXT PRIMARY KEY,
    program   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
