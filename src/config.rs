//! Settings: flags, or environment variables of the same names (12-factor). An unknown variable stops the start.

mod neighbours;
mod origin;

use std::path::PathBuf;

use axum::http::{HeaderName, HeaderValue};
use clap::Args;
use ipnet::IpNet;

use crate::{delivery::mail::Mailer, store::Durability};

/// Settings of every command.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    /// Address to listen on, or unix:PATH for a Unix socket.
    #[arg(long, env = "LEDGERLINE_LISTEN", default_value = "127.0.0.1:8080", global = true)]
    pub listen: String,
    /// The database: sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME.
    #[arg(
        long,
        env = "LEDGERLINE_DATABASE_URL",
        default_value = "sqlite://data/ledgerline.db",
        hide_env_values = true,
        global = true
    )]
    pub database_url: String,
    /// A file that holds PostgreSQL's password and nothing else. It is read for each new connection.
    #[arg(
        long,
        env = "LEDGERLINE_DATABASE_PASSWORD_FILE",
        global = true,
        conflicts_with = "database_password_command"
    )]
    pub database_password_file: Option<String>,
    /// A command that says PostgreSQL's password. It is run for each new connection, with PGHOST, PGPORT, PGUSER and
    /// PGDATABASE.
    #[arg(long, env = "LEDGERLINE_DATABASE_PASSWORD_COMMAND", global = true)]
    pub database_password_command: Option<String>,
    /// A streaming replica of the PostgreSQL database, to read from: postgres://USER:PASSWORD@HOST/NAME.
    #[arg(long, env = "LEDGERLINE_READ_DATABASE_URL", hide_env_values = true, global = true)]
    pub read_database_url: Option<String>,
    /// Folder of product files that replaces the five built in.
    #[arg(long, env = "LEDGERLINE_PRODUCTS", global = true)]
    pub products: Option<PathBuf>,
    /// Folder of development keys, and of the key of the service's own issuer [default: keys, beside the SQLite database].
    #[arg(long, env = "LEDGERLINE_KEYS", global = true)]
    pub keys: Option<PathBuf>,
    /// Where files of exports lie: a folder, or s3://BUCKET/PREFIX [default: exports, beside the SQLite database].
    #[arg(long, env = "LEDGERLINE_EXPORTS", global = true)]
    pub exports: Option<String>,
    /// A file outside of the database that says which events people were erased from, for restored backups; it is written after
    /// each erasure. Its folder must be there.
    // `restore --erasure-list` reads a list, hence the longer flag.
    #[arg(id = "erasure_list_file", long = "erasure-list-file", env = "LEDGERLINE_ERASURE_LIST", global = true)]
    pub erasure_list: Option<PathBuf>,
    /// Origins of web pages that may call the API, separated by commas.
    #[arg(long, env = "LEDGERLINE_ALLOWED_ORIGINS", value_delimiter = ',', global = true)]
    pub allowed_origins: Vec<String>,
    /// Request headers that those pages may send besides the usual ones, separated by commas.
    #[arg(long, env = "LEDGERLINE_ALLOWED_HEADERS", value_delimiter = ',', global = true)]
    pub allowed_headers: Vec<String>,
    /// A certificate to serve HTTPS with, and those that vouch for it: a file in PEM. It is read again when it changes.
    #[arg(long, env = "LEDGERLINE_TLS_CERTIFICATE", global = true, requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// The certificate's private key: a file in PEM.
    #[arg(long, env = "LEDGERLINE_TLS_KEY", global = true, requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// Networks of proxies whose X-Forwarded-Host and X-Forwarded-For are believed, such as 10.0.0.0/8, separated by commas;
    /// whoever connects to a Unix socket always is.
    #[arg(long, env = "LEDGERLINE_TRUSTED_PROXIES", value_delimiter = ',', global = true)]
    pub trusted_proxies: Vec<String>,
    /// Log filter, such as info or ledgerline=debug.
    // `token --log` names an audit log, hence the longer flag.
    #[arg(id = "log_filter", long = "log-filter", env = "LEDGERLINE_LOG", default_value = "info", global = true)]
    pub log: String,
    /// Form of log lines: text or json.
    #[arg(long, env = "LEDGERLINE_LOG_FORMAT", default_value = "text", global = true)]
    pub log_format: LogFormat,
    /// Requests that one subject may read with in a minute, in bursts of up to 100; 0 is no limit.
    #[arg(long, env = "LEDGERLINE_READ_RATE", default_value_t = 600, global = true)]
    pub read_rate: u32,
    /// Events that may be recorded for one organization in a second, in bursts of at least 1,000; 0 is no limit.
    #[arg(long, env = "LEDGERLINE_RECORD_RATE", default_value_t = 0, global = true)]
    pub record_rate: u32,
    /// Whether a PostgreSQL may be used that can lose what it acknowledged when it crashes (fsync or full_page_writes off).
    #[arg(
        long,
        env = "LEDGERLINE_ALLOW_UNSAFE_DURABILITY",
        default_value_t = false,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = clap::ArgAction::Set,
        global = true
    )]
    pub allow_unsafe_durability: bool,
    /// Networks besides the public ones that endpoints may lie in, such as 10.1.0.0/16, separated by commas; for tests on
    /// this machine 127.0.0.0/8.
    #[arg(long, env = "LEDGERLINE_ENDPOINT_NETWORKS", value_delimiter = ',', global = true)]
    pub endpoint_networks: Vec<String>,
    /// Where the service is reached from outside: its scheme and host.
    #[arg(long, env = "LEDGERLINE_PUBLIC_URL", global = true)]
    pub public_url: Option<String>,
    /// The path below which a proxy shows the service, such as /audit. It answers with and without it.
    #[arg(long, env = "LEDGERLINE_BASE_PATH", default_value = "", hide_default_value = true, global = true)]
    pub base_path: String,
    /// The server that mail of alerts is sent by: smtps://USER:PASSWORD@HOST, or smtp://USER:PASSWORD@HOST:587?tls=required.
    #[arg(long, env = "LEDGERLINE_SMTP_URL", hide_env_values = true, global = true)]
    pub smtp_url: Option<String>,
    /// The address that mail of alerts comes from, such as Audit log <audit@example.com>.
    #[arg(long, env = "LEDGERLINE_MAIL_FROM", global = true)]
    pub mail_from: Option<String>,
    /// Whether clients may ask for the schema.
    #[arg(long, env = "LEDGERLINE_INTROSPECTION", default_value_t = true, action = clap::ArgAction::Set, global = true)]
    pub introspection: bool,
}

