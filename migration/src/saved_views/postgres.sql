-- Views that people have saved: a name, and the question of a list as it stands in a link. Each is its owner's, the subject of
-- a token; one that is shared is seen by whoever reads the organization's log. The index finds what somebody has.
CREATE TABLE saved_view (
    organization_no BIGINT NOT NULL REFERENCES organization (no),
    id              TEXT COLLATE "C" NOT NULL,
    label           TEXT NOT NULL,
    query           TEXT NOT NULL,
    owner           TEXT COLLATE "C" NOT NULL,
    shared          SMALLINT NOT NULL,
    created_ns      BIGINT NOT NULL,
    changed_ns      BIGINT NOT NULL,
    PRIMARY KEY (organization_no, id)
);
CREATE INDEX saved_view_owner ON saved_view (organization_no, shared, owner);
