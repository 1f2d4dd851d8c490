//! What stands in a path and behind its question mark.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use tandem_domain::ids::{DocumentId, IdError, MatchId};
use tandem_domain::run::RowKey;

use crate::json::is_plain;
use crate::problem::Problem;
use crate::router::Shared;

/// Entries of a page where nothing else is asked for.
pub(crate) const DEFAULT_LIMIT: u32 = 50;
/// The most entries of a page.
pub(crate) const MAX_LIMIT: u32 = 1_000;

/// The `{id}` of a path.
pub(crate) struct PathId<T>(pub(crate) T);

impl<T: FromStr<Err = IdError>> FromRequestParts<Arc<Shared>> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, shared)
            .await
            .map_err(|_| Problem::validation("the path is not well-formed"))?;
        text.parse().map(Self).map_err(|error: IdError| Problem::validation(format!("`id`: {error}")))
    }
}

/// The parameters of a query. Each is taken out once; what nobody took is refused, so that a typing mistake is seen.
pub(crate) struct Params(BTreeMap<String, String>);

impl FromRequestParts<Arc<Shared>> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _shared: &Arc<Shared>) -> Result<Self, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|_| Problem::validation("the query is not well-formed"))?;
        let given = pairs.len();
        let params: BTreeMap<_, _> = pairs.into_iter().collect();
        if params.len() < given {
            return Err(Problem::validation("a query parameter is given twice"));
        }
        Ok(Self(params))
    }
}

impl Params {
    /// Takes a parameter out.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// Takes `limit` and `cursor` out.
    pub(crate) fn page<C: Cursor>(&mut self) -> Result<Page<C>, Problem> {
        let limit = match self.take("limit") {
            None => DEFAULT_LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                .ok_or_else(|| Problem::validation(format!("`limit`: expected 1..={MAX_LIMIT}")))?,
        };
        let after = match self.take("cursor") {
            None => None,
            Some(text) => {
                let cursor = C::decode(&text);
                let broken = "`cursor`: expected the `next_cursor` of an earlier page";
                Some(cursor.ok_or_else(|| Problem::validation(broken))?)
            }
        };
        Ok(Page { limit, after })
    }

    /// Refuses what was not taken.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => {
                let name = if is_plain(name) { name } else { "…" };
                Err(Problem::validation(format!("unknown query parameter `{name}`")))
            }
        }
    }

    /// Takes a page out and refuses the rest.
    pub(crate) fn only_page<C: Cursor>(mut self) -> Result<Page<C>, Problem> {
        let page = self.page()?;
        self.finish()?;
        Ok(page)
    }
}

/// Which part of a list is asked for.
pub(crate) struct Page<C> {
    /// 1..=[`MAX_LIMIT`].
    pub(crate) limit: u32,
    /// Begin behind this one.
    pub(crate) after: Option<C>,
}

/// A place in a list as a text that callers hand back untouched.
pub(crate) trait Cursor: Sized {
    fn encode(&self) -> String;
    fn decode(text: &str) -> Option<Self>;
}

macro_rules! id_cursor {
    ($($id:ty),*) => { $(
        impl Cursor for $id {
            fn encode(&self) -> String {
                self.to_string()
            }

            fn decode(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )* };
}

id_cursor!(DocumentId, MatchId);

impl Cursor for u64 {
    fn encode(&self) -> String {
        self.to_string()
    }

    fn decode(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Cursor for RowKey {
    fn encode(&self) -> String {
        format!("{}.{}", self.item, self.rank)
    }

    fn decode(text: &str) -> Option<Self> {
        let (item, rank) = text.split_once('.')?;
        Some(Self { item: item.parse().ok()?, rank: rank.parse().ok()? })
    }
}
