//! The schema, in numbered steps that are never changed once they are out.

use std::time::Duration;

use scylla::client::execution_profile::ExecutionProfileHandle;
use scylla::client::session::Session;
use scylla::response::query_result::QueryResult;
use scylla::serialize::row::SerializeRow;
use scylla::statement::Statement;
use sha2::{Digest, Sha256};

use crate::error::ScyllaError;
use crate::lwt;
use crate::options::ScyllaOptions;
use crate::session::{self, Profiles};

#[cfg(test)]
mod tests;

pub(crate) struct Migration {
    version: i32,
    name: &'static str,
    pub(crate) cql: &'static str,
}

/// All steps in order, numbered from 1 without gaps. Each statement of a step can be repeated (`IF NOT EXISTS`): a step
/// that was broken off is carried out again.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "tables", cql: include_str!("../migrations/0001_tables.cql") },
    Migration { version: 2, name: "quotas", cql: include_str!("../migrations/0002_quotas.cql") },
    Migration { version: 3, name: "accounts", cql: include_str!("../migrations/0003_accounts.cql") },
    Migration { version: 4, name: "vectors", cql: include_str!("../migrations/0004_vectors.cql") },
    Migration { version: 5, name: "audit", cql: include_str!("../migrations/0005_audit.cql") },
    Migration { version: 6, name: "versions", cql: include_str!("../migrations/0006_versions.cql") },
];

/// What migrations themselves need.
pub(crate) const OWN_TABLES: &str = "
    CREATE TABLE IF NOT EXISTS schema_lock (id int, holder blob, PRIMARY KEY ((id)));
    CREATE TABLE IF NOT EXISTS schema_migrations (
        version    int,
        name       text,
        checksum   text,
        applied_at bigint,
        PRIMARY KEY ((version))
    );";

/// A lock ends by itself after this many seconds, should its holder die; it is renewed before each statement.
const LOCK_SECONDS: i32 = 300;
/// How often and how long the lock is waited for: a minute.
const LOCK_TRIES: u32 = 240;
const LOCK_WAIT: Duration = Duration::from_millis(250);

/// What a migration did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationReport {
    /// The keyspace.
    pub keyspace: String,
    /// The schema it had; 0 = none.
    pub from: i32,
    /// The schema it has now.
    pub to: i32,
    /// Names of the steps that were applied, in order.
    pub applied: Vec<&'static str>,
}

/// Brings the keyspace of these options to this program's schema, making it if it is missing. A second time changes
/// nothing. Of several that migrate at once one does it and the others wait.
///
/// # Errors
/// See [`ScyllaError`]; a step that failed half way is carried out again by the next call.
pub async fn migrate(options: &ScyllaOptions) -> Result<MigrationReport, ScyllaError> {
    let session = session::connect(options).await?;
    let migrator = Migrator {
        session: &session,
        profiles: &Profiles::new(options),
        options,
        holder: options.clock.new_id().into_bytes().to_vec(),
    };
    migrator.create_keyspace().await?;
    for statement in statements(OWN_TABLES) {
        migrator.ddl(&qualified(&statement, &options.keyspace)).await?;
    }
    migrator.lock().await?;
    let report = migrator.apply(MIGRATIONS).await;
    let unlocked = migrator.unlock().await;
    let report = report?;
    unlocked?;
    Ok(report)
}

/// Refuses a keyspace that is older or newer than this program.
pub(crate) async fn check(session: &Session, profiles: &Profiles, keyspace: &str) -> Result<(), ScyllaError> {
    let found = verify(session, profiles, keyspace, MIGRATIONS).await?;
    let needed = newest(MIGRATIONS);
    if found < needed {
        return Err(ScyllaError::OldSchema { keyspace: keyspace.to_owned(), found, needed });
    }
    Ok(())
}

fn newest(migrations: &[Migration]) -> i32 {
    migrations.last().map_or(0, |migration| migration.version)
}

struct Migrator<'a> {
    session: &'a Session,
    profiles: &'a Profiles,
    options: &'a ScyllaOptions,
    holder: Vec<u8>,
}

