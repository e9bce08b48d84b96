-- Views that people have saved: a name, and the question of a list as it stands in a link. Each is its owner's, the subject of
-- a token; one that is shared is seen by whoever reads the organization's log. The index finds what somebody has.
CREATE TABLE saved_view (
    organization_no INTEGER NOT NULL REFERENCES organization (no),
    id              TEXT NOT NULL,
    label           TEXT NOT NULL,
    query           TEXT NOT NULL,
    owner           TEXT NOT NULL,
    shared          INTEGER NOT NULL,
    created_ns      INTEGER NOT NULL,
    changed_ns      INTEGER NOT NULL,
    PRIMARY KEY (organization_no, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX saved_view_owner ON saved_view (organization_no, shared, owner);
