//! Variables that an orchestrator sets for the services beside us. One whose name begins with ours, such as
//! `ledgerline-db`, gets variables that begin as our settings do.

use std::sync::LazyLock;

const PREFIX: &str = "LEDGERLINE_";
const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];

/// Whether a variable was set by an orchestrator for a neighbour. Kubernetes sets `X_SERVICE_HOST`, `X_SERVICE_PORT`,
/// `X_SERVICE_PORT_NAME` for a port's name, and as Docker's links do `X_PORT` and `X_PORT_80_TCP` with a URL,
/// `X_PORT_80_TCP_PROTO`, `_PORT` and `_ADDR`. Docker also sets `X_NAME` and, of the variables of the linked container,
/// `X_ENV_...`; `value_of` says which other variables there are.
pub fn is_injected(name: &str, value: &str, value_of: impl Fn(&str) -> Option<String>) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else { return false };
    // Of a service that is called as we are, the prefix is the whole name.
    let rest = format!("_{rest}");
    if rest.ends_with("_SERVICE_HOST") || rest.ends_with("_SERVICE_PORT") || rest.contains("_SERVICE_PORT_") {
        return true;
    }
    if is_of_a_port(&rest) {
        return true;
    }
    // Without a URL it is somebody's guess at a setting of ours.
    if rest.ends_with("_PORT") {
        return is_address(value);
    }
    let is_link = |value: &str| value.len() > 1 && value.starts_with('/');
    if rest.ends_with("_NAME") {
        return is_link(value);
    }
    rest.match_indices("_ENV_").any(|(end, _)| {
        let alias = &name[..PREFIX.len() - 1 + end];
        value_of(&format!("{alias}_NAME")).is_some_and(|value| is_link(&value))
    })
}

/// `_PORT_`, a number, a protocol, and perhaps what of it.
fn is_of_a_port(rest: &str) -> bool {
    static SUFFIXES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let parts = ["", "_PROTO", "_PORT", "_ADDR", "_START", "_END", "_PORT_START", "_PORT_END"];
        PROTOCOLS.iter().flat_map(|protocol| parts.map(|part| format!("_{protocol}{part}"))).collect()
    });
    rest.match_indices("_PORT_").any(|(at, found)| {
        let after = &rest[at + found.len()..];
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        digits > 0 && SUFFIXES.iter().any(|suffix| after[digits..] == **suffix)
    })
}

fn is_address(value: &str) -> bool {
    let scheme = value.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| PROTOCOLS.iter().any(|protocol| protocol.eq_ignore_ascii_case(scheme)))
}

#[cfg(test)]
mod tests {
    use super::is_injected;

    fn injected(name: &str, value: &str) -> bool {
        let link = |name: &str| (name == "LEDGERLINE_OLD_DB_NAME").then(|| "/web/db".to_owned());
        is_injected(name, value, link)
    }

    #[test]
    fn what_an_orchestrator_sets_for_a_neighbour_is_known() {
        for (name, value) in [
            ("LEDGERLINE_SERVICE_HOST", "10.0.0.1"),
            ("LEDGERLINE_SERVICE_PORT", "80"),
            ("LEDGERLINE_SERVICE_PORT_HTTP", "80"),
            ("LEDGERLINE_PORT", "tcp://10.0.0.1:80"),
            ("LEDGERLINE_PORT_80_TCP", "tcp://10.0.0.1:80"),
            ("LEDGERLINE_POSTGRESQL_SERVICE_HOST", "10.0.0.2"),
            ("LEDGERLINE_POSTGRESQL_SERVICE_PORT", "5432"),
            ("LEDGERLINE_POSTGRESQL_SERVICE_PORT_TCP_POSTGRESQL", "5432"),
            ("LEDGERLINE_POSTGRESQL_PORT", "tcp://10.0.0.2:5432"),
            ("LEDGERLINE_POSTGRESQL_PORT_5432_TCP", "tcp://10.0.0.2:5432"),
            ("LEDGERLINE_POSTGRESQL_PORT_5432_TCP_PROTO", "tcp"),
            ("LEDGERLINE_POSTGRESQL_PORT_5432_TCP_PORT", "5432"),
            ("LEDGERLINE_POSTGRESQL_PORT_5432_TCP_ADDR", "10.0.0.2"),
            ("LEDGERLINE_DNS_PORT", "udp://10.0.0.3:53"),
            ("LEDGERLINE_DNS_PORT_53_UDP_ADDR", "10.0.0.3"),
            ("LEDGERLINE_SIGTRAN_PORT_2905_SCTP", "sctp://10.0.0.4:2905"),
            ("LEDGERLINE_REPORT_SERVICE_SERVICE_HOST", "10.0.0.5"),
            ("LEDGERLINE_2_WEB_PORT_8080_TCP_ADDR", "10.0.0.6"),
            ("LEDGERLINE_OLD_DB_NAME", "/web/db"),
            ("LEDGERLINE_OLD_DB_ENV_POSTGRES_PASSWORD", "secret"),
            ("LEDGERLINE_OLD_DB_PORT_80_TCP_PORT_END", "90"),
        ] {
            assert!(injected(name, value), "{name}");
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_not_taken_for_a_neighbours() {
        for (name, value) in [
            ("LEDGERLINE_PORT", "8080"),
            ("LEDGERLINE_PORT", ""),
            ("LEDGERLINE_LISTEN_PORT", "8080"),
            ("LEDGERLINE_PORTS", "tcp://10.0.0.1:80"),
            ("LEDGERLINE_PORT_TCP", "tcp://10.0.0.1:80"),
            ("LEDGERLINE_PORT_80", "80"),
            ("LEDGERLINE_PORT_80_HTTP", "80"),
            ("LEDGERLINE_PORT_80_TCP_ADDRESS", "10.0.0.1"),
            ("LEDGERLINE_SERVICEHOST", "10.0.0.1"),
            ("LEDGERLINE_DATABASE_NAME", "ledgerline"),
            ("LEDGERLINE_NEW_DB_ENV_POSTGRES_PASSWORD", "secret"),
            ("LEDGERLINE_LOGFORMAT", "json"),
            ("PATH_SERVICE_HOST", "10.0.0.1"),
        ] {
            assert!(!injected(name, value), "{name}={value}");
        }
    }
}