impl Migrator<'_> {
    /// ScyllaDB gives a new keyspace tablets, which refuse conditional writes unless the server has `LWT_WITH_TABLETS`.
    /// Versions before 6.0 and Cassandra know no tablets.
    async fn create_keyspace(&self) -> Result<(), ScyllaError> {
        let plain = self.options.create_keyspace();
        let state = self.session.get_cluster_state();
        let is_scylladb = state.get_nodes_info().iter().any(|node| node.sharder().is_some());
        if is_scylladb && self.ddl(&format!("{plain} AND tablets = {{'enabled': false}}")).await.is_ok() {
            return Ok(());
        }
        self.ddl(&plain).await
    }

    async fn ddl(&self, text: &str) -> Result<(), ScyllaError> {
        query(self.session, &self.profiles.ddl, text, ()).await.map(drop)
    }

    async fn conditional(&self, text: &str, values: impl SerializeRow) -> Result<bool, ScyllaError> {
        let text = text.replace('@', &self.options.keyspace);
        let result = query(self.session, &self.profiles.conditional, &text, values).await?;
        lwt::applied(result).map_err(|error| ScyllaError::statement("lock the schema", &error))
    }

    async fn lock(&self) -> Result<(), ScyllaError> {
        let insert = format!(
            "INSERT INTO @.schema_lock (id, holder) VALUES (1, ?) IF NOT EXISTS USING TTL {LOCK_SECONDS}"
        );
        for _ in 0..LOCK_TRIES {
            if self.conditional(&insert, (&self.holder,)).await? {
                return Ok(());
            }
            tokio::time::sleep(LOCK_WAIT).await;
        }
        Err(self.locked())
    }

    fn locked(&self) -> ScyllaError {
        let ends_in = Duration::from_secs(u64::from(LOCK_SECONDS.unsigned_abs()));
        ScyllaError::Locked { keyspace: self.options.keyspace.clone(), ends_in }
    }

    async fn renew(&self) -> Result<(), ScyllaError> {
        let update = format!(
            "UPDATE @.schema_lock USING TTL {LOCK_SECONDS} SET holder = ? WHERE id = 1 IF holder = ?"
        );
        if self.conditional(&update, (&self.holder, &self.holder)).await? {
            Ok(())
        } else {
            Err(self.locked())
        }
    }

    async fn unlock(&self) -> Result<(), ScyllaError> {
        let delete = "DELETE FROM @.schema_lock WHERE id = 1 IF holder = ?";
        self.conditional(delete, (&self.holder,)).await.map(drop)
    }

    async fn apply(&self, migrations: &[Migration]) -> Result<MigrationReport, ScyllaError> {
        let keyspace = &self.options.keyspace;
        let from = verify(self.session, self.profiles, keyspace, migrations).await?;
        let mut report = MigrationReport { keyspace: keyspace.clone(), from, to: from, applied: Vec::new() };
        for migration in migrations.iter().filter(|migration| migration.version > from) {
            for statement in statements(migration.cql) {
                self.renew().await?;
                self.ddl(&qualified(&statement, keyspace)).await?;
            }
            let insert = format!(
                "INSERT INTO {keyspace}.schema_migrations (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)"
            );
            let now = self.options.clock.now().millis();
            let row = (migration.version, migration.name, checksum(migration), now);
            query(self.session, &self.profiles.write, &insert, row).await?;
            tracing::info!(version = migration.version, name = migration.name, "applied a migration");
            report.to = migration.version;
            report.applied.push(migration.name);
        }
        Ok(report)
    }
}

/// The version of the keyspace, after a look at what was applied to it.
async fn verify(
    session: &Session,
    profiles: &Profiles,
    keyspace: &str,
    migrations: &[Migration],
) -> Result<i32, ScyllaError> {
    let table = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?";
    let found = query(session, &profiles.scan, table, (keyspace, "schema_migrations")).await?;
    if rows::<(String,)>(found)?.is_empty() {
        return Ok(0);
    }
    let select = format!("SELECT version, name, checksum FROM {keyspace}.schema_migrations");
    let applied: Vec<(i32, String, String)> = rows(query(session, &profiles.read, &select, ()).await?)?;
    let found = applied.iter().map(|(version, _, _)| *version).max().unwrap_or(0);
    let known = newest(migrations);
    if found > known {
        return Err(ScyllaError::NewerSchema { keyspace: keyspace.to_owned(), found, known });
    }
    for (version, name, kept) in applied {
        if !migrations.iter().any(|migration| migration.version == version && checksum(migration) == kept) {
            return Err(ScyllaError::ChangedMigration { keyspace: keyspace.to_owned(), version, name });
        }
    }
    Ok(found)
}

fn checksum(migration: &Migration) -> String {
    hex::encode(Sha256::digest(migration.cql))
}

/// The statements of a file, without comments.
pub(crate) fn statements(cql: &str) -> Vec<String> {
    let code: Vec<&str> =
        cql.lines().map(|line| line.split_once("--").map_or(line, |(code, _)| code)).collect();
    let code = code.join("\n");
    code.split(';').map(str::trim).filter(|statement| !statement.is_empty()).map(str::to_owned).collect()
}

/// The statement with the keyspace before the table's name.
fn qualified(statement: &str, keyspace: &str) -> String {
    const TABLE: &str = "CREATE TABLE IF NOT EXISTS ";
    statement.replacen(TABLE, &format!("{TABLE}{keyspace}."), 1)
}

/// Carries out a statement that is not worth preparing.
pub(crate) async fn query(
    session: &Session,
    profile: &ExecutionProfileHandle,
    text: &str,
    values: impl SerializeRow,
) -> Result<QueryResult, ScyllaError> {
    let mut statement = Statement::new(text);
    statement.set_execution_profile_handle(Some(profile.clone()));
    let result = session.query_unpaged(statement, values).await;
    result.map_err(|error| {
        let what = text.split('(').next().unwrap_or_default().split_whitespace();
        ScyllaError::statement(format!("carry out `{}`", what.collect::<Vec<_>>().join(" ")), &error)
    })
}

pub(crate) fn rows<R>(result: QueryResult) -> Result<Vec<R>, ScyllaError>
where
    R: for<'a> scylla::deserialize::row::DeserializeRow<'a, 'a>,
{
    let broken =
        |error: &dyn std::fmt::Display| ScyllaError::statement("answer as expected", &error.to_string());
    let result = result.into_rows_result().map_err(|error| broken(&error))?;
    let rows = result.rows::<R>().map_err(|error| broken(&error))?;
    rows.map(|row| row.map_err(|error| broken(&error))).collect()
}