/// Form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Every variable that is ours, besides the keys that product files name.
const VARIABLES: &[&str] = &[
    "LEDGERLINE_LISTEN",
    "LEDGERLINE_DATABASE_URL",
    "LEDGERLINE_DATABASE_PASSWORD_FILE",
    "LEDGERLINE_DATABASE_PASSWORD_COMMAND",
    "LEDGERLINE_READ_DATABASE_URL",
    "LEDGERLINE_PRODUCTS",
    "LEDGERLINE_KEYS",
    "LEDGERLINE_EXPORTS",
    "LEDGERLINE_ERASURE_LIST",
    "LEDGERLINE_ALLOWED_ORIGINS",
    "LEDGERLINE_ALLOWED_HEADERS",
    "LEDGERLINE_TLS_CERTIFICATE",
    "LEDGERLINE_TLS_KEY",
    "LEDGERLINE_TRUSTED_PROXIES",
    "LEDGERLINE_LOG",
    "LEDGERLINE_LOG_FORMAT",
    "LEDGERLINE_READ_RATE",
    "LEDGERLINE_RECORD_RATE",
    "LEDGERLINE_INTROSPECTION",
    "LEDGERLINE_ENDPOINT_NETWORKS",
    "LEDGERLINE_PUBLIC_URL",
    "LEDGERLINE_BASE_PATH",
    "LEDGERLINE_SMTP_URL",
    "LEDGERLINE_MAIL_FROM",
    "LEDGERLINE_ALLOW_UNSAFE_DURABILITY",
];

impl Settings {
    /// Everything that is wrong with the environment and the settings, in words.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the place where settings are read")]
    pub fn faults(&self, named_by_products: &[String]) -> Vec<String> {
        let mut faults = Vec::new();
        let value_of = |name: &str| std::env::var(name).ok();
        for (name, value) in std::env::vars_os() {
            let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
            let known = VARIABLES.contains(&name.as_ref())
                || named_by_products.iter().any(|own| *own == name)
                || neighbours::is_injected(&name, &value, value_of);
            if name.starts_with("LEDGERLINE_") && !known {
                let nearest = VARIABLES.iter().max_by(|a, b| strsim::jaro(a, &name).total_cmp(&strsim::jaro(b, &name)));
                faults.push(format!("{name}: there is no such setting; the nearest is {}", nearest.unwrap_or(&"")));
            }
        }
        for text in given(&self.allowed_origins) {
            if let Err(reason) = origin::read(text) {
                faults.push(format!("LEDGERLINE_ALLOWED_ORIGINS: {text:?}: {reason}"));
            }
        }
        let networks = [
            ("LEDGERLINE_ENDPOINT_NETWORKS", &self.endpoint_networks),
            ("LEDGERLINE_TRUSTED_PROXIES", &self.trusted_proxies),
        ];
        for (name, text) in networks.iter().flat_map(|(name, list)| given(list).map(move |text| (name, text))) {
            if let Err(reason) = text.parse::<IpNet>() {
                faults.push(format!("{name}: {text:?}: {reason}, as 10.1.0.0/16 is right"));
            }
        }
        if !is_base_path(&self.base_path) {
            let rule = "must be a path such as /audit, of letters, digits and -._~, without a slash at its end";
            faults.push(format!("LEDGERLINE_BASE_PATH: {:?} {rule}", self.base_path));
        }
        if let Err(fault) = self.mailer() {
            faults.push(fault);
        }
        for text in given(&self.allowed_headers) {
            if text == "*" || text.parse::<HeaderName>().is_err() {
                faults.push(format!(
                    "LEDGERLINE_ALLOWED_HEADERS: {text:?} must be the name of a header, such as x-trace-id"
                ));
            }
        }
        faults
    }

