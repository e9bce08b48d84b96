-- The plan of an organization whose tokens carry none.
CREATE TABLE organization_plan (
    organization_no BIGINT NOT NULL PRIMARY KEY REFERENCES organization (no),
    plan            TEXT NOT NULL,
    changed_ns      BIGINT NOT NULL,
    changed_by      TEXT NOT NULL
);
