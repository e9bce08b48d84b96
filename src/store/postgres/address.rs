//! Where a PostgreSQL is, by a URL as libpq reads it. The driver knows one server, and a password that stays as it is. So
//! what libpq has beyond that stands here: several hosts, what is wanted of them, a file of passwords; and, of our own, a
//! password that is asked for anew with each connection.

use std::{process::Stdio, sync::OnceLock, time::Duration};

use sqlx::{
    ConnectOptions as _, Connection, Row,
    postgres::{PgConnectOptions, PgSslMode},
    raw_sql,
};
use tokio::{process::Command, time::timeout};

use super::bridge::Bridge;
use crate::{
    chance::Chance,
    error::{Error, Result},
    store::dialect::URL,
};

/// How long each of several hosts is waited for, unless `connect_timeout` says so.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a command may take to tell a password.
const TELLING: Duration = Duration::from_secs(10);
/// The parameters that the driver reads; those of `options[…]` besides.
const OF_THE_DRIVER: [&str; 17] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "application_name",
    "options",
];
/// Parameters that name a file.
const FILES: [&str; 8] =
    ["passfile", "sslrootcert", "ssl-root-cert", "ssl-ca", "sslcert", "ssl-cert", "sslkey", "ssl-key"];

/// Where connections are opened, and what they are opened with.
pub(in crate::store) struct Address {
    /// A URL of one server each, as the driver reads it, in the order in which they are tried.
    hosts: Vec<String>,
    /// Ways to them, for those whose certificate the driver cannot read.
    bridges: Vec<OnceLock<Bridge>>,
    /// The certificate that is shown to servers, and its key.
    own: Option<(String, String)>,
    wanted: Wanted,
    patience: Duration,
    password: Password,
}

/// Where the password comes from.
enum Password {
    /// The URL, or what the driver finds by itself: PGPASSWORD, PGPASSFILE, ~/.pgpass.
    Fixed,
    /// Its line in a file of passwords.
    Listed(String),
    /// A file that holds nothing else.
    Alone(String),
    /// What a command says.
    Told(String),
}

/// `target_session_attrs`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    PreferStandby,
}

