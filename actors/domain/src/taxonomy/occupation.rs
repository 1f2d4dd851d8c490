//! Occupations: their table.

use super::TaxonomyFault;
use super::error::TaxonomyError;
use super::id::OccupationId;
use super::table::{Place, Table, is_slug, members, required};

/// The header of the table.
const HEADER: &str = "id\tname\tgroup\thead\taliases_en\taliases_ar\trelated";

/// One occupation of the taxonomy, without seniority: that is a property of a post, not of an occupation. Names are in
/// plain conventional spelling, not normalized.
#[derive(Debug, Clone)]
pub struct Occupation {
    /// Its id: the position among all occupations.
    pub id: OccupationId,
    /// Its stable name in stored data: `a-z`, `0-9`, `-`, at most 64 bytes.
    pub slug: &'static str,
    /// The canonical English title.
    pub name: &'static str,
    /// The slug of its job family.
    pub group: &'static str,
    /// The lower-case nouns a title of it is built on, at least one.
    pub heads: Vec<&'static str>,
    /// Further English titles. Without the canonical one.
    pub aliases_en: Vec<&'static str>,
    /// Arabic titles, masculine and feminine, the usual one first.
    pub aliases_ar: Vec<&'static str>,
    /// Near occupations with their strength in percent, 10..=90, ordered by id.
    pub related: Vec<(OccupationId, u8)>,
}

impl Occupation {
    /// Every title it goes by: canonical, English, Arabic.
    pub fn surfaces(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name)
            .chain(self.aliases_en.iter().copied())
            .chain(self.aliases_ar.iter().copied())
    }
}

/// Parses the table of occupations.
pub(super) fn parse(text: &'static str) -> Result<Vec<Occupation>, TaxonomyError> {
    let table = Table::parse("occupations", HEADER, text)?;
    table
        .rows()
        .enumerate()
        .map(|(index, (place, columns))| parse_row(&table, place, index, columns))
        .collect()
}

/// Parses one row.
fn parse_row(
    table: &Table<7>,
    place: Place,
    index: usize,
    columns: &[&'static str; 7],
) -> Result<Occupation, TaxonomyError> {
    let [slug, name, group, heads, aliases_en, aliases_ar, related] = *columns;
    if !is_slug(group) {
        return Err(place.fault(TaxonomyFault::Slug(group)));
    }
    let mut related: Vec<_> = table
        .relations(place, index, related)?
        .into_iter()
        .map(|(other, strength)| (OccupationId::from_index(other), strength))
        .collect();
    related.sort_unstable();
    Ok(Occupation {
        id: OccupationId::from_index(index),
        slug,
        name: required(place, "name", name)?,
        group,
        heads: members(place, "head", required(place, "head", heads)?)?,
        aliases_en: members(place, "aliases_en", aliases_en)?,
        aliases_ar: members(place, "aliases_ar", aliases_ar)?,
        related,
    })
}
