//! Every limit of an event and of a question, with its anchor in the API's documentation.

/// Longest action name, in characters.
pub const ACTION_CHARS: usize = 256;
/// Longest id, name, type and the like, in bytes.
pub const TEXT_BYTES: usize = 2_048;
/// Longest address and user agent, in bytes: what web servers take as one header.
pub const HEADER_BYTES: usize = 8_192;
/// Most resources of one event.
pub const RESOURCES: usize = 50;
/// Largest event, as canonical JSON, in bytes (C2SP log entries are at most 65,535).
pub const EVENT_BYTES: usize = 65_535;
/// Deepest nesting of metadata; the object itself is level 1.
pub const METADATA_DEPTH: usize = 16;
/// How far ahead of the service's clock an event may lie, in nanoseconds: 5 minutes.
pub const AHEAD_NANOS: i64 = 300 * 1_000_000_000;
/// Most events of one request.
pub const BATCH: usize = 1_000;
/// Page size where none is asked.
pub const PAGE_DEFAULT: usize = 20;
/// Largest page of a GraphQL list, whose cost grows with what is selected.
pub const PAGE_MAX: usize = 100;
/// Largest page of a list for programs.
pub const PAGE_MAX_REST: usize = 1_000;
/// How far from the nearer end of its list a page may lie that is asked for by its number, in events.
pub const NUMBERED_DEPTH: i64 = 50_000;
/// Longest search text, in characters.
pub const SEARCH_CHARS: usize = 256;
/// Most words of one search.
pub const SEARCH_WORDS: usize = 16;
/// Longest query, in characters.
pub const QUERY_CHARS: usize = 1_000;
/// Most pieces within the words of a search, as `10`, `0`, `0` and `1` of an address.
pub const SEARCH_PIECES: usize = 128;
/// Most values of one filter list.
pub const FILTER_VALUES: usize = 100;
/// Deepest path of nested logs below the organization's own.
pub const LOG_DEPTH: usize = 8;