/// Why there is no connection, beside what the driver says.
#[derive(Debug, thiserror::Error)]
pub(super) enum Missing {
    #[error("none of {0} is what target_session_attrs wants: {1}")]
    Server(String, &'static str),
    #[error("the password cannot be read from {0}: {1}")]
    File(String, std::io::Error),
    #[error("{0} may be read by others than its owner: chmod 600")]
    Open(String),
    #[error("the command that tells the password {0}")]
    Command(&'static str),
}

impl Wanted {
    fn of(text: &str) -> Option<Self> {
        Some(match text {
            "any" => Self::Any,
            "read-write" => Self::ReadWrite,
            "read-only" => Self::ReadOnly,
            "primary" => Self::Primary,
            "standby" => Self::Standby,
            "prefer-standby" => Self::PreferStandby,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::ReadWrite => "read-write",
            Self::ReadOnly => "read-only",
            Self::Primary => "primary",
            Self::Standby => "standby",
            Self::PreferStandby => "prefer-standby",
        }
    }

    fn fits(self, is_standby: bool, is_read_only: bool) -> bool {
        match self {
            Self::Any => true,
            Self::ReadWrite => !is_read_only,
            Self::ReadOnly => is_read_only,
            Self::Primary => !is_standby,
            Self::Standby | Self::PreferStandby => is_standby,
        }
    }
}

impl Address {
    /// Reads a URL, and the files that it names.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` that names the parameter and the rule.
    pub fn read(url: &str) -> Result<Self> {
        let bad = |rule: String| Error::bad_input(URL, rule);
        let form = "must be as postgres://USER@HOST:PORT/NAME";
        let (scheme, rest) = url.split_once("://").ok_or_else(|| bad(form.to_owned()))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (user, hosts) = authority.rsplit_once('@').map_or(("", authority), |(user, hosts)| (user, hosts));
        let (mut hosts, mut ports): (Vec<_>, Vec<_>) = hosts.split(',').map(host_and_port).unzip();
        let mut address = Self {
            hosts: Vec::new(),
            bridges: Vec::new(),
            own: None,
            wanted: Wanted::Any,
            patience: PATIENCE,
            password: Password::Fixed,
        };
        let (mut certificate, mut key) = (None, None);
        let mut kept = url::form_urlencoded::Serializer::new(String::new());
        let (mut mode, mut has_root, mut has_password) = (None, false, user.contains(':'));
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let refused = |rule: String| Err(bad(format!("{name} {rule}")));
            if name.contains('@') {
                return Err(bad(format!("{form}, in which a question mark of a password is written as %3F")));
            }
            if FILES.contains(&&*name)
                && !(name == "sslrootcert" && value == "system")
                && let Err(error) = std::fs::File::open(&*value)
            {
                return refused(format!("must name a file that can be read: {value}: {error}"));
            }
            match &*name {
                "target_session_attrs" => match Wanted::of(&value) {
                    Some(wanted) => address.wanted = wanted,
                    None => {
                        return refused(
                            "must be any, read-write, read-only, primary, standby or prefer-standby".to_owned(),
                        );
                    }
                },
                "connect_timeout" => match value.parse() {
                    Ok(seconds @ 1..=60) => address.patience = Duration::from_secs(seconds),
                    _ => return refused("must be 1 to 60 seconds".to_owned()),
                },
                "passfile" => address.password = Password::Listed(value.into_owned()),
                "password_file" => address.password = Password::Alone(value.into_owned()),
                "password_command" => address.password = Password::Told(value.into_owned()),
                "host" | "hostaddr" => hosts = value.split(',').map(ToOwned::to_owned).collect(),
                "port" => ports = value.split(',').map(ToOwned::to_owned).collect(),
                "sslrootcert" if value == "system" => mode = Some("verify-full".to_owned()),
                "sslmode" | "ssl-mode" if value.parse::<PgSslMode>().is_err() => {
                    return refused("must be disable, allow, prefer, require, verify-ca or verify-full".to_owned());
                }
                "sslmode" | "ssl-mode" => mode = mode.or_else(|| Some(value.into_owned())),
                "password" => {
                    has_password = true;
                    kept.append_pair(&name, &value);
                }
                known if OF_THE_DRIVER.contains(&known) || known.starts_with("options[") => {
                    match known {
                        "sslcert" | "ssl-cert" => certificate = Some(value.to_string()),
                        "sslkey" | "ssl-key" => key = Some(value.to_string()),
                        _ => {}
                    }
                    has_root |= ["sslrootcert", "ssl-root-cert", "ssl-ca"].contains(&known);
                    kept.append_pair(known, &value);
                }
                _ => {
                    let own = ["target_session_attrs", "connect_timeout", "passfile"];
                    let known = OF_THE_DRIVER.iter().copied().filter(|known| !known.contains("ssl-")).chain(own);
                    let known: Vec<_> = known.collect();
                    return refused(format!("is no parameter that is read here; those are {}", known.join(", ")));
                }
            }
        }
        match mode.as_deref() {
            // As libpq has it: a named authority is asked for its word.
            Some("require") if has_root => drop(kept.append_pair("sslmode", "verify-ca")),
            // The driver would never encrypt, whatever the server demands.
            Some("allow") => drop(kept.append_pair("sslmode", "prefer")),
            Some(mode) => drop(kept.append_pair("sslmode", mode)),
            None => {}
        }
        if has_password && !matches!(address.password, Password::Fixed) {
            return Err(bad(
                "must have one password: the URL has one, and a file or a command tells another".to_owned()
            ));
        }
        let kept = kept.finish();
        if ports.len() > 1 && ports.len() != hosts.len() {
            return Err(bad(format!("port must be one, or one for each of {} hosts", hosts.len())));
        }
        if ports.iter().any(|port| !port.is_empty() && port.parse::<u16>().is_err()) {
            return Err(bad(format!("{form}, in which the port must be a number up to 65535")));
        }
        // A folder of sockets has no place in a URL but among its parameters, and so no host has.
        let at = if user.is_empty() { String::new() } else { format!("{user}@") };
        for (place, host) in hosts.into_iter().enumerate() {
            let host =
                if host.is_empty() { PgConnectOptions::new_without_pgpass().get_host().to_owned() } else { host };
            let mut of_one = url::form_urlencoded::Serializer::new(String::new());
            of_one.append_pair("host", &host);
            if let Some(port) = ports.get(place).or(ports.first()).filter(|port| !port.is_empty()) {
                of_one.append_pair("port", port);
            }
            let one = format!("{scheme}://{at}localhost{path}?{}&{kept}", of_one.finish());
            one.parse::<PgConnectOptions>().map_err(|fault| bad(format!("{form} ({fault})")))?;
            address.hosts.push(one);
            address.bridges.push(OnceLock::new());
        }
        address.own = certificate.zip(key);
        Ok(address)
    }

    /// Leads to every server in a way on which its certificate is not read.
    ///
    /// # Errors
    /// Where there is no place for it.
    pub fn build_bridges(&self, chance: &Chance) -> Result<(), sqlx::Error> {
        for (host, bridge) in self.hosts.iter().zip(&self.bridges) {
            let options: PgConnectOptions = host.parse()?;
            let is_verified = matches!(options.get_ssl_mode(), PgSslMode::VerifyCa | PgSslMode::VerifyFull);
            if options.get_socket().is_none() && !is_verified && bridge.get().is_none() {
                drop(bridge.set(Bridge::open(&options, self.own.as_ref(), chance.draw())?));
            }
        }
        Ok(())
    }

    /// Whether what a connection is opened with may be another thing than before.
    pub fn changes(&self) -> bool {
        self.must_look() || !matches!(self.password, Password::Fixed)
    }

    fn must_look(&self) -> bool {
        self.hosts.len() > 1 || self.wanted != Wanted::Any
    }

    /// What a connection is opened with now: the first server that is what is wanted, and the password of now.
    ///
    /// # Errors
    /// Of the last server that was tried, or that none is what is wanted.
    pub async fn options(&self) -> Result<PgConnectOptions, sqlx::Error> {
        let mut refused = Vec::new();
        let mut last = None;
        for wanted in [self.wanted, Wanted::Any] {
            for (host, bridge) in self.hosts.iter().zip(&self.bridges) {
                let options = self.of_host(host).await?;
                let place = place_of(&options);
                let options = match bridge.get() {
                    Some(bridge) => bridge.over(options),
                    None => options,
                };
                if !self.must_look() {
                    return Ok(options);
                }
                match timeout(self.patience, looked_at(&options)).await {
                    Ok(Ok((is_standby, is_read_only))) if wanted.fits(is_standby, is_read_only) => return Ok(options),
                    Ok(Ok(_)) => refused.push(place),
                    Ok(Err(error)) => last = Some(error),
                    Err(_) => last = Some(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
                }
            }
            if self.wanted != Wanted::PreferStandby {
                break;
            }
        }
        match last {
            Some(error) if refused.is_empty() => Err(error),
            _ => Err(configuration(Missing::Server(refused.join(", "), self.wanted.name()))),
        }
    }

    /// How long it may take to find the server that is wanted, and the password.
    pub fn patience(&self) -> Duration {
        let hosts = u32::try_from(self.hosts.len()).unwrap_or(u32::MAX);
        let looking = if self.must_look() { self.patience.saturating_mul(2 * hosts) } else { Duration::ZERO };
        if matches!(self.password, Password::Told(_)) { looking + TELLING * 2 } else { looking }
    }

    /// Where it is, for messages.
    pub fn places(&self) -> String {
        let places = self.hosts.iter().filter_map(|host| Some(place_of(&host.parse().ok()?)));
        places.collect::<Vec<_>>().join(", ")
    }

    async fn of_host(&self, host: &str) -> Result<PgConnectOptions, sqlx::Error> {
        let options: PgConnectOptions = host.parse()?;
        Ok(match &self.password {
            Password::Fixed => options,
            Password::Listed(file) => {
                refuse_open(file).await?;
                match listed(&read_secret(file).await?, &options) {
                    Some(password) => options.password(&password),
                    None => options,
                }
            }
            Password::Alone(file) => options.password(read_secret(file).await?.trim_end_matches(['\r', '\n'])),
            Password::Told(command) => {
                let password = told(command, &options).await?;
                options.password(password.trim_end_matches(['\r', '\n']))
            }
        })
    }
}

/// A host, as it is named, and its port; an address of IPv6 stands in brackets.
fn host_and_port(text: &str) -> (String, String) {
    let (host, port) = match text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':').unwrap_or_default()),
        None => text.rsplit_once(':').unwrap_or((text, "")),
    };
    (percent_encoding::percent_decode_str(host).decode_utf8_lossy().into_owned(), port.to_owned())
}

