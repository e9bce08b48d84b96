//! A PostgreSQL of a test's own, whose settings, files and life the test may change, and what the program says of it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::{harness::eventually, process::ledgerline};

/// What the program says when it does not start.
pub async fn refused(url: &str, folder: &Path, arguments: &[&str]) -> String {
    let mut command = ledgerline(url, folder);
    command.args(arguments);
    refused_as(command).await
}

/// The same of a prepared command.
pub async fn refused_as(mut command: Command) -> String {
    command.env("LEDGERLINE_LISTEN", "127.0.0.1:0");
    let output =
        tokio::task::spawn_blocking(move || command.output().expect("the program runs")).await.expect("it ends");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "it should not have started: {told}");
    told
}

pub async fn execute(url: &str, sql: String) {
    let mut db = PgConnection::connect(url).await.expect("PostgreSQL answers");
    db.execute(AssertSqlSafe(sql)).await.expect("it runs");
    db.close().await.expect("it closes");
}

/// A URL of another database on the same server.
pub fn beside(url: &str, name: &str) -> String {
    format!("{}/{name}", &url[..url.rfind('/').expect("a database")])
}

/// A server with the replica that it may have. Both end with it.
pub struct Server {
    folder: tempfile::TempDir,
    pub url: String,
    /// Where the replica is; nowhere if there is none.
    pub replica: String,
}

impl Server {
    fn script(arguments: [&str; 2]) -> Command {
        let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/postgres"));
        command.args(arguments);
        command
    }

    pub async fn start() -> Self {
        Self::started("start").await
    }

    pub async fn with_replica() -> Self {
        Self::started("start-with-replica").await
    }

    async fn started(how: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // The server may run as another user.
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("allowed");
        let place = folder.path().join("postgres").display().to_string();
        let output = tokio::task::spawn_blocking(move || Self::script([how, &place]).output().expect("it runs"));
        let output = output.await.expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut urls = said.lines().map(str::to_owned);
        let (url, replica) = (urls.next().unwrap_or_default(), urls.next().unwrap_or_default());
        Self { folder, url, replica }
    }

    /// Where it listens.
    pub fn port(&self) -> &str {
        port_of(&self.url)
    }

    /// The folder of its data.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("postgres/data")
    }

    /// Writes a file of its own, which nobody else may read.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.data().join(name);
        std::fs::write(&path, text).expect("it is written");
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("allowed");
        let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(self.data()).expect("it is there"));
        std::os::unix::fs::chown(&path, Some(owner), None).expect("allowed");
    }

    /// For whoever changes it, whatever its certificate is.
    fn admin(&self) -> String {
        format!("{}?sslmode=disable", self.url)
    }

    /// Has it read its files again.
    pub async fn reload(&self) {
        execute(&self.admin(), "SELECT pg_reload_conf()".to_owned()).await;
    }

    pub async fn set(&self, setting: &str, value: &str) {
        execute(&self.admin(), format!("ALTER SYSTEM SET {setting} = '{value}'")).await;
        self.reload().await;
        eventually(async || {
            let mut db = PgConnection::connect(&self.admin()).await.expect("it answers");
            let found: String =
                sqlx::query_scalar(AssertSqlSafe(format!("SHOW {setting}"))).fetch_one(&mut db).await.expect("a value");
            found == value
        })
        .await;
    }

    /// Ends it as a power failure would.
    pub fn kill(&self) {
        let file = std::fs::read_to_string(self.data().join("postmaster.pid")).expect("it runs");
        let process = file.lines().next().expect("a process");
        assert!(Command::new("kill").args(["-QUIT", process]).status().expect("kill runs").success());
    }

    /// Starts it after it was killed, with the same settings and at the same port.
    pub async fn start_again(&self) {
        let place = self.folder.path().join("postgres").display().to_string();
        let output =
            tokio::task::spawn_blocking(move || Self::script(["start-again", &place]).output().expect("it runs"));
        let output = output.await.expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// The port of a URL.
pub fn port_of(url: &str) -> &str {
    url.rsplit_once(':').and_then(|(_, rest)| rest.split_once('/')).expect("a port").0
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Self::script(["stop", &self.folder.path().join("postgres").display().to_string()]).status();
    }
}
