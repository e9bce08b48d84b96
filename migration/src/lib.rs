//! The schema's history, for both databases.
//!
//! A migration is never edited once it is here: databases in the field have gone through it. `tests/schemas` keeps a
//! checksum of each one's SQL, and of each release a database that every later version upgrades.

#![expect(elided_lifetimes_in_paths, reason = "the trait of migrations is written without them and must be matched")]

pub use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

/// One migration: its SQL for either database. Its name never changes, and names sort in the order of the history.
#[derive(Clone, Copy)]
struct Step {
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

/// All migrations, oldest first.
const HISTORY: [Step; 17] = [
    Step {
        name: "m20261121_120000_init",
        sqlite: include_str!("init/sqlite.sql"),
        postgres: include_str!("init/postgres.sql"),
    },
    Step {
        name: "m20261125_220000_schema_history",
        sqlite: include_str!("schema_history/sqlite.sql"),
        postgres: include_str!("schema_history/postgres.sql"),
    },
    Step {
        name: "m20261125_230000_stale_terms",
        sqlite: include_str!("stale_terms/sqlite.sql"),
        postgres: include_str!("stale_terms/postgres.sql"),
    },
    Step {
        name: "m20261126_010000_partner_tokens",
        sqlite: include_str!("partner_tokens/sqlite.sql"),
        postgres: include_str!("partner_tokens/postgres.sql"),
    },
    Step {
        name: "m20261126_020000_endpoints",
        sqlite: include_str!("endpoints/sqlite.sql"),
        postgres: include_str!("endpoints/postgres.sql"),
    },
    Step {
        name: "m20261126_030000_exports",
        sqlite: include_str!("exports/sqlite.sql"),
        postgres: include_str!("exports/postgres.sql"),
    },
    Step {
        name: "m20261126_080000_removals",
        sqlite: include_str!("removals/sqlite.sql"),
        postgres: include_str!("removals/postgres.sql"),
    },
    Step {
        name: "m20261126_090000_masking",
        sqlite: include_str!("masking/sqlite.sql"),
        postgres: include_str!("masking/postgres.sql"),
    },
    Step {
        name: "m20261126_100000_alerts",
        sqlite: include_str!("alerts/sqlite.sql"),
        postgres: include_str!("alerts/postgres.sql"),
    },
    Step {
        name: "m20261126_110000_replays",
        sqlite: include_str!("replays/sqlite.sql"),
        postgres: include_str!("replays/postgres.sql"),
    },
    Step {
        name: "m20261126_120000_erasures",
        sqlite: include_str!("erasures/sqlite.sql"),
        postgres: include_str!("erasures/postgres.sql"),
    },
    Step {
        name: "m20261126_130000_organization_end",
        sqlite: include_str!("organization_end/sqlite.sql"),
        postgres: include_str!("organization_end/postgres.sql"),
    },
    Step {
        name: "m20261126_140000_plans",
        sqlite: include_str!("plans/sqlite.sql"),
        postgres: include_str!("plans/postgres.sql"),
    },
    Step {
        name: "m20261126_150000_words",
        sqlite: include_str!("words/sqlite.sql"),
        postgres: include_str!("words/postgres.sql"),
    },
    Step {
        name: "m20261126_180000_roles",
        sqlite: include_str!("roles/sqlite.sql"),
        postgres: include_str!("roles/postgres.sql"),
    },
    Step {
        name: "m20261127_020000_empty_partitions",
        sqlite: include_str!("empty_partitions/sqlite.sql"),
        postgres: include_str!("empty_partitions/postgres.sql"),
    },
    Step {
        name: "m20261127_030000_saved_views",
        sqlite: include_str!("saved_views/sqlite.sql"),
        postgres: include_str!("saved_views/postgres.sql"),
    },
];

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        match manager.get_database_backend() {
            DatabaseBackend::Sqlite => {
                manager.get_connection().execute_unprepared(self.sqlite).await?;
            }
            DatabaseBackend::Postgres => {
                for command in commands(self.postgres) {
                    manager.get_connection().execute_unprepared(&command).await?;
                }
            }
            other => return Err(DbErr::Migration(format!("unsupported database {other:?}"))),
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("a schema only goes forward".to_owned()))
    }
}

/// The commands of a file, each of which ends with its line. A cluster hands a request on to its nodes whole, and they take
/// one command of it.
fn commands(sql: &str) -> Vec<String> {
    let (mut commands, mut command, mut is_quoted) = (Vec::new(), String::new(), false);
    for line in sql.lines() {
        if !is_quoted && line.trim_start().starts_with("--") {
            continue;
        }
        command.push_str(line);
        command.push('\n');
        is_quoted ^= line.matches("$$").count() % 2 == 1;
        if !is_quoted && line.trim_end().ends_with(';') {
            commands.push(std::mem::take(&mut command));
        }
    }
    if !command.trim().is_empty() {
        commands.push(command);
    }
    commands
}

#[test]
fn a_file_is_cut_between_its_commands() {
    let file = "-- One; two\nCREATE TABLE a (\n    n INT\n);\nCREATE FUNCTION f() AS $$\nBEGIN\n    -- Kept;\n    x;\nEND $$;\n\nSELECT 1";
    let cut = commands(file);
    assert_eq!(
        cut.iter().map(|command| command.trim()).collect::<Vec<_>>(),
        [
            "CREATE TABLE a (\n    n INT\n);",
            "CREATE FUNCTION f() AS $$\nBEGIN\n    -- Kept;\n    x;\nEND $$;",
            "SELECT 1",
        ]
    );
    for step in HISTORY {
        // Nothing is lost, and no command begins inside of another one.
        let words = |text: &str| {
            let lines = text.lines().filter(|line| !line.trim_start().starts_with("--"));
            lines.flat_map(str::split_whitespace).map(str::to_owned).collect::<Vec<_>>()
        };
        let cut = commands(step.postgres);
        assert_eq!(words(&cut.concat()), words(step.postgres), "{}", step.name);
        for command in cut {
            let first = command.split_whitespace().next().unwrap_or_default();
            assert!(["ALTER", "CREATE", "DO", "DROP", "INSERT", "UPDATE"].contains(&first), "{}: {command}", step.name);
        }
    }
}

/// Brings a database to the schema of this version.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        HISTORY.into_iter().map(|step| -> Box<dyn MigrationTrait> { Box::new(step) }).collect()
    }
}