/// Where a server is, for messages.
fn place_of(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(folder) => folder.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}

fn configuration(missing: Missing) -> sqlx::Error {
    sqlx::Error::Configuration(missing.into())
}

/// Whether a server is a standby, and whether it only reads.
async fn looked_at(options: &PgConnectOptions) -> Result<(bool, bool), sqlx::Error> {
    let mut connection = options.clone().extra_float_digits(None).disable_statement_logging().connect().await?;
    let asked = "SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'";
    let row = raw_sql(asked).fetch_one(&mut connection).await?;
    let found = (row.try_get(0)?, row.try_get(1)?);
    // Whether the server hears the farewell does not matter.
    drop(connection.close().await);
    Ok(found)
}

async fn read_secret(file: &str) -> Result<String, sqlx::Error> {
    let read = tokio::fs::read_to_string(file).await;
    read.map_err(|error| configuration(Missing::File(file.to_owned(), error)))
}

/// Refuses a file of passwords that others may read, as libpq does. Containers mount files of one password in that way.
async fn refuse_open(file: &str) -> Result<(), sqlx::Error> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let found = tokio::fs::metadata(file).await;
        let found = found.map_err(|error| configuration(Missing::File(file.to_owned(), error)))?;
        if found.permissions().mode() & 0o077 != 0 {
            return Err(configuration(Missing::Open(file.to_owned())));
        }
    }
    Ok(())
}

