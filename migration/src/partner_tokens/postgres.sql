-- Tokens that the service made for partners and for pages that show a log. What a token may do stands here, and nowhere
-- else: `scopes`, `roles` and `logs` are lists in JSON, `plan` and `roles` its maker's. A token of the kind 1 is an opaque
-- key, known by the SHA-256 of it alone. A row is never deleted: it says what there was. The indexes by id and by hash
-- are not unique, because a unique key of a cluster has to carry the organization.
CREATE TABLE partner_token (
    organization_no BIGINT NOT NULL REFERENCES organization (no),
    id              TEXT COLLATE "C" NOT NULL,
    label           TEXT NOT NULL,
    kind            SMALLINT NOT NULL,
    scopes          TEXT NOT NULL,
    roles           TEXT NOT NULL,
    plan            TEXT,
    logs            TEXT NOT NULL,
    key_hash        BYTEA,
    created_ns      BIGINT NOT NULL,
    created_by      TEXT NOT NULL,
    expires_ns      BIGINT NOT NULL,
    revoked_ns      BIGINT,
    last_used_ns    BIGINT,
    PRIMARY KEY (organization_no, id)
);
CREATE INDEX partner_token_id ON partner_token (id);
CREATE INDEX partner_token_key ON partner_token (key_hash) WHERE key_hash IS NOT NULL;

-- Public keys that tokens of the service are checked with: every process finds those of the others here.
CREATE TABLE issuer_key (
    kid        TEXT COLLATE "C" PRIMARY KEY,
    public_key BYTEA NOT NULL,
    created_ns BIGINT NOT NULL
);
