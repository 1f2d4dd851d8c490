//! Whether the live schema is the one that the migrations make.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::ScyllaError;
use crate::migrations::{MIGRATIONS, OWN_TABLES, query, rows, statements};
use crate::options::ScyllaOptions;
use crate::session::{self, Profiles};

#[cfg(test)]
mod tests;

/// One way in which a live schema differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// A table is not there.
    MissingTable(String),
    /// A table is there that no migration makes.
    UnexpectedTable(String),
    /// A column is not there.
    MissingColumn {
        /// Its table.
        table: String,
        /// Its name.
        column: String,
    },
    /// A column is there that no migration makes.
    UnexpectedColumn {
        /// Its table.
        table: String,
        /// Its name.
        column: String,
    },
    /// A column has another type or place.
    ChangedColumn {
        /// Its table.
        table: String,
        /// Its name.
        column: String,
        /// What the migrations make.
        expected: String,
        /// What is there.
        found: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingTable(table) => write!(f, "table {table} is missing"),
            Self::UnexpectedTable(table) => write!(f, "table {table} is not Tandem's"),
            Self::MissingColumn { table, column } => write!(f, "column {table}.{column} is missing"),
            Self::UnexpectedColumn { table, column } => write!(f, "column {table}.{column} is not Tandem's"),
            Self::ChangedColumn { table, column, expected, found } => {
                write!(f, "column {table}.{column} is {found}, expected {expected}")
            }
        }
    }
}

/// Holds the live schema against the migrations; no differences = an empty list. Reads only.
///
/// # Errors
/// See [`ScyllaError`].
pub async fn drift(options: &ScyllaOptions) -> Result<Vec<Difference>, ScyllaError> {
    let session = session::connect(options).await?;
    let profiles = Profiles::new(options);
    let select = "SELECT table_name, column_name, type, kind, position, clustering_order
        FROM system_schema.columns WHERE keyspace_name = ?";
    let result = query(&session, &profiles.scan, select, (&options.keyspace,)).await?;
    let mut live = Schema::new();
    for (table, column, kind, role, position, order) in
        rows::<(String, String, String, String, i32, String)>(result)?
    {
        let description = match role.as_str() {
            "clustering" => format!("{kind}, clustering {position} {order}"),
            "partition_key" => format!("{kind}, partition {position}"),
            "static" => format!("{kind}, static"),
            _ => kind,
        };
        live.entry(table).or_default().insert(column, description);
    }
    Ok(differences(&expected(), &live))
}

/// Tables, their columns, and what each column is.
type Schema = BTreeMap<String, BTreeMap<String, String>>;

/// The schema that all migrations make together.
fn expected() -> Schema {
    let files = std::iter::once(OWN_TABLES).chain(MIGRATIONS.iter().map(|migration| migration.cql));
    files.flat_map(statements).filter_map(|statement| table(&statement)).collect()
}

/// What a `CREATE TABLE` in the plain form of our migrations makes: a column or the primary key on each line or between
/// commas, the partition key in parentheses of its own.
fn table(statement: &str) -> Option<(String, BTreeMap<String, String>)> {
    let rest = statement.strip_prefix("CREATE TABLE IF NOT EXISTS ")?;
    let (name, rest) = rest.split_once('(')?;
    let (columns, rest) = rest.split_once("PRIMARY KEY ((")?;
    let (partition, rest) = rest.split_once(')')?;
    let (clustering, options) = rest.split_once(')')?;
    let names = |list: &str| -> Vec<String> {
        list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    };
    let (partition, clustering) = (names(partition), names(clustering));
    let mut described = BTreeMap::new();
    for column in names(columns) {
        let mut words = column.split_whitespace();
        let (name, kind) = (words.next()?, words.next()?);
        let place = |list: &[String]| list.iter().position(|key| key == name);
        let description = if let Some(place) = place(&partition) {
            format!("{kind}, partition {place}")
        } else if let Some(place) = place(&clustering) {
            let order = if options.contains(&format!("({name} DESC)")) { "desc" } else { "asc" };
            format!("{kind}, clustering {place} {order}")
        } else if words.next() == Some("static") {
            format!("{kind}, static")
        } else {
            kind.to_owned()
        };
        described.insert(name.to_owned(), description);
    }
    Some((name.trim().to_owned(), described))
}

fn differences(expected: &Schema, live: &Schema) -> Vec<Difference> {
    let mut list = Vec::new();
    for (table, columns) in expected {
        let Some(found) = live.get(table) else {
            list.push(Difference::MissingTable(table.clone()));
            continue;
        };
        for (column, expected) in columns {
            let (table, column, expected) = (table.clone(), column.clone(), expected.clone());
            match found.get(&column) {
                None => list.push(Difference::MissingColumn { table, column }),
                Some(found) if *found != expected => {
                    list.push(Difference::ChangedColumn { table, column, expected, found: found.clone() });
                }
                Some(_) => {}
            }
        }
        for column in found.keys().filter(|column| !columns.contains_key(*column)) {
            list.push(Difference::UnexpectedColumn { table: table.clone(), column: column.clone() });
        }
    }
    let unexpected = live.keys().filter(|table| !expected.contains_key(*table));
    list.extend(unexpected.map(|table| Difference::UnexpectedTable(table.clone())));
    list
}
