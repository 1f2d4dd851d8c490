//! Layers of configuration, laid over one another key by key. The default holds every key there is, so a key that it
//! does not hold is a mistake.

use std::path::PathBuf;

use toml::{Table, Value};

/// What the names of environment variables begin with.
pub const ENV_PREFIX: &str = "TANDEM_";
/// What stands between the parts of a key in an environment variable's name.
pub const ENV_SEPARATOR: &str = "__";

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The compiled-in default.
    Default,
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// The command line.
    CommandLine,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("the built-in default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Env(name) => write!(f, "the environment variable {name}"),
            Self::CommandLine => f.write_str("the command line"),
        }
    }
}

/// Why a configuration is refused. The process ends with [`ConfigError::EXIT_CODE`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {reason}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The text is not TOML.
    #[error("{from} is not valid TOML: {reason}")]
    Syntax {
        /// Where it stands.
        from: Source,
        /// Line, column and what was expected.
        reason: String,
    },
    /// There is no such key.
    #[error("{from} sets the unknown key `{key}`{}", nearest.as_ref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    UnknownKey {
        /// Where it stands.
        from: Source,
        /// The key, dotted.
        key: String,
        /// The closest key that exists.
        nearest: Option<String>,
    },
    /// The value does not fit the key.
    #[error("`{key}` (from {from}): {reason}")]
    BadValue {
        /// Where it stands.
        from: Source,
        /// The key, dotted.
        key: String,
        /// What is wrong and what would be right.
        reason: String,
    },
}

impl ConfigError {
    /// EX_USAGE of sysexits.h.
    pub const EXIT_CODE: u8 = 64;
}

/// Tables laid over one another, with the source of every key that was set.
pub(crate) struct Layers {
    pub(crate) table: Table,
    sources: Vec<(String, Source)>,
}

impl Layers {
    pub(crate) fn new(defaults: &str) -> Result<Self, ConfigError> {
        Ok(Self { table: parse(defaults, Source::Default)?, sources: Vec::new() })
    }

    /// Lays the TOML text over what is there.
    pub(crate) fn lay(&mut self, text: &str, from: &Source) -> Result<(), ConfigError> {
        let table = parse(text, from.clone())?;
        for (key, value) in flatten("", &table) {
            self.set(&key, value, from)?;
        }
        Ok(())
    }

    /// Lays the variables over what is there. Only names of the form `TANDEM_SECTION__KEY` are configuration.
    pub(crate) fn lay_env(
        &mut self,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<(), ConfigError> {
        let mut ours: Vec<(String, String)> = variables
            .filter(|(name, _)| name.starts_with(ENV_PREFIX) && name.contains(ENV_SEPARATOR))
            .collect();
        ours.sort();
        for (name, text) in ours {
            let key = name.trim_start_matches(ENV_PREFIX).to_lowercase().replace(ENV_SEPARATOR, ".");
            let from = Source::Env(name);
            let value = match self.get(&key) {
                Some(Value::String(_)) | None => Value::String(text),
                Some(Value::Array(_)) if !text.trim_start().starts_with('[') => listed(&text),
                Some(_) => parse(&format!("value = {text}"), from.clone())
                    .ok()
                    .and_then(|mut t| t.remove("value"))
                    .unwrap_or(Value::String(text)),
            };
            self.set(&key, value, &from)?;
        }
        Ok(())
    }

    /// Sets one key that must exist to a value of the same type.
    pub(crate) fn set(&mut self, key: &str, value: Value, from: &Source) -> Result<(), ConfigError> {
        let found = slot(&mut self.table, key);
        // The heading of a section with nothing under it.
        if value.as_table().is_some_and(Table::is_empty) && found.as_ref().is_some_and(|slot| slot.is_table())
        {
            return Ok(());
        }
        let Some(slot) = found.filter(|slot| !slot.is_table()) else {
            let known = flatten("", &self.table);
            let nearest = known
                .iter()
                .map(|(k, _)| (strsim::damerau_levenshtein(k, key), k))
                .filter(|(distance, k)| *distance <= k.len().max(key.len()) / 2)
                .min()
                .map(|(_, k)| k.clone());
            return Err(ConfigError::UnknownKey { from: from.clone(), key: key.to_owned(), nearest });
        };
        if slot.type_str() != value.type_str() {
            let reason = format!("expected {}, found {}", slot.type_str(), value.type_str());
            return Err(ConfigError::BadValue { from: from.clone(), key: key.to_owned(), reason });
        }
        *slot = value;
        self.sources.push((key.to_owned(), from.clone()));
        Ok(())
    }

    fn get(&self, key: &str) -> Option<&Value> {
        let mut parts = key.split('.');
        let mut value = self.table.get(parts.next()?)?;
        for part in parts {
            value = value.as_table()?.get(part)?;
        }
        Some(value)
    }

    /// The last source that set `key`, or a key below it.
    pub(crate) fn source(&self, key: &str) -> Source {
        self.sources
            .iter()
            .rev()
            .find(|(k, _)| k == key || k.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')))
            .map_or(Source::Default, |(_, source)| source.clone())
    }
}

fn parse(text: &str, from: Source) -> Result<Table, ConfigError> {
    text.parse::<Table>().map_err(|error| ConfigError::Syntax { from, reason: error.to_string() })
}

/// Names between commas: how a list is written in an environment variable.
fn listed(text: &str) -> Value {
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    Value::Array(names.map(|name| Value::String(name.to_owned())).collect())
}

fn slot<'a>(table: &'a mut Table, key: &str) -> Option<&'a mut Value> {
    match key.split_once('.') {
        None => table.get_mut(key),
        Some((head, rest)) => slot(table.get_mut(head)?.as_table_mut()?, rest),
    }
}

/// Every leaf with its dotted key, in order. Depth is bounded by the TOML parser's own limit.
fn flatten(prefix: &str, table: &Table) -> Vec<(String, Value)> {
    let mut leaves = Vec::new();
    for (key, value) in table {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Table(inner) if !inner.is_empty() => leaves.extend(flatten(&path, inner)),
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_)
            | Value::Table(_) => leaves.push((path, value.clone())),
        }
    }
    leaves
}
