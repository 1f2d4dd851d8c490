//! Whether the live schema is the one that the migrations make.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use rusqlite::Connection;

use crate::connection;
use crate::error::EmbeddedError;
use crate::migrations;
use crate::options::OpenOptions;

#[cfg(test)]
mod tests;

/// One way in which a live schema differs. The text is a table's, an index's or a trigger's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// It is not there.
    Missing(String),
    /// It is there and no migration makes it.
    Unexpected(String),
    /// It is another one than the migrations make.
    Changed(String),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "{name} is missing"),
            Self::Unexpected(name) => write!(f, "{name} is not Tandem's"),
            Self::Changed(name) => write!(f, "{name} is not as the migrations make it"),
        }
    }
}

/// Compares the database of these options with this program's schema; nothing is written. In order of their names.
///
/// # Errors
/// When there is no database or it cannot be read.
pub fn drift(options: &OpenOptions) -> Result<Vec<Difference>, EmbeddedError> {
    let file = options.file();
    let mut fresh = Connection::open_in_memory().map_err(|error| EmbeddedError::of(&file, &error))?;
    migrations::apply(&mut fresh, &file, &*options.clock)?;
    let expected = objects(&fresh, &file)?;
    let found = objects(&connection::reader(&file)?, &file)?;
    let missing = expected.keys().filter(|name| !found.contains_key(*name)).cloned().map(Difference::Missing);
    let others = found.iter().filter_map(|(name, sql)| match expected.get(name) {
        None => Some(Difference::Unexpected(name.clone())),
        Some(wanted) if wanted != sql => Some(Difference::Changed(name.clone())),
        Some(_) => None,
    });
    let mut differences: Vec<Difference> = missing.chain(others).collect();
    differences.sort();
    Ok(differences)
}

/// What was made, by kind and name, with the statement that made it. What SQLite makes for itself is left out.
fn objects(connection: &Connection, file: &Path) -> Result<BTreeMap<String, String>, EmbeddedError> {
    let select = "SELECT type || ' ' || name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%'";
    let read = || {
        let mut statement = connection.prepare(select)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<rusqlite::Result<BTreeMap<String, String>>>()
    };
    read().map_err(|error| EmbeddedError::of(file, &error))
}