    /// The same settings, in which the addresses of databases say where their passwords come from.
    #[must_use]
    pub fn with_passwords(mut self) -> Self {
        let set = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let named =
            [("password_file", &self.database_password_file), ("password_command", &self.database_password_command)];
        let said: Vec<_> = named.iter().filter_map(|(name, text)| Some((*name, set(text)?))).collect();
        for url in [Some(&mut self.database_url), self.read_database_url.as_mut()].into_iter().flatten() {
            if !said.is_empty() && url.starts_with("postgres") {
                let written = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&said).finish();
                url.push(if url.contains('?') { '&' } else { '?' });
                url.push_str(&written);
            }
        }
        self
    }

    /// What is asked of the database.
    #[must_use]
    pub fn durability(&self) -> Durability {
        if self.allow_unsafe_durability { Durability::Waived } else { Durability::Required }
    }

    /// The allowed origins, as browsers send them.
    #[must_use]
    pub fn origins(&self) -> Vec<HeaderValue> {
        given(&self.allowed_origins).filter_map(|text| origin::read(text).ok()).collect()
    }

    /// The networks of proxies that are believed.
    #[must_use]
    pub fn proxies(&self) -> Vec<IpNet> {
        given(&self.trusted_proxies).filter_map(|text| text.parse().ok()).collect()
    }

    /// The networks that endpoints may lie in besides the public ones.
    #[must_use]
    pub fn networks(&self) -> Vec<IpNet> {
        given(&self.endpoint_networks).filter_map(|text| text.parse().ok()).collect()
    }

    /// What mail is sent by; `None` where no server is named.
    ///
    /// # Errors
    /// What is wrong with the settings, in words.
    pub fn mailer(&self) -> Result<Option<Mailer>, String> {
        let set = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        match (set(&self.smtp_url), set(&self.mail_from)) {
            (None, None) => Ok(None),
            (Some(url), Some(from)) => Mailer::new(&url, &from).map(Some),
            (Some(_), None) => Err("LEDGERLINE_MAIL_FROM: must be set where LEDGERLINE_SMTP_URL is".to_owned()),
            (None, Some(_)) => Err("LEDGERLINE_SMTP_URL: must be set where LEDGERLINE_MAIL_FROM is".to_owned()),
        }
    }

    /// The headers that are allowed besides the usual ones.
    #[must_use]
    pub fn headers(&self) -> Vec<HeaderName> {
        given(&self.allowed_headers).filter_map(|text| text.parse().ok()).collect()
    }

    /// The folder of development keys and of the service's own.
    #[must_use]
    pub fn keys_folder(&self) -> PathBuf {
        self.keys.clone().unwrap_or_else(|| self.beside_database("keys"))
    }

    /// Where files of exports lie: beside the SQLite database by default.
    #[must_use]
    pub fn exports_place(&self) -> String {
        self.exports.clone().unwrap_or_else(|| self.beside_database("exports").display().to_string())
    }

    /// The file that the erasure list is kept in; none where nothing names one.
    #[must_use]
    pub fn erasure_list(&self) -> Option<PathBuf> {
        self.erasure_list.clone().filter(|path| !path.as_os_str().is_empty())
    }

    fn beside_database(&self, name: &str) -> PathBuf {
        let path = self
            .database_url
            .strip_prefix("sqlite:")
            .map(|rest| rest.trim_start_matches("//").split('?').next().unwrap_or_default());
        let beside = path.and_then(|path| std::path::Path::new(path).parent()).map(PathBuf::from);
        beside.unwrap_or_else(|| PathBuf::from("data")).join(name)
    }
}

/// The entries of a list: blanks around a comma mean nothing, and neither does a variable that is set to nothing.
fn given(list: &[String]) -> impl Iterator<Item = &str> {
    list.iter().map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// Whether a path can be put before every address; the empty one puts nothing there.
fn is_base_path(path: &str) -> bool {
    let is_segment = |segment: &str| {
        !segment.is_empty()
            && segment != "."
            && segment != ".."
            && segment.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c))
    };
    path.is_empty() || path.strip_prefix('/').is_some_and(|path| path.split('/').all(is_segment))
}
