--
-- PostgreSQL database dump
--


-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: refuse_change(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: kind; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.kind (
    organization_no bigint NOT NULL,
    no bigint NOT NULL,
    action text NOT NULL,
    category text,
    outcome smallint
);


--
-- Name: actor_directory; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.actor_directory (
    organization_no bigint NOT NULL,
    hash bytea NOT NULL,
    kind smallint NOT NULL,
    id text,
    name text,
    email text,
    folded text NOT NULL COLLATE pg_catalog."C",
    name_folded text COLLATE pg_catalog."C",
    email_folded text COLLATE pg_catalog."C",
    n bigint NOT NULL,
    last_position bigint NOT NULL
)
WITH (fillfactor='70');


--
-- Name: event; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event (
    organization_no bigint NOT NULL,
    sequence bigint NOT NULL,
    "position" bigint NOT NULL,
    salt bigint NOT NULL,
    log_no bigint NOT NULL,
    occurred_ns bigint NOT NULL,
    recorded_ns bigint NOT NULL,
    outcome smallint,
    actor_kind smallint NOT NULL,
    terms_version smallint NOT NULL,
    action text NOT NULL COLLATE pg_catalog."C",
    category text COLLATE pg_catalog."C",
    actor_id text COLLATE pg_catalog."C",
    actor_name text,
    actor_email text COLLATE pg_catalog."C",
    on_behalf_of text,
    resources text,
    ip_address text,
    user_agent text,
    correlation_id text,
    source text,
    source_event_id text,
    recorded_by text NOT NULL,
    truncated text,
    metadata text NOT NULL,
    terms tsvector NOT NULL
)
PARTITION BY RANGE ("position");


--
-- Name: event_199501_199512; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event_199501_199512 (
    organization_no bigint NOT NULL,
    sequence bigint NOT NULL,
    "position" bigint NOT NULL,
    salt bigint NOT NULL,
    log_no bigint NOT NULL,
    occurred_ns bigint NOT NULL,
    recorded_ns bigint NOT NULL,
    outcome smallint,
    actor_kind smallint NOT NULL,
    terms_version smallint NOT NULL,
    action text NOT NULL COLLATE pg_catalog."C",
    category text COLLATE pg_catalog."C",
    actor_id text COLLATE pg_catalog."C",
    actor_name text,
    actor_email text COLLATE pg_catalog."C",
    on_behalf_of text,
    resources text,
    ip_address text,
    user_agent text,
    correlation_id text,
    source text,
    source_event_id text,
    recorded_by text NOT NULL,
    truncated text,
    metadata text NOT NULL,
    terms tsvector NOT NULL
);


--
-- Name: event_201901_201912; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event_201901_201912 (
    organization_no bigint NOT NULL,
    sequence bigint NOT NULL,
    "position" bigint NOT NULL,
    salt bigint NOT NULL,
    log_no bigint NOT NULL,
    occurred_ns bigint NOT NULL,
    recorded_ns bigint NOT NULL,
    outcome smallint,
    actor_kind smallint NOT NULL,
    terms_version smallint NOT NULL,
    action text NOT NULL COLLATE pg_catalog."C",
    category text COLLATE pg_catalog."C",
    actor_id text COLLATE pg_catalog."C",
    actor_name text,
    actor_email text COLLATE pg_catalog."C",
    on_behalf_of text,
    resources text,
    ip_address text,
    user_agent text,
    correlation_id text,
    source text,
    source_event_id text,
    recorded_by text NOT NULL,
    truncated text,
    metadata text NOT NULL,
    terms tsvector NOT NULL
);


--
-- Name: event_202601; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event_202601 (
    organization_no bigint NOT NULL,
    sequence bigint NOT NULL,
    "position" bigint NOT NULL,
    salt bigint NOT NULL,
    log_no bigint NOT NULL,
    occurred_ns bigint NOT NULL,
    recorded_ns bigint NOT NULL,
    outcome smallint,
    actor_kind smallint NOT NULL,
    terms_version smallint NOT NULL,
    action text NOT NULL COLLATE pg_catalog."C",
    category text COLLATE pg_catalog."C",
    actor_id text COLLATE pg_catalog."C",
    actor_name text,
    actor_email text COLLATE pg_catalog."C",
    on_behalf_of text,
    resources text,
    ip_address text,
    user_agent text,
    correlation_id text,
    source text,
    source_event_id text,
    recorded_by text NOT NULL,
    truncated text,
    metadata text NOT NULL,
    terms tsvector NOT NULL
);


--
-- Name: event_202602; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event_202602 (
    organization_no bigint NOT NULL,
    sequence bigint NOT NULL,
    "position" bigint NOT NULL,
    salt bigint NOT NULL,
    log_no bigint NOT NULL,
    occurred_ns bigint NOT NULL,
    recorded_ns bigint NOT NULL,
    outcome smallint,
    actor_kind smallint NOT NULL,
    terms_version smallint NOT NULL,
    action text NOT NULL COLLATE pg_catalog."C",
    category text COLLATE pg_catalog."C",
    actor_id text COLLATE pg_catalog."C",
    actor_name text,
    actor_email text COLLATE pg_catalog."C",
    on_behalf_of text,
    resources text,
    ip_address text,
    user_agent text,
    correlation_id text,
    source text,
    source_event_id text,
    recorded_by text NOT NULL,
    truncated text,
    metadata text NOT NULL,
    terms tsvector NOT NULL
);


--
-- Name: event_202603; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event_202603 (
    organization_no bigint NOT NULL,
    sequence bigint NOT NULL,
    "position" bigint NOT NULL,
    salt bigint NOT NULL,
    log_no bigint NOT NULL,
    occurred_ns bigint NOT NULL,
    recorded_ns bigint NOT NULL,
    outcome smallint,
    actor_kind smallint NOT NULL,
    terms_version smallint NOT NULL,
    action text NOT NULL COLLATE pg_catalog."C",
    category text COLLATE pg_catalog."C",
    actor_id text COLLATE pg_catalog."C",
    actor_name text,
    actor_email text COLLATE pg_catalog."C",
    on_behalf_of text,
    resources text,
    ip_address text,
    user_agent text,
    correlation_id text,
    source text,
    source_event_id text,
    recorded_by text NOT NULL,
    truncated text,
    metadata text NOT NULL,
    terms tsvector NOT NULL
);


--
-- Name: event_202604; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event_202604 (
    organization_no bigint NOT NULL,
    sequence bigint NOT NULL,
    "position" bigint NOT NULL,
    salt bigint NOT NULL,
    log_no bigint NOT NULL,
    occurred_ns bigint NOT NULL,
    recorded_ns bigint NOT NULL,
    outcome smallint,
    actor_kind smallint NOT NULL,
    terms_version smallint NOT NULL,
    action text NOT NULL COLLATE pg_catalog."C",
    category text COLLATE pg_catalog."C",
    actor_id text COLLATE pg_catalog."C",
    actor_name text,
    actor_email text COLLATE pg_catalog."C",
    on_behalf_of text,
    resources text,
    ip_address text,
    user_agent text,
    correlation_id text,
    source text,
    source_event_id text,
    recorded_by text NOT NULL,
    truncated text,
    metadata text NOT NULL,
    terms tsvector NOT NULL
);


--
-- Name: event_202605; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event_202605 (
    organization_no bigint NOT NULL,
    sequence bigint NOT NULL,
    "position" bigint NOT NULL,
    salt bigint NOT NULL,
    log_no bigint NOT NULL,
    occurred_ns bigint NOT NULL,
    recorded_ns bigint NOT NULL,
    outcome smallint,
    actor_kind smallint NOT NULL,
    terms_version smallint NOT NULL,
    action text NOT NULL COLLATE pg_catalog."C",
    category text COLLATE pg_catalog."C",
    actor_id text COLLATE pg_catalog."C",
    actor_name text,
    actor_email text COLLATE pg_catalog."C",
    on_behalf_of text,
    resources text,
    ip_address text,
    user_agent text,
    correlation_id text,
    source text,
    source_event_id text,
    recorded_by text NOT NULL,
    truncated text,
    metadata text NOT NULL,
    terms tsvector NOT NULL
);


--
-- Name: event_202606; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event_202606 (
    organization_no bigint NOT NULL,
    sequence bigint NOT NULL,
    "position" bigint NOT NULL,
    salt bigint NOT NULL,
    log_no bigint NOT NULL,
    occurred_ns bigint NOT NULL,
    recorded_ns bigint NOT NULL,
    outcome smallint,
    actor_kind smallint NOT NULL,
    terms_version smallint NOT NULL,
    action text NOT NULL COLLATE pg_catalog."C",
    category text COLLATE pg_catalog."C",
    actor_id text COLLATE pg_catalog."C",
    actor_name text,
    actor_email text COLLATE pg_catalog."C",
    on_behalf_of text,
    resources text,
    ip_address text,
    user_agent text,
    correlation_id text,
    source text,
    source_event_id text,
    recorded_by text NOT NULL,
    truncated text,
    metadata text NOT NULL,
    terms tsvector NOT NULL
);


--
-- Name: event_202607; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event_202607 (
    organization_no bigint NOT NULL,
    sequence bigint NOT NULL,
    "position" bigint NOT NULL,
    salt bigint NOT NULL,
    log_no bigint NOT NULL,
    occurred_ns bigint NOT NULL,
    recorded_ns bigint NOT NULL,
    outcome smallint,
    actor_kind smallint NOT NULL,
    terms_version smallint NOT NULL,
    action text NOT NULL COLLATE pg_catalog."C",
    category text COLLATE pg_catalog."C",
    actor_id text COLLATE pg_catalog."C",
    actor_name text,
    actor_email text COLLATE pg_catalog."C",
    on_behalf_of text,
    resources text,
    ip_address text,
    user_agent text,
    correlation_id text,
    source text,
    source_event_id text,
    recorded_by text NOT NULL,
    truncated text,
    metadata text NOT NULL,
    terms tsvector NOT NULL
);


--
-- Name: event_202608; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event_202608 (
    organization_no bigint NOT NULL,
    sequence bigint NOT NULL,
    "position" bigint NOT NULL,
    salt bigint NOT NULL,
    log_no bigint NOT NULL,
    occurred_ns bigint NOT NULL,
    recorded_ns bigint NOT NULL,
    outcome smallint,
    actor_kind smallint NOT NULL,
    terms_version smallint NOT NULL,
    action text NOT NULL COLLATE pg_catalog."C",
    category text COLLATE pg_catalog."C",
    actor_id text COLLATE pg_catalog."C",
    actor_name text,
    actor_email text COLLATE pg_catalog."C",
    on_behalf_of text,
    resources text,
    ip_address text,
    user_agent text,
    correlation_id text,
    source text,
    source_event_id text,
    recorded_by text NOT NULL,
    truncated text,
    metadata text NOT NULL,
    terms tsvector NOT NULL
);


--
-- Name: event_202609; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event_202609 (
    organization_no bigint NOT NULL,
    sequence bigint NOT NULL,
    "position" bigint NOT NULL,
    salt bigint NOT NULL,
    log_no bigint NOT NULL,
    occurred_ns bigint NOT NULL,
    recorded_ns bigint NOT NULL,
    outcome smallint,
    actor_kind smallint NOT NULL,
    terms_version smallint NOT NULL,
    action text NOT NULL COLLATE pg_catalog."C",
    category text COLLATE pg_catalog."C",
    actor_id text COLLATE pg_catalog."C",
    actor_name text,
    actor_email text COLLATE pg_catalog."C",
    on_behalf_of text,
    resources text,
    ip_address text,
    user_agent text,
    correlation_id text,
    source text,
    source_event_id text,
    recorded_by text NOT NULL,
    truncated text,
    metadata text NOT NULL,
    terms tsvector NOT NULL
);


--
-- Name: event_202611; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event_202611 (
    organization_no bigint NOT NULL,
    sequence bigint NOT NULL,
    "position" bigint NOT NULL,
    salt bigint NOT NULL,
    log_no bigint NOT NULL,
    occurred_ns bigint NOT NULL,
    recorded_ns bigint NOT NULL,
    outcome smallint,
    actor_kind smallint NOT NULL,
    terms_version smallint NOT NULL,
    action text NOT NULL COLLATE pg_catalog."C",
    category text COLLATE pg_catalog."C",
    actor_id text COLLATE pg_catalog."C",
    actor_name text,
    actor_email text COLLATE pg_catalog."C",
    on_behalf_of text,
    resources text,
    ip_address text,
    user_agent text,
    correlation_id text,
    source text,
    source_event_id text,
    recorded_by text NOT NULL,
    truncated text,
    metadata text NOT NULL,
    terms tsvector NOT NULL
);


--
-- Name: event_202612; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event_202612 (
    organization_no bigint NOT NULL,
    sequence bigint NOT NULL,
    "position" bigint NOT NULL,
    salt bigint NOT NULL,
    log_no bigint NOT NULL,
    occurred_ns bigint NOT NULL,
    recorded_ns bigint NOT NULL,
    outcome smallint,
    actor_kind smallint NOT NULL,
    terms_version smallint NOT NULL,
    action text NOT NULL COLLATE pg_catalog."C",
    category text COLLATE pg_catalog."C",
    actor_id text COLLATE pg_catalog."C",
    actor_name text,
    actor_email text COLLATE pg_catalog."C",
    on_behalf_of text,
    resources text,
    ip_address text,
    user_agent text,
    correlation_id text,
    source text,
    source_event_id text,
    recorded_by text NOT NULL,
    truncated text,
    metadata text NOT NULL,
    terms tsvector NOT NULL
);


--
-- Name: event_202701; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event_202701 (
    organization_no bigint NOT NULL,
    sequence bigint NOT NULL,
    "position" bigint NOT NULL,
    salt bigint NOT NULL,
    log_no bigint NOT NULL,
    occurred_ns bigint NOT NULL,
    recorded_ns bigint NOT NULL,
    outcome smallint,
    actor_kind smallint NOT NULL,
    terms_version smallint NOT NULL,
    action text NOT NULL COLLATE pg_catalog."C",
    category text COLLATE pg_catalog."C",
    actor_id text COLLATE pg_catalog."C",
    actor_name text,
    actor_email text COLLATE pg_catalog."C",
    on_behalf_of text,
    resources text,
    ip_address text,
    user_agent text,
    correlation_id text,
    source text,
    source_event_id text,
    recorded_by text NOT NULL,
    truncated text,
    metadata text NOT NULL,
    terms tsvector NOT NULL
);


--
-- Name: event_count; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event_count (
    organization_no bigint NOT NULL,
    grain smallint NOT NULL,
    bucket bigint NOT NULL,
    log_no bigint NOT NULL,
    kind_no bigint NOT NULL,
    n bigint NOT NULL
)
WITH (fillfactor='70');


--
-- Name: event_order; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event_order (
    organization_no bigint NOT NULL,
    sequence bigint NOT NULL,
    "position" bigint NOT NULL
);


--
-- Name: event_partition; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event_partition (
    low bigint NOT NULL,
    high bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    sealed_ns bigint
);


--
-- Name: idempotency; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.idempotency (
    organization_no bigint NOT NULL,
    key_hash bytea NOT NULL,
    content_hash bytea NOT NULL,
    sequence bigint NOT NULL
);


--
-- Name: log; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.log (
    organization_no bigint NOT NULL,
    no bigint NOT NULL,
    level text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    name text,
    parent_no bigint,
    deleted_ns bigint,
    salt bigint NOT NULL
);


--
-- Name: organization; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.organization (
    no bigint NOT NULL,
    product text NOT NULL COLLATE pg_catalog."C",
    external_id text NOT NULL COLLATE pg_catalog."C",
    created_ns bigint NOT NULL,
    CONSTRAINT organization_no_check CHECK (((no >= 0) AND (no <= 60466175)))
);


--
-- Name: organization_head; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.organization_head (
    organization_no bigint NOT NULL,
    size bigint NOT NULL,
    spill bigint NOT NULL,
    recorded_ns bigint NOT NULL,
    dictionary bigint NOT NULL,
    last_salt bigint NOT NULL
)
WITH (fillfactor='50');


--
-- Name: seaql_migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.seaql_migrations (
    version character varying NOT NULL,
    applied_at bigint NOT NULL
);


--
-- Name: event_199501_199512; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event ATTACH PARTITION public.event_199501_199512 FOR VALUES FROM ('1615704883200000000') TO ('1680290611200000000');


--
-- Name: event_201901_201912; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event ATTACH PARTITION public.event_201901_201912 FOR VALUES FROM ('3166824038400000000') TO ('3231409766400000000');


--
-- Name: event_202601; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event ATTACH PARTITION public.event_202601 FOR VALUES FROM ('3619278028800000000') TO ('3624763392000000000');


--
-- Name: event_202602; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event ATTACH PARTITION public.event_202602 FOR VALUES FROM ('3624763392000000000') TO ('3629717913600000000');


--
-- Name: event_202603; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event ATTACH PARTITION public.event_202603 FOR VALUES FROM ('3629717913600000000') TO ('3635203276800000000');


--
-- Name: event_202604; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event ATTACH PARTITION public.event_202604 FOR VALUES FROM ('3635203276800000000') TO ('3640511692800000000');


--
-- Name: event_202605; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event ATTACH PARTITION public.event_202605 FOR VALUES FROM ('3640511692800000000') TO ('3645997056000000000');


--
-- Name: event_202606; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event ATTACH PARTITION public.event_202606 FOR VALUES FROM ('3645997056000000000') TO ('3651305472000000000');


--
-- Name: event_202607; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event ATTACH PARTITION public.event_202607 FOR VALUES FROM ('3651305472000000000') TO ('3656790835200000000');


--
-- Name: event_202608; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event ATTACH PARTITION public.event_202608 FOR VALUES FROM ('3656790835200000000') TO ('3662276198400000000');


--
-- Name: event_202609; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event ATTACH PARTITION public.event_202609 FOR VALUES FROM ('3662276198400000000') TO ('3667584614400000000');


--
-- Name: event_202611; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event ATTACH PARTITION public.event_202611 FOR VALUES FROM ('3673069977600000000') TO ('3678378393600000000');


--
-- Name: event_202612; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event ATTACH PARTITION public.event_202612 FOR VALUES FROM ('3678378393600000000') TO ('3683863756800000000');


--
-- Name: event_202701; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event ATTACH PARTITION public.event_202701 FOR VALUES FROM ('3683863756800000000') TO ('3689349120000000000');


--
-- Data for Name: kind; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.kind VALUES
	(1, 0, 'api_key.created', 'api_key', NULL),
	(1, 1, 'project.import_started', 'project', 2),
	(1, 2, 'project.import_preflight', 'project', 1),
	(1, 3, 'project.import_preflight', 'project', NULL),
	(1, 4, 'webhook_endpoint.created', 'webhook', NULL),
	(1, 5, 'api_key.revoked', 'api_key', NULL),
	(2, 0, 'api_key.created', 'api_key', NULL);


--
-- Data for Name: actor_directory; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.actor_directory VALUES
	(1, '\x0de7d63d9ba20e654948244edf4f30c2', 3, 's_6', 'Staff 6', NULL, 'staff 6
s_6', 'staff 6', NULL, 1, 3652264673280000000),
	(1, '\x1a40b29aa486e7466aa6f70c0e179cb1', 3, 's_12', 'Staff 12', NULL, 'staff 12
s_12', 'staff 12', NULL, 1, 3637224898560000000),
	(1, '\x365b15340df9ceda42e931b6cd55fe28', 1, 'key_1', 'CI', NULL, 'ci
key_1', 'ci', NULL, 1, 3198851481599997952),
	(1, '\x480dbac5a20666e97aa27ab12cedae5c', 3, 's_15', 'Staff 15', NULL, 'staff 15
s_15', 'staff 15', NULL, 1, 3653858304000000000),
	(1, '\x4b8d5676cdb5887134fe15dd45293273', 3, 's_21', 'Staff 21', NULL, 'staff 21
s_21', 'staff 21', NULL, 1, 3638818529280000000),
	(1, '\x5caee7e4869b44330cd93f0feaf3ebd3', 3, 's_18', 'Staff 18', NULL, 'staff 18
s_18', 'staff 18', NULL, 1, 3622362071040000000),
	(1, '\x758bd6e6a45ff27182ff47d92ba79097', 3, 's_24', 'Staff 24', NULL, 'staff 24
s_24', 'staff 24', NULL, 1, 3655451934720000000),
	(1, '\x804f4819220aa3e038fc3a5e77c65e17', 3, 's_9', 'Staff 9', NULL, 'staff 9
s_9', 'staff 9', NULL, 1, 3620768440320000000),
	(1, '\x8beef8c50619dcc34c3c3951d776986a', 0, 'u_ada', 'Ada Lovelace', 'ada@example.com', 'ada lovelace
ada@example.com
u_ada', 'ada lovelace', 'ada@example.com', 15, 3665183170560000000),
	(1, '\xdbb1b53cccfe8a45d825481b24f471ce', 0, NULL, NULL, 'éva@duff.example', 'éva@duff.example', NULL, 'éva@duff.example', 1, 3619477598208000000),
	(1, '\xfd5a58a1b19d537e2bc4acfb862e9ab5', 4, NULL, NULL, NULL, '', NULL, NULL, 1, 3625102540800000000),
	(2, '\x26d85bdc4bc4f9cfc742a1eef43eb9c8', 0, 'u_3', NULL, NULL, 'u_3', NULL, NULL, 1, 3673600819200000000),
	(2, '\x3ebfadf7864cf307e36846fb6ec56a02', 0, 'u_5', NULL, NULL, 'u_5', NULL, NULL, 1, 3673954713600000000),
	(2, '\x696e6c2a5359cfd1d43947b050149bd4', 0, 'u_4', NULL, NULL, 'u_4', NULL, NULL, 1, 3673777766400000000),
	(2, '\xa04366a9c157e5ea9559c54e146ddfbf', 0, 'u_1', NULL, NULL, 'u_1', NULL, NULL, 1, 3673246924800000000),
	(2, '\xa32bdb6dc744985c71eb5f0cf77e4778', 0, 'u_0', NULL, NULL, 'u_0', NULL, NULL, 1, 3673069977600000000),
	(2, '\xbe93da407dac8374ebc34f0722cb2b10', 0, 'u_2', NULL, NULL, 'u_2', NULL, NULL, 1, 3673423872000000000);


--
-- Data for Name: event_199501_199512; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.event_199501_199512 VALUES
	(1, 0, 1626144768000000000, 643262604626, 0, 794016000000000000, 1795644120922573068, NULL, 0, 1, 'api_key.created', 'api_key', 'u_ada', 'Ada Lovelace', 'ada@example.com', NULL, '[{"id":"key_0","name":"First key","type":"api_key"}]', NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{}', '''110'' ''11=a0srdf35tla7m3u33v2q9437tc8'' ''11=b2mpl1lol7lc0ambssc8vu7t10m'' ''11=c1ejf3ciiicnnv2kceirtsh0eiu'' ''11=e5lvi2ualqlv7gd0c511aq456rb'' ''11=i7k8ia0lh34gssm0s8os5ujagr2'' ''11=k0'' ''11=m3meg11c5oli683pmuhhuu7e3fk'' ''11=n0'' ''11=o0'' ''11=p1'' ''11=r5t56njmdfrsud310tj03ekg500'' ''11=t1ejf3ciiicnnv2kceirtsh0eiu'' ''11=w6gu2vdbkidjqdt9c1a48vlb4eh'' ''11ada'' ''11api'' ''11com'' ''11created'' ''11example'' ''11first'' ''11key'' ''11lovelace'' ''11u''');


--
-- Data for Name: event_201901_201912; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.event_201901_201912 VALUES
	(1, 1, 3198851481599997952, 888120066510, 1, 1561939199999999999, 1795644120922573068, 2, 1, 1, 'project.import_started', 'project', 'key_1', 'CI', NULL, '{"email":"ada@example.com","id":"u_ada","kind":"USER","name":"Ada Lovelace"}', NULL, NULL, NULL, 'job-1', NULL, NULL, 'import', NULL, '{}', '''111'' ''11=a36d68ip6ajjdau55pga77unkav'' ''11=cproject'' ''11=i0c13dt9bdm8sm1ng2f2t992lsh'' ''11=k1'' ''11=m7uhrglne3d4ujnuaj2nloropcj'' ''11=n0'' ''11=n1'' ''11=o1'' ''11=p1'' ''11=q02dar3jggtv2l81pboidoajmor'' ''11=u2'' ''11ci'' ''11import'' ''11key'' ''11project'' ''11started''');


--
-- Data for Name: event_202601; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.event_202601 VALUES
	(1, 2, 3619477597550389248, 1047510202506, 1, 1767323045678901234, 1795644120922573068, 1, 0, 1, 'project.import_preflight', 'project', 'u_ada', 'Ada Lovelace', 'ada@example.com', NULL, NULL, '192.0.2.7', 'curl/8.5.0 🚀', NULL, 'api', 'e-2', 'import', NULL, '{"reason": "cannot reach the host", "port": 5432}', '''110'' ''11192'' ''112'' ''115'' ''115432'' ''117'' ''118'' ''11=a6hk7pspnp9q3kp0rp6jj1mu7r8'' ''11=cproject'' ''11=e5lvi2ualqlv7gd0c511aq456rb'' ''11=i7k8ia0lh34gssm0s8os5ujagr2'' ''11=k0'' ''11=m3meg11c5oli683pmuhhuu7e3fk'' ''11=n0'' ''11=n1'' ''11=o1'' ''11=p1'' ''11=sapi'' ''11=u1'' ''11=v3m3khgk1n6f3ngq66kj5uqqqpj'' ''11=x1nrbb7fjob76bt1tet1ls8ju2b'' ''11ada'' ''11cannot'' ''11com'' ''11curl'' ''11example'' ''11host'' ''11import'' ''11lovelace'' ''11preflight'' ''11project'' ''11reach'' ''11the'' ''11u'''),
	(1, 3, 3619477598208000000, 922453888138, 2, 1767323046000000000, 1795644120922573068, NULL, 0, 1, 'project.import_preflight', 'project', NULL, NULL, 'éva@duff.example', NULL, '[{"id":"db.example","type":"host"},{"name":"日本語テスト"}]', NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{}', '''11=a6hk7pspnp9q3kp0rp6jj1mu7r8'' ''11=b2kfqn9gk0qcels25dpaungqqnn'' ''11=cproject'' ''11=e7ptf3f059s9sr6q69a5kkofsf6'' ''11=k0'' ''11=n0'' ''11=n2'' ''11=o2'' ''11=p1'' ''11=r5hnutphd7nr0cp94uhf7iomn4i'' ''11=thost'' ''11=w2b17fvluq2umo6jhja0a1l4f0e'' ''11db'' ''11duff'' ''11example'' ''11host'' ''11import'' ''11preflight'' ''11project'' ''11éva'' ''11日本語テスト'''),
	(1, 9, 3620768440320000000, 858781780966, 0, 1767953340000000000, 1795644120922573068, NULL, 3, 1, 'api_key.created', 'api_key', 's_9', 'Staff 9', NULL, NULL, '[{"id":"key_9","type":"api_key"}]', NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{"n": 9, "word": "hay"}', '''119'' ''11=a0srdf35tla7m3u33v2q9437tc8'' ''11=b60ic06pb08phgr4lc37l1m9vh2'' ''11=c1ejf3ciiicnnv2kceirtsh0eiu'' ''11=i6fquuioo233lgc4ofqqil56cvh'' ''11=k3'' ''11=m70lo4g17ktnf7e20jgs6oci427'' ''11=n0'' ''11=o0'' ''11=p1'' ''11=r2k3edlnf0u5b123ia690mdfmgj'' ''11=t1ejf3ciiicnnv2kceirtsh0eiu'' ''11api'' ''11created'' ''11hay'' ''11key'' ''11s'' ''11staff'''),
	(1, 18, 3622362071040000000, 457589329487, 0, 1768731480000000000, 1795644120922573068, NULL, 3, 1, 'api_key.revoked', 'api_key', 's_18', 'Staff 18', NULL, NULL, '[{"id":"key_18","type":"api_key"}]', NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{"n": 18, "word": "hay"}', '''1118'' ''11=a3ritugtoq67htmu7rj70d93qio'' ''11=b7g7tkp0j9ch0d79pgmaptbltmb'' ''11=c1ejf3ciiicnnv2kceirtsh0eiu'' ''11=i6kj5g4jmf5n5rt0q02s0o234dp'' ''11=k3'' ''11=m2s9s9aa41j998iglmhn57t8i61'' ''11=n0'' ''11=o0'' ''11=p1'' ''11=r34htrrv2emhntvhf0alfro7u1b'' ''11=t1ejf3ciiicnnv2kceirtsh0eiu'' ''11api'' ''11hay'' ''11key'' ''11revoked'' ''11s'' ''11staff''');


--
-- Data for Name: event_202602; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.event_202602 VALUES
	(1, 4, 3625102540800000000, 762672099809, 0, 1770069600000000000, 1795644120922573068, NULL, 4, 1, 'webhook_endpoint.created', 'webhook', NULL, NULL, NULL, NULL, NULL, NULL, 'Mozilla/5.0', NULL, NULL, 'éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé', 'import', '["sourceEventId"]', '{"url": "https://example.com/hook"}', '''110'' ''115'' ''11=a56i6ubnh5icsfgb96mt0e9nto5'' ''11=cwebhook'' ''11=k4'' ''11=n0'' ''11=o0'' ''11=p0'' ''11=v0ch57honeban21kaq3ko69tt8q'' ''11=z1'' ''11com'' ''11created'' ''11endpoint'' ''11example'' ''11hook'' ''11https'' ''11mozilla'' ''11webhook'''),
	(1, 10, 3626430873600000000, 546416964492, 0, 1770718200000000000, 1795644120922573068, NULL, 0, 1, 'api_key.revoked', 'api_key', 'u_ada', 'Ada Lovelace', 'ada@example.com', NULL, '[{"id":"key_10","type":"api_key"}]', NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{"n": 10, "word": "hay"}', '''1110'' ''11=a3ritugtoq67htmu7rj70d93qio'' ''11=b43444356sl77idisa4butkagu2'' ''11=c1ejf3ciiicnnv2kceirtsh0eiu'' ''11=e5lvi2ualqlv7gd0c511aq456rb'' ''11=i7k8ia0lh34gssm0s8os5ujagr2'' ''11=k0'' ''11=m3meg11c5oli683pmuhhuu7e3fk'' ''11=n0'' ''11=o0'' ''11=p1'' ''11=r31ic80tf7rgmpibgf59p42d166'' ''11=t1ejf3ciiicnnv2kceirtsh0eiu'' ''11ada'' ''11api'' ''11com'' ''11example'' ''11hay'' ''11key'' ''11lovelace'' ''11revoked'' ''11u'''),
	(1, 19, 3628024504320000000, 661840328676, 0, 1771496340000000000, 1795644120922573068, NULL, 0, 1, 'api_key.created', 'api_key', 'u_ada', 'Ada Lovelace', 'ada@example.com', NULL, '[{"id":"key_19","type":"api_key"}]', NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{"n": 19, "word": "hay"}', '''1119'' ''11=a0srdf35tla7m3u33v2q9437tc8'' ''11=b35k8ienjrdqp5il2bl3m9p8uvn'' ''11=c1ejf3ciiicnnv2kceirtsh0eiu'' ''11=e5lvi2ualqlv7gd0c511aq456rb'' ''11=i7k8ia0lh34gssm0s8os5ujagr2'' ''11=k0'' ''11=m3meg11c5oli683pmuhhuu7e3fk'' ''11=n0'' ''11=o0'' ''11=p1'' ''11=r40u2jds120ppunu0789mbpb3o4'' ''11=t1ejf3ciiicnnv2kceirtsh0eiu'' ''11ada'' ''11api'' ''11com'' ''11created'' ''11example'' ''11hay'' ''11key'' ''11lovelace'' ''11u''');


--
-- Data for Name: event_202603; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.event_202603 VALUES
	(1, 11, 3631562465280000000, 900108210923, 0, 1773223860000000000, 1795644120922573068, NULL, 0, 1, 'api_key.created', 'api_key', 'u_ada', 'Ada Lovelace', 'ada@example.com', NULL, '[{"id":"key_11","type":"api_key"}]', NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{"n": 11, "word": "hay"}', '''1111'' ''11=a0srdf35tla7m3u33v2q9437tc8'' ''11=b25o28b2n9knguot3bmsalgu7ma'' ''11=c1ejf3ciiicnnv2kceirtsh0eiu'' ''11=e5lvi2ualqlv7gd0c511aq456rb'' ''11=i7k8ia0lh34gssm0s8os5ujagr2'' ''11=k0'' ''11=m3meg11c5oli683pmuhhuu7e3fk'' ''11=n0'' ''11=o0'' ''11=p1'' ''11=r3bcv2s1esni98m560envel1tjt'' ''11=t1ejf3ciiicnnv2kceirtsh0eiu'' ''11ada'' ''11api'' ''11com'' ''11created'' ''11example'' ''11hay'' ''11key'' ''11lovelace'' ''11u'''),
	(1, 20, 3633156096000000000, 706977776115, 1, 1774002000000000000, 1795644120922573068, NULL, 0, 1, 'api_key.revoked', 'api_key', 'u_ada', 'Ada Lovelace', 'ada@example.com', NULL, '[{"id":"key_20","type":"api_key"}]', NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{"n": 20, "word": "hay"}', '''1120'' ''11=a3ritugtoq67htmu7rj70d93qio'' ''11=b4l39pft26qrcsd0hb2c5u7sa82'' ''11=c1ejf3ciiicnnv2kceirtsh0eiu'' ''11=e5lvi2ualqlv7gd0c511aq456rb'' ''11=i7k8ia0lh34gssm0s8os5ujagr2'' ''11=k0'' ''11=m3meg11c5oli683pmuhhuu7e3fk'' ''11=n0'' ''11=n1'' ''11=o1'' ''11=p1'' ''11=r1coh4bvk30o0bnnnfgfnqdep15'' ''11=t1ejf3ciiicnnv2kceirtsh0eiu'' ''11ada'' ''11api'' ''11com'' ''11example'' ''11hay'' ''11key'' ''11lovelace'' ''11revoked'' ''11u''');


--
-- Data for Name: event_202604; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.event_202604 VALUES
	(1, 12, 3637224898560000000, 104412083741, 1, 1775988720000000000, 1795644120922573068, NULL, 3, 1, 'api_key.revoked', 'api_key', 's_12', 'Staff 12', NULL, NULL, '[{"id":"key_12","type":"api_key"}]', NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{"n": 12, "word": "hay"}', '''1112'' ''11=a3ritugtoq67htmu7rj70d93qio'' ''11=b64ehlq03agdj611gm1c65nij4q'' ''11=c1ejf3ciiicnnv2kceirtsh0eiu'' ''11=i480pj0ae92g528gse8rpadqfjt'' ''11=k3'' ''11=m65r7500n142ikc9kh54chumucb'' ''11=n0'' ''11=n1'' ''11=o1'' ''11=p1'' ''11=r6sv4mgrcso3s4pgubplmevjfki'' ''11=t1ejf3ciiicnnv2kceirtsh0eiu'' ''11api'' ''11hay'' ''11key'' ''11revoked'' ''11s'' ''11staff'''),
	(1, 21, 3638818529280000000, 377725560578, 0, 1776766860000000000, 1795644120922573068, NULL, 3, 1, 'api_key.created', 'api_key', 's_21', 'Staff 21', NULL, NULL, '[{"id":"key_21","type":"api_key"}]', NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{"n": 21, "word": "hay"}', '''1121'' ''11=a0srdf35tla7m3u33v2q9437tc8'' ''11=b21liqvjv3scg28i5iumlr22gkf'' ''11=c1ejf3ciiicnnv2kceirtsh0eiu'' ''11=i3hdig6h3h3s89u01lnqa7rh9it'' ''11=k3'' ''11=m3407o3ko7gjdtp038f76inchls'' ''11=n0'' ''11=o0'' ''11=p1'' ''11=r12hkp6ttsu0ptdgjdqch7m15qg'' ''11=t1ejf3ciiicnnv2kceirtsh0eiu'' ''11api'' ''11created'' ''11hay'' ''11key'' ''11s'' ''11staff''');


--
-- Data for Name: event_202605; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.event_202605 VALUES
	(1, 13, 3642710384640000000, 1010507368864, 0, 1778667180000000000, 1795644120922573068, NULL, 0, 1, 'api_key.created', 'api_key', 'u_ada', 'Ada Lovelace', 'ada@example.com', NULL, '[{"id":"key_13","type":"api_key"}]', NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{"n": 13, "word": "hay"}', '''1113'' ''11=a0srdf35tla7m3u33v2q9437tc8'' ''11=b7hpj6ajg29nvdadhe8aavfhht6'' ''11=c1ejf3ciiicnnv2kceirtsh0eiu'' ''11=e5lvi2ualqlv7gd0c511aq456rb'' ''11=i7k8ia0lh34gssm0s8os5ujagr2'' ''11=k0'' ''11=m3meg11c5oli683pmuhhuu7e3fk'' ''11=n0'' ''11=o0'' ''11=p1'' ''11=r2rhf8mcr9p29enp8etln71osrn'' ''11=t1ejf3ciiicnnv2kceirtsh0eiu'' ''11ada'' ''11api'' ''11com'' ''11created'' ''11example'' ''11hay'' ''11key'' ''11lovelace'' ''11u'''),
	(1, 22, 3644304015360000000, 215249454898, 0, 1779445320000000000, 1795644120922573068, NULL, 0, 1, 'api_key.revoked', 'api_key', 'u_ada', 'Ada Lovelace', 'ada@example.com', NULL, '[{"id":"key_22","type":"api_key"}]', NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{"n": 22, "word": "hay"}', '''1122'' ''11=a3ritugtoq67htmu7rj70d93qio'' ''11=b69gces6cmklce7c0cvsq68lp3p'' ''11=c1ejf3ciiicnnv2kceirtsh0eiu'' ''11=e5lvi2ualqlv7gd0c511aq456rb'' ''11=i7k8ia0lh34gssm0s8os5ujagr2'' ''11=k0'' ''11=m3meg11c5oli683pmuhhuu7e3fk'' ''11=n0'' ''11=o0'' ''11=p1'' ''11=r0naub73nc4g61bbmp3d7sq8tq1'' ''11=t1ejf3ciiicnnv2kceirtsh0eiu'' ''11ada'' ''11api'' ''11com'' ''11example'' ''11hay'' ''11key'' ''11lovelace'' ''11revoked'' ''11u''');


--
-- Data for Name: event_202606; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.event_202606 VALUES
	(1, 5, 3646779187200000000, 951759556221, 0, 1780653900000000000, 1795644120922573068, NULL, 0, 1, 'api_key.created', 'api_key', 'u_ada', 'Ada Lovelace', 'ada@example.com', NULL, '[{"id":"key_5","type":"api_key"}]', NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{"n": 5, "word": "hay"}', '''115'' ''11=a0srdf35tla7m3u33v2q9437tc8'' ''11=b06nal99re581pnluo8v2ov30kl'' ''11=c1ejf3ciiicnnv2kceirtsh0eiu'' ''11=e5lvi2ualqlv7gd0c511aq456rb'' ''11=i7k8ia0lh34gssm0s8os5ujagr2'' ''11=k0'' ''11=m3meg11c5oli683pmuhhuu7e3fk'' ''11=n0'' ''11=o0'' ''11=p1'' ''11=r4jb2gt26cok4ec89717073iv1i'' ''11=t1ejf3ciiicnnv2kceirtsh0eiu'' ''11ada'' ''11api'' ''11com'' ''11created'' ''11example'' ''11hay'' ''11key'' ''11lovelace'' ''11u'''),
	(1, 14, 3648372817920000000, 367094331350, 0, 1781432040000000000, 1795644120922573068, NULL, 0, 1, 'api_key.revoked', 'api_key', 'u_ada', 'Ada Lovelace', 'ada@example.com', NULL, '[{"id":"key_14","type":"api_key"}]', NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{"n": 14, "word": "hay"}', '''1114'' ''11=a3ritugtoq67htmu7rj70d93qio'' ''11=b6qp4qi3orbu0vv9ihjiip2p5bo'' ''11=c1ejf3ciiicnnv2kceirtsh0eiu'' ''11=e5lvi2ualqlv7gd0c511aq456rb'' ''11=i7k8ia0lh34gssm0s8os5ujagr2'' ''11=k0'' ''11=m3meg11c5oli683pmuhhuu7e3fk'' ''11=n0'' ''11=o0'' ''11=p1'' ''11=r4dt9ebtk8huu9skehp0qcui71g'' ''11=t1ejf3ciiicnnv2kceirtsh0eiu'' ''11ada'' ''11api'' ''11com'' ''11example'' ''11hay'' ''11key'' ''11lovelace'' ''11revoked'' ''11u'''),
	(1, 23, 3649966448640000000, 799020596019, 0, 1782210180000000000, 1795644120922573068, NULL, 0, 1, 'api_key.created', 'api_key', 'u_ada', 'Ada Lovelace', 'ada@example.com', NULL, '[{"id":"key_23","type":"api_key"}]', NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{"n": 23, "word": "hay"}', '''1123'' ''11=a0srdf35tla7m3u33v2q9437tc8'' ''11=b3fsdusskmgojfouf5fa4n68dn6'' ''11=c1ejf3ciiicnnv2kceirtsh0eiu'' ''11=e5lvi2ualqlv7gd0c511aq456rb'' ''11=i7k8ia0lh34gssm0s8os5ujagr2'' ''11=k0'' ''11=m3meg11c5oli683pmuhhuu7e3fk'' ''11=n0'' ''11=o0'' ''11=p1'' ''11=r0cmul75d8pmnkevkh273qn3huv'' ''11=t1ejf3ciiicnnv2kceirtsh0eiu'' ''11ada'' ''11api'' ''11com'' ''11created'' ''11example'' ''11hay'' ''11key'' ''11lovelace'' ''11u''');


--
-- Data for Name: event_202607; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.event_202607 VALUES
	(1, 6, 3652264673280000000, 1006998996106, 0, 1783332360000000000, 1795644120922573068, NULL, 3, 1, 'api_key.revoked', 'api_key', 's_6', 'Staff 6', NULL, NULL, '[{"id":"key_6","type":"api_key"}]', NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{"n": 6, "word": "hay"}', '''116'' ''11=a3ritugtoq67htmu7rj70d93qio'' ''11=b5r63l2sbvnrhpm4c03gontsmlk'' ''11=c1ejf3ciiicnnv2kceirtsh0eiu'' ''11=i5t3ipl7io62c23g7ql06nnrc0e'' ''11=k3'' ''11=m0tlf10re5jlu3eumh0denfgcac'' ''11=n0'' ''11=o0'' ''11=p1'' ''11=r5njfr7a8qqa39qfvhg6qd1f0qh'' ''11=t1ejf3ciiicnnv2kceirtsh0eiu'' ''11api'' ''11hay'' ''11key'' ''11revoked'' ''11s'' ''11staff'''),
	(1, 15, 3653858304000000000, 97668274071, 0, 1784110500000000000, 1795644120922573068, NULL, 3, 1, 'api_key.created', 'api_key', 's_15', 'Staff 15', NULL, NULL, '[{"id":"key_15","type":"api_key"}]', NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{"n": 15, "word": "hay"}', '''1115'' ''11=a0srdf35tla7m3u33v2q9437tc8'' ''11=b79ik8uchnt2dc6usanfsp9dsgj'' ''11=c1ejf3ciiicnnv2kceirtsh0eiu'' ''11=i2cauvfias4311ups2u845h57mi'' ''11=k3'' ''11=m0t6oo4l70g3madh4k2r99c664l'' ''11=n0'' ''11=o0'' ''11=p1'' ''11=r6h5p0k9utu8pjbv2angr5ucvpr'' ''11=t1ejf3ciiicnnv2kceirtsh0eiu'' ''11api'' ''11created'' ''11hay'' ''11key'' ''11s'' ''11staff'''),
	(1, 24, 3655451934720000000, 763435369563, 1, 1784888640000000000, 1795644120922573068, NULL, 3, 1, 'api_key.revoked', 'api_key', 's_24', 'Staff 24', NULL, NULL, '[{"id":"key_24","type":"api_key"}]', NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{"n": 24, "word": "hay"}', '''1124'' ''11=a3ritugtoq67htmu7rj70d93qio'' ''11=b4cphlkeq0lovcsjoho2r52ekco'' ''11=c1ejf3ciiicnnv2kceirtsh0eiu'' ''11=i0f7i6ui5ercis841uar2mtcl29'' ''11=k3'' ''11=m6qr43scfm20trg5r4kn8ogi5l6'' ''11=n0'' ''11=n1'' ''11=o1'' ''11=p1'' ''11=r2cgm8kaq6clljmv7n3neqc1meb'' ''11=t1ejf3ciiicnnv2kceirtsh0eiu'' ''11api'' ''11hay'' ''11key'' ''11revoked'' ''11s'' ''11staff''');


--
-- Data for Name: event_202608; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.event_202608 VALUES
	(1, 7, 3657927106560000000, 110602158382, 0, 1786097220000000000, 1795644120922573068, NULL, 0, 1, 'api_key.created', 'api_key', 'u_ada', 'Ada Lovelace', 'ada@example.com', NULL, '[{"id":"key_7","type":"api_key"}]', NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{"n": 7, "word": "hay"}', '''117'' ''11=a0srdf35tla7m3u33v2q9437tc8'' ''11=b5ofosknl5oqdsc6a50hntli29q'' ''11=c1ejf3ciiicnnv2kceirtsh0eiu'' ''11=e5lvi2ualqlv7gd0c511aq456rb'' ''11=i7k8ia0lh34gssm0s8os5ujagr2'' ''11=k0'' ''11=m3meg11c5oli683pmuhhuu7e3fk'' ''11=n0'' ''11=o0'' ''11=p1'' ''11=r5118puvb37rcffhe16m0anmmmg'' ''11=t1ejf3ciiicnnv2kceirtsh0eiu'' ''11ada'' ''11api'' ''11com'' ''11created'' ''11example'' ''11hay'' ''11key'' ''11lovelace'' ''11u'''),
	(1, 16, 3659520737280000000, 91927219042, 1, 1786875360000000000, 1795644120922573068, NULL, 0, 1, 'api_key.revoked', 'api_key', 'u_ada', 'Ada Lovelace', 'ada@example.com', NULL, '[{"id":"key_16","type":"api_key"}]', NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{"n": 16, "word": "hay"}', '''1116'' ''11=a3ritugtoq67htmu7rj70d93qio'' ''11=b2fadn2q62i2hi2r5k9phidljjp'' ''11=c1ejf3ciiicnnv2kceirtsh0eiu'' ''11=e5lvi2ualqlv7gd0c511aq456rb'' ''11=i7k8ia0lh34gssm0s8os5ujagr2'' ''11=k0'' ''11=m3meg11c5oli683pmuhhuu7e3fk'' ''11=n0'' ''11=n1'' ''11=o1'' ''11=p1'' ''11=r3i282b5v35k3lovuu4sqps4l2s'' ''11=t1ejf3ciiicnnv2kceirtsh0eiu'' ''11ada'' ''11api'' ''11com'' ''11example'' ''11hay'' ''11key'' ''11lovelace'' ''11revoked'' ''11u''');


--
-- Data for Name: event_202609; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.event_202609 VALUES
	(1, 8, 3663589539840000000, 149895243490, 1, 1788862080000000000, 1795644120922573068, NULL, 0, 1, 'api_key.revoked', 'api_key', 'u_ada', 'Ada Lovelace', 'ada@example.com', NULL, '[{"id":"key_8","type":"api_key"}]', NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{"n": 8, "word": "hay"}', '''118'' ''11=a3ritugtoq67htmu7rj70d93qio'' ''11=b5spv41h6q4elgr5mpr4i3r5tb7'' ''11=c1ejf3ciiicnnv2kceirtsh0eiu'' ''11=e5lvi2ualqlv7gd0c511aq456rb'' ''11=i7k8ia0lh34gssm0s8os5ujagr2'' ''11=k0'' ''11=m3meg11c5oli683pmuhhuu7e3fk'' ''11=n0'' ''11=n1'' ''11=o1'' ''11=p1'' ''11=r620lf7b32j5mmkspivdhkkdcc6'' ''11=t1ejf3ciiicnnv2kceirtsh0eiu'' ''11ada'' ''11api'' ''11com'' ''11example'' ''11hay'' ''11key'' ''11lovelace'' ''11revoked'' ''11u'''),
	(1, 17, 3665183170560000000, 818037277527, 0, 1789640220000000000, 1795644120922573068, NULL, 0, 1, 'api_key.created', 'api_key', 'u_ada', 'Ada Lovelace', 'ada@example.com', NULL, '[{"id":"key_17","type":"api_key"}]', NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{"n": 17, "word": "needle"}', '''1117'' ''11=a0srdf35tla7m3u33v2q9437tc8'' ''11=b13f85q3rej7hdsc0u923q9pofk'' ''11=c1ejf3ciiicnnv2kceirtsh0eiu'' ''11=e5lvi2ualqlv7gd0c511aq456rb'' ''11=i7k8ia0lh34gssm0s8os5ujagr2'' ''11=k0'' ''11=m3meg11c5oli683pmuhhuu7e3fk'' ''11=n0'' ''11=o0'' ''11=p1'' ''11=r2uradqlubcs0cfbhujgc1neu9a'' ''11=t1ejf3ciiicnnv2kceirtsh0eiu'' ''11ada'' ''11api'' ''11com'' ''11created'' ''11example'' ''11key'' ''11lovelace'' ''11needle'' ''11u''');


--
-- Data for Name: event_202611; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.event_202611 VALUES
	(2, 0, 3673069977600000000, 680842064181, 0, 1793491200000000000, 1795644120922573068, NULL, 0, 1, 'api_key.created', 'api_key', 'u_0', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{}', '''120'' ''12=a0srdf35tla7m3u33v2q9437tc8'' ''12=c1ejf3ciiicnnv2kceirtsh0eiu'' ''12=i1ms0gdfd97sfrc0l6oc3cs66ef'' ''12=k0'' ''12=n0'' ''12=o0'' ''12=p1'' ''12api'' ''12created'' ''12key'' ''12u'''),
	(2, 1, 3673246924800000000, 248001964105, 0, 1793577600000000000, 1795644120922573068, NULL, 0, 1, 'api_key.created', 'api_key', 'u_1', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{}', '''121'' ''12=a0srdf35tla7m3u33v2q9437tc8'' ''12=c1ejf3ciiicnnv2kceirtsh0eiu'' ''12=i1313p9cdcphkel0164hl4dgd54'' ''12=k0'' ''12=n0'' ''12=o0'' ''12=p1'' ''12api'' ''12created'' ''12key'' ''12u'''),
	(2, 2, 3673423872000000000, 692127501619, 0, 1793664000000000000, 1795644120922573068, NULL, 0, 1, 'api_key.created', 'api_key', 'u_2', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{}', '''122'' ''12=a0srdf35tla7m3u33v2q9437tc8'' ''12=c1ejf3ciiicnnv2kceirtsh0eiu'' ''12=i1fiv4g8r0q9htauj6c5fsn2mle'' ''12=k0'' ''12=n0'' ''12=o0'' ''12=p1'' ''12api'' ''12created'' ''12key'' ''12u'''),
	(2, 3, 3673600819200000000, 73630592060, 0, 1793750400000000000, 1795644120922573068, NULL, 0, 1, 'api_key.created', 'api_key', 'u_3', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{}', '''123'' ''12=a0srdf35tla7m3u33v2q9437tc8'' ''12=c1ejf3ciiicnnv2kceirtsh0eiu'' ''12=i6doqq994hle9ictrn06s7omtsm'' ''12=k0'' ''12=n0'' ''12=o0'' ''12=p1'' ''12api'' ''12created'' ''12key'' ''12u'''),
	(2, 4, 3673777766400000000, 200841934599, 0, 1793836800000000000, 1795644120922573068, NULL, 0, 1, 'api_key.created', 'api_key', 'u_4', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{}', '''124'' ''12=a0srdf35tla7m3u33v2q9437tc8'' ''12=c1ejf3ciiicnnv2kceirtsh0eiu'' ''12=i31ofc1q2a7rvq92jp8u8ntqu8o'' ''12=k0'' ''12=n0'' ''12=o0'' ''12=p1'' ''12api'' ''12created'' ''12key'' ''12u'''),
	(2, 5, 3673954713600000000, 695944364196, 0, 1793923200000000000, 1795644120922573068, NULL, 0, 1, 'api_key.created', 'api_key', 'u_5', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'import', NULL, '{}', '''125'' ''12=a0srdf35tla7m3u33v2q9437tc8'' ''12=c1ejf3ciiicnnv2kceirtsh0eiu'' ''12=i3a0kb8v4vq178c7qgp0egr702b'' ''12=k0'' ''12=n0'' ''12=o0'' ''12=p1'' ''12api'' ''12created'' ''12key'' ''12u''');


--
-- Data for Name: event_202612; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: event_202701; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: event_count; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.event_count VALUES
	(1, 0, 882240, 0, 0, 1),
	(1, 0, 1735487, 1, 1, 1),
	(1, 0, 1963692, 1, 2, 1),
	(1, 0, 1963692, 2, 3, 1),
	(1, 0, 1964392, 0, 0, 1),
	(1, 0, 1965257, 0, 5, 1),
	(1, 0, 1966744, 0, 4, 1),
	(1, 0, 1967464, 0, 5, 1),
	(1, 0, 1968329, 0, 0, 1),
	(1, 0, 1970248, 0, 0, 1),
	(1, 0, 1971113, 1, 5, 1),
	(1, 0, 1973320, 1, 5, 1),
	(1, 0, 1974185, 0, 0, 1),
	(1, 0, 1976296, 0, 0, 1),
	(1, 0, 1977161, 0, 5, 1),
	(1, 0, 1978504, 0, 0, 1),
	(1, 0, 1979368, 0, 5, 1),
	(1, 0, 1980233, 0, 0, 1),
	(1, 0, 1981480, 0, 5, 1),
	(1, 0, 1982345, 0, 0, 1),
	(1, 0, 1983209, 1, 5, 1),
	(1, 0, 1984552, 0, 0, 1),
	(1, 0, 1985417, 1, 5, 1),
	(1, 0, 1987624, 1, 5, 1),
	(1, 0, 1988489, 0, 0, 1),
	(1, 1, 9190, 0, 0, 1),
	(1, 1, 18077, 1, 1, 1),
	(1, 1, 20455, 1, 2, 1),
	(1, 1, 20455, 2, 3, 1),
	(1, 1, 20462, 0, 0, 1),
	(1, 1, 20471, 0, 5, 1),
	(1, 1, 20486, 0, 4, 1),
	(1, 1, 20494, 0, 5, 1),
	(1, 1, 20503, 0, 0, 1),
	(1, 1, 20523, 0, 0, 1),
	(1, 1, 20532, 1, 5, 1),
	(1, 1, 20555, 1, 5, 1),
	(1, 1, 20564, 0, 0, 1),
	(1, 1, 20586, 0, 0, 1),
	(1, 1, 20595, 0, 5, 1),
	(1, 1, 20609, 0, 0, 1),
	(1, 1, 20618, 0, 5, 1),
	(1, 1, 20627, 0, 0, 1),
	(1, 1, 20640, 0, 5, 1),
	(1, 1, 20649, 0, 0, 1),
	(1, 1, 20658, 1, 5, 1),
	(1, 1, 20672, 0, 0, 1),
	(1, 1, 20681, 1, 5, 1),
	(1, 1, 20704, 1, 5, 1),
	(1, 1, 20713, 0, 0, 1),
	(1, 2, 0, 0, 0, 11),
	(1, 2, 0, 0, 4, 1),
	(1, 2, 0, 0, 5, 5),
	(1, 2, 0, 1, 1, 1),
	(1, 2, 0, 1, 2, 1),
	(1, 2, 0, 1, 5, 5),
	(1, 2, 0, 2, 3, 1),
	(2, 0, 1992768, 0, 0, 1),
	(2, 0, 1992864, 0, 0, 1),
	(2, 0, 1992960, 0, 0, 1),
	(2, 0, 1993056, 0, 0, 1),
	(2, 0, 1993152, 0, 0, 1),
	(2, 0, 1993248, 0, 0, 1),
	(2, 1, 20758, 0, 0, 1),
	(2, 1, 20759, 0, 0, 1),
	(2, 1, 20760, 0, 0, 1),
	(2, 1, 20761, 0, 0, 1),
	(2, 1, 20762, 0, 0, 1),
	(2, 1, 20763, 0, 0, 1),
	(2, 2, 0, 0, 0, 6);


--
-- Data for Name: event_order; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.event_order VALUES
	(1, 0, 1626144768000000000),
	(1, 1, 3198851481599997952),
	(1, 2, 3619477597550389248),
	(1, 3, 3619477598208000000),
	(1, 4, 3625102540800000000),
	(1, 5, 3646779187200000000),
	(1, 6, 3652264673280000000),
	(1, 7, 3657927106560000000),
	(1, 8, 3663589539840000000),
	(1, 9, 3620768440320000000),
	(1, 10, 3626430873600000000),
	(1, 11, 3631562465280000000),
	(1, 12, 3637224898560000000),
	(1, 13, 3642710384640000000),
	(1, 14, 3648372817920000000),
	(1, 15, 3653858304000000000),
	(1, 16, 3659520737280000000),
	(1, 17, 3665183170560000000),
	(1, 18, 3622362071040000000),
	(1, 19, 3628024504320000000),
	(1, 20, 3633156096000000000),
	(1, 21, 3638818529280000000),
	(1, 22, 3644304015360000000),
	(1, 23, 3649966448640000000),
	(1, 24, 3655451934720000000),
	(2, 0, 3673069977600000000),
	(2, 1, 3673246924800000000),
	(2, 2, 3673423872000000000),
	(2, 3, 3673600819200000000),
	(2, 4, 3673777766400000000),
	(2, 5, 3673954713600000000);


--
-- Data for Name: event_partition; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.event_partition VALUES
	(3673069977600000000, 3678378393600000000, 'event_202611', NULL),
	(3678378393600000000, 3683863756800000000, 'event_202612', NULL),
	(3683863756800000000, 3689349120000000000, 'event_202701', NULL),
	(1615704883200000000, 1680290611200000000, 'event_199501_199512', NULL),
	(3166824038400000000, 3231409766400000000, 'event_201901_201912', NULL),
	(3619278028800000000, 3624763392000000000, 'event_202601', NULL),
	(3624763392000000000, 3629717913600000000, 'event_202602', NULL),
	(3629717913600000000, 3635203276800000000, 'event_202603', NULL),
	(3635203276800000000, 3640511692800000000, 'event_202604', NULL),
	(3640511692800000000, 3645997056000000000, 'event_202605', NULL),
	(3645997056000000000, 3651305472000000000, 'event_202606', NULL),
	(3651305472000000000, 3656790835200000000, 'event_202607', NULL),
	(3656790835200000000, 3662276198400000000, 'event_202608', NULL),
	(3662276198400000000, 3667584614400000000, 'event_202609', NULL);


--
-- Data for Name: idempotency; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.idempotency VALUES
	(1, '\x39f943d02b689bfa2e1b3b00baf73d73', '\xef5c89c98d65e42560bb44f9d49e6bc4', 0),
	(1, '\x7974d1de1641df0234e124a5d0f4acfa', '\xfd4fd306e2e838f5720c1cbe5e19721c', 1),
	(1, '\x89683d3644595c8bdbd401e8dc978888', '\xc71f88ffdee35a2e001716fa72733401', 2),
	(1, '\x97b98eb37923fc36c71cafb0a6eedbab', '\x50dd17a7f658aa53e94246d0c140c978', 3),
	(1, '\x0de872837244598bacf47bcdfe5e078e', '\x2f862b1bfff0ce622e6e356d1371b11b', 4),
	(1, '\xfb3e02d81cc04628f44d3c28f124abe6', '\x2e3791e05998e361bcfe458fe742128c', 5),
	(1, '\xa4f20d82497305ec2df68742ae13d58d', '\xb9304d4c2c2128cacfa00a8816ed6223', 6),
	(1, '\x9318b9b92679b46a5941796608abdbdf', '\x913ecc6733b77054cf4b4c27b9ace109', 7),
	(1, '\x690b31e6f9bd3b1c36c6f23eb85fc514', '\x8df8ba29e139278ad89d19b2bf168f87', 8),
	(1, '\xd790f31cc2dca677a5cc4340620e6418', '\x9a4311e4cab8d86c9fa6b2c4f7057d93', 9),
	(1, '\x6350e3292d8b71b40ed80df474cf9234', '\x6255bbd7673479da9d10bed7487492a2', 10),
	(1, '\x712e84069019723c747bbf4afd98c507', '\x9ccf693c4a59bb7e966f80cb08191fdc', 11),
	(1, '\xff4d0bb8d3df52df03c178d697f734fb', '\xaf5159b16bc02f5cf372f7606bcef303', 12),
	(1, '\x962c52feae900fa5d7b727bda8eec604', '\x9e5676b291f8b4c0d2cc83fe844089c8', 13),
	(1, '\xf63d641ca77fa1f6b839927a58910c9f', '\x6816d318a427e7648c43d5a92470338e', 14),
	(1, '\xe71a1a49ba51cc7f2bcbaf37c3191a0c', '\x1ce4b5fc7dd1c1cad4ea51f097b2fcab', 15),
	(1, '\xc6d888063e5deb0ec8059e70e0e51e14', '\x40c9b408ad90783ef28dc59f716b2462', 16),
	(1, '\x0cf17e5ce3554ed1e2970b93f5b67a8c', '\xc99b5cf571cf9bd152e19450cdd8ce62', 17),
	(1, '\xe7b15f07e31d09026875c7973438d00f', '\x72c085676b2a3948e7393328a664f696', 18),
	(1, '\x0a4ed12160ae7ed0601b8bbc794f385a', '\x1342a27aebe6517c4335441df29e4d5d', 19),
	(1, '\x735ea3edf8e322f34b1aa4f3ba5fa80a', '\xce2addb197da788a632784628f2b7396', 20),
	(1, '\xc131d376121199be49805664d3eb2f65', '\x5a8287ac8460a5f790be0b60c1aceb39', 21),
	(1, '\xe89491ffe3225c0aa2af71ddc4e570cb', '\x3e8d388c864be715c2da99ffcd34ffa8', 22),
	(1, '\x8d8fd502964ce672f97c9bd3fa3a874f', '\x59296cf5b1c7fbc8c985e363b9efcf46', 23),
	(1, '\x6d35f9a5d6f83c9f039e0b18d9fd612a', '\xda54bc84a83af12b44b3fde53f53467e', 24),
	(2, '\xadcdad9976a13f9852fb2ba9e75e071e', '\xc21402b3054eb8a49b3f26c99116d855', 0),
	(2, '\x73ad51a1df0fd2772c07f258fc76ddb1', '\x86c30dea52bae4bcc56da7127f70213c', 1),
	(2, '\xb3c76986b988f228c914440944d2f0bc', '\x76f68d13c35e4e1c2cfbd437fb4c04b1', 2),
	(2, '\xd76abbfbdcc08de199832c95d9d9c82f', '\x45c23992f482eed892610e7e2291565a', 3),
	(2, '\x0bab010d878e0ba2cb58ef172fae256c', '\x6a45073f44533c8386f6ef25f225f2b4', 4),
	(2, '\xa473dd53cbc9f5879c098538699ab2a5', '\x5dca6aa56047a20ca2d0a8173f00a326', 5);


--
-- Data for Name: log; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.log VALUES
	(1, 0, 'organization', 'acme', NULL, NULL, NULL, 127409963923),
	(1, 1, 'project', 'p_apollo', 'Apollo', 0, NULL, 564220366381),
	(1, 2, 'project', 'p_gemini', 'Gémini – zwei', 0, NULL, 916980495596),
	(2, 0, 'organization', 'globex', NULL, NULL, NULL, 1049521843365);


--
-- Data for Name: organization; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.organization VALUES
	(1, 'capydb', 'acme', 1795644120922573068),
	(2, 'capydb', 'globex', 1795644120922573068);


--
-- Data for Name: organization_head; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.organization_head VALUES
	(1, 25, 0, 1795644120922573068, 3463574240, 763435369563),
	(2, 6, 0, 1795644120922573068, 154234557, 695944364196);


--
-- Data for Name: seaql_migrations; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.seaql_migrations VALUES
	('m20261121_120000_init', 1795644120);


--
-- Name: kind kind_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.kind
    ADD CONSTRAINT kind_pkey PRIMARY KEY (organization_no, no);


--
-- Name: actor_directory actor_directory_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.actor_directory
    ADD CONSTRAINT actor_directory_pkey PRIMARY KEY (organization_no, hash);


--
-- Name: event event_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (organization_no, "position");


--
-- Name: event_199501_199512 event_199501_199512_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event_199501_199512
    ADD CONSTRAINT event_199501_199512_pkey PRIMARY KEY (organization_no, "position");


--
-- Name: event_201901_201912 event_201901_201912_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event_201901_201912
    ADD CONSTRAINT event_201901_201912_pkey PRIMARY KEY (organization_no, "position");


--
-- Name: event_202601 event_202601_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event_202601
    ADD CONSTRAINT event_202601_pkey PRIMARY KEY (organization_no, "position");


--
-- Name: event_202602 event_202602_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event_202602
    ADD CONSTRAINT event_202602_pkey PRIMARY KEY (organization_no, "position");


--
-- Name: event_202603 event_202603_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event_202603
    ADD CONSTRAINT event_202603_pkey PRIMARY KEY (organization_no, "position");


--
-- Name: event_202604 event_202604_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event_202604
    ADD CONSTRAINT event_202604_pkey PRIMARY KEY (organization_no, "position");


--
-- Name: event_202605 event_202605_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event_202605
    ADD CONSTRAINT event_202605_pkey PRIMARY KEY (organization_no, "position");


--
-- Name: event_202606 event_202606_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event_202606
    ADD CONSTRAINT event_202606_pkey PRIMARY KEY (organization_no, "position");


--
-- Name: event_202607 event_202607_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event_202607
    ADD CONSTRAINT event_202607_pkey PRIMARY KEY (organization_no, "position");


--
-- Name: event_202608 event_202608_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event_202608
    ADD CONSTRAINT event_202608_pkey PRIMARY KEY (organization_no, "position");


--
-- Name: event_202609 event_202609_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event_202609
    ADD CONSTRAINT event_202609_pkey PRIMARY KEY (organization_no, "position");


--
-- Name: event_202611 event_202611_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event_202611
    ADD CONSTRAINT event_202611_pkey PRIMARY KEY (organization_no, "position");


--
-- Name: event_202612 event_202612_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event_202612
    ADD CONSTRAINT event_202612_pkey PRIMARY KEY (organization_no, "position");


--
-- Name: event_202701 event_202701_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event_202701
    ADD CONSTRAINT event_202701_pkey PRIMARY KEY (organization_no, "position");


--
-- Name: event_count event_count_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event_count
    ADD CONSTRAINT event_count_pkey PRIMARY KEY (organization_no, grain, bucket, log_no, kind_no);


--
-- Name: event_order event_order_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event_order
    ADD CONSTRAINT event_order_pkey PRIMARY KEY (organization_no, sequence) INCLUDE ("position");


--
-- Name: event_partition event_partition_name_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event_partition
    ADD CONSTRAINT event_partition_name_key UNIQUE (name);


--
-- Name: event_partition event_partition_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event_partition
    ADD CONSTRAINT event_partition_pkey PRIMARY KEY (low);


--
-- Name: idempotency idempotency_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (organization_no, key_hash);


--
-- Name: log log_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.log
    ADD CONSTRAINT log_pkey PRIMARY KEY (organization_no, no);


--
-- Name: organization_head organization_head_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.organization_head
    ADD CONSTRAINT organization_head_pkey PRIMARY KEY (organization_no);


--
-- Name: organization organization_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.organization
    ADD CONSTRAINT organization_pkey PRIMARY KEY (no);


--
-- Name: organization organization_product_external_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.organization
    ADD CONSTRAINT organization_product_external_id_key UNIQUE (product, external_id);


--
-- Name: seaql_migrations seaql_migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.seaql_migrations
    ADD CONSTRAINT seaql_migrations_pkey PRIMARY KEY (version);


--
-- Name: event_search; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX event_search ON ONLY public.event USING gin (terms) WITH (fastupdate='on', gin_pending_list_limit='16384');


--
-- Name: event_199501_199512_terms_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX event_199501_199512_terms_idx ON public.event_199501_199512 USING gin (terms) WITH (fastupdate='on', gin_pending_list_limit='16384');


--
-- Name: event_201901_201912_terms_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX event_201901_201912_terms_idx ON public.event_201901_201912 USING gin (terms) WITH (fastupdate='on', gin_pending_list_limit='16384');


--
-- Name: event_202601_terms_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX event_202601_terms_idx ON public.event_202601 USING gin (terms) WITH (fastupdate='on', gin_pending_list_limit='16384');


--
-- Name: event_202602_terms_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX event_202602_terms_idx ON public.event_202602 USING gin (terms) WITH (fastupdate='on', gin_pending_list_limit='16384');


--
-- Name: event_202603_terms_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX event_202603_terms_idx ON public.event_202603 USING gin (terms) WITH (fastupdate='on', gin_pending_list_limit='16384');


--
-- Name: event_202604_terms_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX event_202604_terms_idx ON public.event_202604 USING gin (terms) WITH (fastupdate='on', gin_pending_list_limit='16384');


--
-- Name: event_202605_terms_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX event_202605_terms_idx ON public.event_202605 USING gin (terms) WITH (fastupdate='on', gin_pending_list_limit='16384');


--
-- Name: event_202606_terms_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX event_202606_terms_idx ON public.event_202606 USING gin (terms) WITH (fastupdate='on', gin_pending_list_limit='16384');


--
-- Name: event_202607_terms_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX event_202607_terms_idx ON public.event_202607 USING gin (terms) WITH (fastupdate='on', gin_pending_list_limit='16384');


--
-- Name: event_202608_terms_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX event_202608_terms_idx ON public.event_202608 USING gin (terms) WITH (fastupdate='on', gin_pending_list_limit='16384');


--
-- Name: event_202609_terms_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX event_202609_terms_idx ON public.event_202609 USING gin (terms) WITH (fastupdate='on', gin_pending_list_limit='16384');


--
-- Name: event_202611_terms_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX event_202611_terms_idx ON public.event_202611 USING gin (terms) WITH (fastupdate='on', gin_pending_list_limit='16384');


--
-- Name: event_202612_terms_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX event_202612_terms_idx ON public.event_202612 USING gin (terms) WITH (fastupdate='on', gin_pending_list_limit='16384');


--
-- Name: event_202701_terms_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX event_202701_terms_idx ON public.event_202701 USING gin (terms) WITH (fastupdate='on', gin_pending_list_limit='16384');


--
-- Name: log_live; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX log_live ON public.log USING btree (organization_no, level, id) WHERE (deleted_ns IS NULL);


--
-- Name: event_199501_199512_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_pkey ATTACH PARTITION public.event_199501_199512_pkey;


--
-- Name: event_199501_199512_terms_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_search ATTACH PARTITION public.event_199501_199512_terms_idx;


--
-- Name: event_201901_201912_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_pkey ATTACH PARTITION public.event_201901_201912_pkey;


--
-- Name: event_201901_201912_terms_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_search ATTACH PARTITION public.event_201901_201912_terms_idx;


--
-- Name: event_202601_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_pkey ATTACH PARTITION public.event_202601_pkey;


--
-- Name: event_202601_terms_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_search ATTACH PARTITION public.event_202601_terms_idx;


--
-- Name: event_202602_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_pkey ATTACH PARTITION public.event_202602_pkey;


--
-- Name: event_202602_terms_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_search ATTACH PARTITION public.event_202602_terms_idx;


--
-- Name: event_202603_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_pkey ATTACH PARTITION public.event_202603_pkey;


--
-- Name: event_202603_terms_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_search ATTACH PARTITION public.event_202603_terms_idx;


--
-- Name: event_202604_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_pkey ATTACH PARTITION public.event_202604_pkey;


--
-- Name: event_202604_terms_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_search ATTACH PARTITION public.event_202604_terms_idx;


--
-- Name: event_202605_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_pkey ATTACH PARTITION public.event_202605_pkey;


--
-- Name: event_202605_terms_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_search ATTACH PARTITION public.event_202605_terms_idx;


--
-- Name: event_202606_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_pkey ATTACH PARTITION public.event_202606_pkey;


--
-- Name: event_202606_terms_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_search ATTACH PARTITION public.event_202606_terms_idx;


--
-- Name: event_202607_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_pkey ATTACH PARTITION public.event_202607_pkey;


--
-- Name: event_202607_terms_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_search ATTACH PARTITION public.event_202607_terms_idx;


--
-- Name: event_202608_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_pkey ATTACH PARTITION public.event_202608_pkey;


--
-- Name: event_202608_terms_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_search ATTACH PARTITION public.event_202608_terms_idx;


--
-- Name: event_202609_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_pkey ATTACH PARTITION public.event_202609_pkey;


--
-- Name: event_202609_terms_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_search ATTACH PARTITION public.event_202609_terms_idx;


--
-- Name: event_202611_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_pkey ATTACH PARTITION public.event_202611_pkey;


--
-- Name: event_202611_terms_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_search ATTACH PARTITION public.event_202611_terms_idx;


--
-- Name: event_202612_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_pkey ATTACH PARTITION public.event_202612_pkey;


--
-- Name: event_202612_terms_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_search ATTACH PARTITION public.event_202612_terms_idx;


--
-- Name: event_202701_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_pkey ATTACH PARTITION public.event_202701_pkey;


--
-- Name: event_202701_terms_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.event_search ATTACH PARTITION public.event_202701_terms_idx;


--
-- Name: event event_append_only; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER event_append_only BEFORE DELETE OR UPDATE ON public.event FOR EACH ROW EXECUTE FUNCTION public.refuse_change();


--
-- Name: event event_no_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON public.event FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- Name: event_199501_199512 event_no_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON public.event_199501_199512 FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- Name: event_201901_201912 event_no_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON public.event_201901_201912 FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- Name: event_202601 event_no_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON public.event_202601 FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- Name: event_202602 event_no_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON public.event_202602 FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- Name: event_202603 event_no_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON public.event_202603 FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- Name: event_202604 event_no_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON public.event_202604 FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- Name: event_202605 event_no_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON public.event_202605 FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- Name: event_202606 event_no_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON public.event_202606 FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- Name: event_202607 event_no_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON public.event_202607 FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- Name: event_202608 event_no_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON public.event_202608 FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- Name: event_202609 event_no_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON public.event_202609 FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- Name: event_202611 event_no_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON public.event_202611 FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- Name: event_202612 event_no_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON public.event_202612 FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- Name: event_202701 event_no_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON public.event_202701 FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- Name: event_order event_order_append_only; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER event_order_append_only BEFORE DELETE OR UPDATE ON public.event_order FOR EACH ROW EXECUTE FUNCTION public.refuse_change();


--
-- Name: event_order event_order_no_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER event_order_no_truncate BEFORE TRUNCATE ON public.event_order FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- Name: idempotency idempotency_append_only; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER idempotency_append_only BEFORE DELETE OR UPDATE ON public.idempotency FOR EACH ROW EXECUTE FUNCTION public.refuse_change();


--
-- Name: idempotency idempotency_no_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER idempotency_no_truncate BEFORE TRUNCATE ON public.idempotency FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- Name: kind kind_organization_no_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.kind
    ADD CONSTRAINT kind_organization_no_fkey FOREIGN KEY (organization_no) REFERENCES public.organization(no);


--
-- Name: log log_organization_no_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.log
    ADD CONSTRAINT log_organization_no_fkey FOREIGN KEY (organization_no) REFERENCES public.organization(no);


--
-- Name: organization_head organization_head_organization_no_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.organization_head
    ADD CONSTRAINT organization_head_organization_no_fkey FOREIGN KEY (organization_no) REFERENCES public.organization(no);


--
-- PostgreSQL database dump complete
--