/// The password of the first line that fits, as libpq has it: `host:port:database:user:password`, in which `*` is anything
/// and a backslash takes its meaning from the next character.
fn listed(text: &str, options: &PgConnectOptions) -> Option<String> {
    let host = if options.get_socket().is_some() { "localhost" } else { options.get_host() };
    let (port, user) = (options.get_port().to_string(), options.get_username());
    let wanted = [host, &port, options.get_database().unwrap_or(user), user];
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut fields = vec![String::new()];
        let mut characters = line.chars();
        while let Some(character) = characters.next() {
            match character {
                ':' if fields.len() <= wanted.len() => fields.push(String::new()),
                '\\' => fields.last_mut()?.extend(characters.next()),
                other => fields.last_mut()?.push(other),
            }
        }
        let password = fields.pop().filter(|_| fields.len() == wanted.len())?;
        let fits = |(field, wanted): (&String, &&str)| field == "*" || field == wanted;
        fields.iter().zip(&wanted).all(fits).then_some(password)
    })
}

/// What a command says. It knows which server it is for as programs of PostgreSQL do.
async fn told(command: &str, options: &PgConnectOptions) -> Result<String, sqlx::Error> {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    shell.env("PGHOST", options.get_host()).env("PGPORT", options.get_port().to_string());
    shell.env("PGUSER", options.get_username());
    shell.env("PGDATABASE", options.get_database().unwrap_or(options.get_username()));
    let failed = |why| configuration(Missing::Command(why));
    match timeout(TELLING, shell.output()).await {
        Err(_) => Err(failed("has not ended after 10 s")),
        Ok(Err(_)) => Err(failed("cannot be run")),
        Ok(Ok(output)) if !output.status.success() => Err(failed("has failed")),
        Ok(Ok(output)) => String::from_utf8(output.stdout).map_err(|_| failed("says what is not in UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Vec<String> {
        let address = Address::read(url).expect("a URL");
        let of_one = |host: &String| {
            let options: PgConnectOptions = host.parse().expect("options");
            format!("{}@{}/{}", options.get_username(), place_of(&options), options.get_database().unwrap_or_default())
        };
        address.hosts.iter().map(of_one).collect()
    }

    #[test]
    fn hosts_are_read_as_libpq_reads_them() {
        for (url, hosts) in [
            ("postgres://u@h/d", vec!["u@h:5432/d"]),
            ("postgresql://u:p%40w@h:1/d", vec!["u@h:1/d"]),
            ("postgres://u:a@b@h:1/d", vec!["u@h:1/d"]),
            ("postgres://u@[::1]:5433/d", vec!["u@::1:5433/d"]),
            ("postgres://u@a,b:2,[fe80::1]:3/d?sslmode=disable", vec!["u@a:5432/d", "u@b:2/d", "u@fe80::1:3/d"]),
            ("postgres:///d?host=a,b&port=7&user=u", vec!["u@a:7/d", "u@b:7/d"]),
            ("postgres://u@/d?host=/run/postgresql", vec!["u@/run/postgresql/d"]),
            ("postgres://u@%2Frun%2Fpostgresql/d", vec!["u@/run/postgresql/d"]),
            ("postgres://u@h?dbname=d", vec!["u@h:5432/d"]),
        ] {
            assert_eq!(read(url), hosts, "{url}");
        }
    }

    #[test]
    fn what_is_not_read_is_refused_by_name() {
        for (url, part) in [
            ("postgres://u@h/d?sslmod=require", "sslmod is no parameter"),
            ("postgres://u@h/d?gssencmode=disable", "gssencmode is no parameter"),
            ("postgres://u@h/d?target_session_attrs=primry", "target_session_attrs must be any"),
            ("postgres://u@a,b,c/d?port=1,2", "port must be one"),
            ("postgres://u@h:port/d", "the port must be a number"),
            ("postgres://u:secret@h/d?password_command=x", "one password"),
        ] {
            let told = Address::read(url).err().expect(url).to_string();
            assert!(told.contains(part) && !told.contains("secret"), "{url}: {told}");
        }
    }

    #[test]
    fn a_file_of_passwords_is_read_as_libpq_reads_it() {
        let options: PgConnectOptions = "postgres://u@h:1/d".parse().expect("options");
        let text = "# h:1:d:u:no\nh:2:d:u:no\nshort:line\nh:*:d:other:no\n*:1:d:u:a\\:b\\\\c:d\nh:1:d:u:later";
        assert_eq!(listed(text, &options).as_deref(), Some("a:b\\c:d"));
        assert_eq!(listed("h:1:other:u:no", &options), None);
        let socket: PgConnectOptions = "postgres://u@localhost/d?host=/run/x".parse().expect("options");
        assert_eq!(listed("localhost:5432:d:u:yes", &socket).as_deref(), Some("yes"));
    }
}
