//! Settings: flags, or environment variables of the same names (12-factor). An unknown variable stops the start.

use std::path::PathBuf;

use axum::http::HeaderValue;
use clap::Args;

/// Settings of every command.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    /// Address to listen on.
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
    /// A streaming replica of the PostgreSQL database, to read from: postgres://USER:PASSWORD@HOST/NAME.
    #[arg(long, env = "LEDGERLINE_READ_DATABASE_URL", hide_env_values = true, global = true)]
    pub read_database_url: Option<String>,
    /// Folder of product files that replaces the five built in.
    #[arg(long, env = "LEDGERLINE_PRODUCTS", global = true)]
    pub products: Option<PathBuf>,
    /// Folder of development keys [default: keys, beside the SQLite database].
    #[arg(long, env = "LEDGERLINE_KEYS", global = true)]
    pub keys: Option<PathBuf>,
    /// Origins of web pages that may call the API, separated by commas.
    #[arg(long, env = "LEDGERLINE_ALLOWED_ORIGINS", value_delimiter = ',', global = true)]
    pub allowed_origins: Vec<String>,
    /// Log filter, such as info or ledgerline=debug.
    // `token --log` names an audit log, hence the longer flag.
    #[arg(id = "log_filter", long = "log-filter", env = "LEDGERLINE_LOG", default_value = "info", global = true)]
    pub log: String,
    /// Form of log lines: text or json.
    #[arg(long, env = "LEDGERLINE_LOG_FORMAT", default_value = "text", global = true)]
    pub log_format: LogFormat,
    /// Requests that one token may read with in a minute, in bursts of up to 100; 0 is no limit.
    #[arg(long, env = "LEDGERLINE_READ_RATE", default_value_t = 600, global = true)]
    pub read_rate: u32,
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
const VARIABLES: [&str; 10] = [
    "LEDGERLINE_LISTEN",
    "LEDGERLINE_DATABASE_URL",
    "LEDGERLINE_READ_DATABASE_URL",
    "LEDGERLINE_PRODUCTS",
    "LEDGERLINE_KEYS",
    "LEDGERLINE_ALLOWED_ORIGINS",
    "LEDGERLINE_LOG",
    "LEDGERLINE_LOG_FORMAT",
    "LEDGERLINE_READ_RATE",
    "LEDGERLINE_INTROSPECTION",
];

impl Settings {
    /// Everything that is wrong with the environment and the settings, in words.
    #[must_use]
    pub fn faults(&self, named_by_products: &[String]) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            // Kubernetes sets these for a Service of our name.
            let orchestrated = name.starts_with("LEDGERLINE_SERVICE_") || name.starts_with("LEDGERLINE_PORT");
            let known =
                orchestrated || VARIABLES.contains(&name.as_ref()) || named_by_products.iter().any(|own| *own == name);
            if name.starts_with("LEDGERLINE_") && !known {
                let nearest = VARIABLES.iter().max_by(|a, b| strsim::jaro(a, &name).total_cmp(&strsim::jaro(b, &name)));
                faults.push(format!("{name}: there is no such setting; the nearest is {}", nearest.unwrap_or(&"")));
            }
        }
        for origin in &self.allowed_origins {
            let is_origin = origin.split_once("://").is_some_and(|(scheme, host)| {
                ["http", "https"].contains(&scheme) && !host.is_empty() && !host.contains('/')
            });
            if !is_origin || HeaderValue::from_str(origin).is_err() {
                faults.push(format!(
                    "LEDGERLINE_ALLOWED_ORIGINS: {origin:?} must be an origin such as https://app.example.com"
                ));
            }
        }
        faults
    }

    /// The allowed origins as headers carry them.
    #[must_use]
    pub fn origins(&self) -> Vec<HeaderValue> {
        self.allowed_origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect()
    }

    /// The folder of development keys.
    #[must_use]
    pub fn keys_folder(&self) -> PathBuf {
        self.keys.clone().unwrap_or_else(|| {
            let path = self
                .database_url
                .strip_prefix("sqlite:")
                .map(|rest| rest.trim_start_matches("//").split('?').next().unwrap_or_default());
            let beside = path.and_then(|path| std::path::Path::new(path).parent()).map(PathBuf::from);
            beside.unwrap_or_else(|| PathBuf::from("data")).join("keys")
        })
    }
}
