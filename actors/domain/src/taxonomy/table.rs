//! Reading a tab-separated table: rows, lists and references, each fault with its line.

use super::error::{TaxonomyError, TaxonomyFault};

/// The most rows a table may have: ids are `u16`.
pub(super) const MAX_ROWS: usize = u16::MAX as usize;
/// The longest slug, in bytes.
pub(super) const MAX_SLUG: usize = 64;
/// The weakest relation that may be stated, in percent.
const MIN_STRENGTH: u8 = 10;
/// The strongest relation that may be stated, in percent: above it would be the same thing.
const MAX_STRENGTH: u8 = 90;

/// The place of a fault: a table and a line of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    table: &'static str,
    line: usize,
}

impl Place {
    /// An error at this place.
    pub(super) fn fault(self, fault: TaxonomyFault) -> TaxonomyError {
        TaxonomyError { table: self.table, line: self.line, fault }
    }
}

/// The rows of a table of `N` columns whose first is a slug, ordered by it, with the place of each.
pub(super) struct Table<const N: usize> {
    rows: Vec<(Place, [&'static str; N])>,
}

impl<const N: usize> Table<N> {
    /// Splits a table, checking its header, the number of columns, and that the slugs are well-formed and ascend.
    pub(super) fn parse(
        table: &'static str,
        header: &'static str,
        text: &'static str,
    ) -> Result<Self, TaxonomyError> {
        let mut lines = text.lines().enumerate().map(|(at, line)| (Place { table, line: at + 1 }, line));
        if lines.next().is_none_or(|(_, line)| line != header) {
            return Err(Place { table, line: 1 }.fault(TaxonomyFault::Header { expected: header }));
        }
        let mut rows: Vec<(Place, [&'static str; N])> = Vec::new();
        for (place, line) in lines {
            let columns = split_columns(place, line)?;
            let slug = columns.first().copied().unwrap_or_default();
            if !is_slug(slug) {
                return Err(place.fault(TaxonomyFault::Slug(slug)));
            }
            if rows.last().is_some_and(|(_, before)| before.first().is_some_and(|before| *before >= slug)) {
                return Err(place.fault(TaxonomyFault::Order(slug)));
            }
            if rows.len() == MAX_ROWS {
                return Err(place.fault(TaxonomyFault::Rows(MAX_ROWS)));
            }
            rows.push((place, columns));
        }
        Ok(Self { rows })
    }

    /// The rows in order.
    pub(super) fn rows(&self) -> impl Iterator<Item = (Place, &[&'static str; N])> {
        self.rows.iter().map(|(place, columns)| (*place, columns))
    }

    /// The index of the row a slug names, other than the row at `own`.
    pub(super) fn reference(
        &self,
        place: Place,
        own: usize,
        slug: &'static str,
    ) -> Result<usize, TaxonomyError> {
        self.rows
            .binary_search_by_key(&slug, |(_, columns)| columns.first().copied().unwrap_or_default())
            .ok()
            .filter(|index| *index != own)
            .ok_or_else(|| place.fault(TaxonomyFault::Reference(slug)))
    }

    /// The members of a `slug:strength` list, resolved.
    pub(super) fn relations(
        &self,
        place: Place,
        own: usize,
        list: &'static str,
    ) -> Result<Vec<(usize, u8)>, TaxonomyError> {
        members(place, "related", list)?
            .into_iter()
            .map(|relation| {
                let (slug, strength) = relation
                    .split_once(':')
                    .and_then(|(slug, strength)| Some((slug, strength.parse::<u8>().ok()?)))
                    .filter(|(_, strength)| (MIN_STRENGTH..=MAX_STRENGTH).contains(strength))
                    .ok_or_else(|| place.fault(TaxonomyFault::Strength(relation)))?;
                Ok((self.reference(place, own, slug)?, strength))
            })
            .collect()
    }
}

/// The columns of a line, exactly `N`.
fn split_columns<const N: usize>(
    place: Place,
    line: &'static str,
) -> Result<[&'static str; N], TaxonomyError> {
    let mut columns = [""; N];
    let mut found = 0;
    for column in line.split('\t') {
        if let Some(slot) = columns.get_mut(found) {
            *slot = column;
        }
        found += 1;
    }
    if found == N { Ok(columns) } else { Err(place.fault(TaxonomyFault::Columns { expected: N, found })) }
}

/// A column that must not be empty.
pub(super) fn required(
    place: Place,
    column: &'static str,
    value: &'static str,
) -> Result<&'static str, TaxonomyError> {
    if value.trim().is_empty() { Err(place.fault(TaxonomyFault::Empty(column))) } else { Ok(value) }
}

/// The members of a `|` list; an empty column is an empty list, an empty member is a fault.
pub(super) fn members(
    place: Place,
    column: &'static str,
    list: &'static str,
) -> Result<Vec<&'static str>, TaxonomyError> {
    if list.is_empty() {
        return Ok(Vec::new());
    }
    list.split('|').map(|member| required(place, column, member)).collect()
}

/// Whether a text is a slug: 1 to [`MAX_SLUG`] of `a-z`, `0-9` and `-`, with no `-` at an end.
pub(super) fn is_slug(text: &str) -> bool {
    (1..=MAX_SLUG).contains(&text.len())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
