//! The schema, in numbered steps that are never changed once they are out.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use sha2::{Digest, Sha256};
use tandem_ports::Clock;

use crate::connection;
use crate::error::EmbeddedError;
use crate::lock::FolderLock;
use crate::options::OpenOptions;

#[cfg(test)]
mod tests;

struct Migration {
    version: u32,
    name: &'static str,
    sql: &'static str,
}

/// All steps in order, numbered from 1 without gaps.
const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "tables", sql: include_str!("../migrations/0001_tables.sql") },
    Migration { version: 2, name: "quotas", sql: include_str!("../migrations/0002_quotas.sql") },
    Migration { version: 3, name: "accounts", sql: include_str!("../migrations/0003_accounts.sql") },
    Migration { version: 4, name: "vectors", sql: include_str!("../migrations/0004_vectors.sql") },
    Migration { version: 5, name: "audit", sql: include_str!("../migrations/0005_audit.sql") },
    Migration { version: 6, name: "versions", sql: include_str!("../migrations/0006_versions.sql") },
    Migration { version: 7, name: "traces", sql: include_str!("../migrations/0007_traces.sql") },
    Migration { version: 8, name: "models", sql: include_str!("../migrations/0008_models.sql") },
];

/// What a migration did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationReport {
    /// The database file.
    pub file: PathBuf,
    /// The schema it had; 0 = none.
    pub from: u32,
    /// The schema it has now.
    pub to: u32,
    /// Names of the steps that were applied, in order.
    pub applied: Vec<&'static str>,
}

/// Brings the database of these options to this program's schema, making it if it is missing. A second time changes
/// nothing. [`crate::EmbeddedStore::open`] does the same.
///
/// # Errors
/// See [`EmbeddedError`]; each step is applied whole or not at all.
pub fn migrate(options: &OpenOptions) -> Result<MigrationReport, EmbeddedError> {
    let _lock = FolderLock::take(&options.folder)?;
    let file = options.file();
    let mut connection = connection::writer(&options.folder, &file)?;
    apply(&mut connection, &file, &*options.clock)
}

/// Applies what is missing.
pub(crate) fn apply(
    connection: &mut Connection,
    file: &Path,
    clock: &dyn Clock,
) -> Result<MigrationReport, EmbeddedError> {
    apply_list(connection, file, clock, MIGRATIONS)
}

fn apply_list(
    connection: &mut Connection,
    file: &Path,
    clock: &dyn Clock,
    migrations: &[Migration],
) -> Result<MigrationReport, EmbeddedError> {
    let of = |error: rusqlite::Error| EmbeddedError::of(file, &error);
    let from = verify(connection, file, migrations)?;
    let mut report = MigrationReport { file: file.to_owned(), from, to: from, applied: Vec::new() };
    for migration in migrations.iter().filter(|m| m.version > from) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(of)?;
        transaction.execute_batch(migration.sql).map_err(of)?;
        let row = params![migration.version, migration.name, checksum(migration), clock.now().millis()];
        let insert =
            "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)";
        transaction.execute(insert, row).map_err(of)?;
        transaction.commit().map_err(of)?;
        tracing::info!(version = migration.version, name = migration.name, "applied a migration");
        report.to = migration.version;
        report.applied.push(migration.name);
    }
    Ok(report)
}

/// The version of the file, after a look at what was applied to it.
fn verify(connection: &Connection, file: &Path, migrations: &[Migration]) -> Result<u32, EmbeddedError> {
    let of = |error: rusqlite::Error| EmbeddedError::of(file, &error);
    let table = "CREATE TABLE IF NOT EXISTS schema_migrations (
        version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL)";
    connection.execute_batch(table).map_err(of)?;
    let newest = "SELECT max(version) FROM schema_migrations";
    let found: u32 =
        connection.query_row(newest, [], |row| row.get::<_, Option<u32>>(0)).map_err(of)?.unwrap_or(0);
    let known = migrations.last().map_or(0, |m| m.version);
    if found > known {
        return Err(EmbeddedError::NewerSchema { file: file.to_owned(), found, known });
    }
    for migration in migrations.iter().filter(|m| m.version <= found) {
        let select = "SELECT name, checksum FROM schema_migrations WHERE version = ?";
        let row = connection
            .query_row(select, [migration.version], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .map_err(of)?;
        let (name, kept): (String, String) = row.unwrap_or_default();
        if kept != checksum(migration) {
            let (file, version) = (file.to_owned(), migration.version);
            return Err(EmbeddedError::ChangedMigration { file, version, name });
        }
    }
    Ok(found)
}

fn checksum(migration: &Migration) -> String {
    hex::encode(Sha256::digest(migration.sql))
}
