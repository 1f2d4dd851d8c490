//! Skills: their table, and what follows from knowing one.

use super::error::{TaxonomyError, TaxonomyFault};
use super::id::SkillId;
use super::table::{Place, Table, members, required};

/// The header of the table.
const HEADER: &str = "id\tname\tkind\taliases_en\taliases_ar\timplies\trelated\tflags";
/// The flag of a row whose canonical name is also an ordinary word; `ambiguous:ALIAS` says it of one alias.
const AMBIGUOUS: &str = "ambiguous";

/// What sort of thing a skill is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkillKind {
    /// A language for machines: programming, query, markup, hardware description.
    Language,
    /// A library or framework.
    Framework,
    /// A program or utility one works with.
    Tool,
    /// Something others run on: cloud, operating system, business suite.
    Platform,
    /// A database or data store.
    Database,
    /// A way of working: technique, standard, procedure.
    Method,
    /// A field of knowledge or work.
    Domain,
    /// A personal or social ability.
    Soft,
    /// A certificate, license or permit.
    Certificate,
    /// A machine, vehicle or instrument.
    Equipment,
}

impl SkillKind {
    /// The kind a table cell names.
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "language" => Self::Language,
            "framework" => Self::Framework,
            "tool" => Self::Tool,
            "platform" => Self::Platform,
            "database" => Self::Database,
            "method" => Self::Method,
            "domain" => Self::Domain,
            "soft" => Self::Soft,
            "certificate" => Self::Certificate,
            "equipment" => Self::Equipment,
            _ => return None,
        })
    }
}

/// One skill of the taxonomy. Names are in plain conventional spelling, not normalized.
#[derive(Debug, Clone)]
pub struct Skill {
    /// Its id: the position among all skills.
    pub id: SkillId,
    /// Its stable name in stored data: `a-z`, `0-9`, `-`, at most 64 bytes.
    pub slug: &'static str,
    /// The canonical English name.
    pub name: &'static str,
    /// What sort of thing it is.
    pub kind: SkillKind,
    /// Further English names: spellings, abbreviations, products. Without the canonical name.
    pub aliases_en: Vec<&'static str>,
    /// Arabic names, the usual one first.
    pub aliases_ar: Vec<&'static str>,
    /// What knowing it shows directly, ordered; [`super::Taxonomy::implied_closure`] has all of it.
    pub implies: Vec<SkillId>,
    /// Near skills with their strength in percent, 10..=90, ordered by id.
    pub related: Vec<(SkillId, u8)>,
    /// Whether at least one name of it is also an ordinary word or a short code, so that a bare mention of that name
    /// proves nothing. [`Self::is_ambiguous_as`] tells which: `Go` is, `Golang` is not.
    pub ambiguous: bool,
    /// Those names, each one of [`Self::surfaces`].
    pub ambiguous_names: Vec<&'static str>,
}

impl Skill {
    /// Every name it goes by: canonical, English, Arabic.
    pub fn surfaces(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name)
            .chain(self.aliases_en.iter().copied())
            .chain(self.aliases_ar.iter().copied())
    }

    /// Whether this name of it (spelled as in [`Self::surfaces`]) needs a sign in the context to count: a skills
    /// list, a neighboring skill or its cased form.
    pub fn is_ambiguous_as(&self, surface: &str) -> bool {
        self.ambiguous_names.contains(&surface)
    }
}

/// Parses the table of skills.
pub(super) fn parse(text: &'static str) -> Result<Vec<Skill>, TaxonomyError> {
    let table = Table::parse("skills", HEADER, text)?;
    table
        .rows()
        .enumerate()
        .map(|(index, (place, columns))| parse_row(&table, place, index, columns))
        .collect()
}

/// Parses one row.
fn parse_row(
    table: &Table<8>,
    place: Place,
    index: usize,
    columns: &[&'static str; 8],
) -> Result<Skill, TaxonomyError> {
    let [slug, name, kind, aliases_en, aliases_ar, implies, related, flags] = *columns;
    let mut implies = members(place, "implies", implies)?
        .into_iter()
        .map(|slug| table.reference(place, index, slug).map(SkillId::from_index))
        .collect::<Result<Vec<_>, _>>()?;
    implies.sort_unstable();
    let mut related: Vec<_> = table
        .relations(place, index, related)?
        .into_iter()
        .map(|(other, strength)| (SkillId::from_index(other), strength))
        .collect();
    related.sort_unstable();
    let mut skill = Skill {
        id: SkillId::from_index(index),
        slug,
        name: required(place, "name", name)?,
        kind: SkillKind::parse(kind).ok_or_else(|| place.fault(TaxonomyFault::Kind(kind)))?,
        aliases_en: members(place, "aliases_en", aliases_en)?,
        aliases_ar: members(place, "aliases_ar", aliases_ar)?,
        implies,
        related,
        ambiguous: false,
        ambiguous_names: Vec::new(),
    };
    for flag in members(place, "flags", flags)? {
        apply_flag(&mut skill, flag).ok_or_else(|| place.fault(TaxonomyFault::Flag(flag)))?;
    }
    Ok(skill)
}

/// Sets what a flag says; `None` when it says nothing of this row.
fn apply_flag(skill: &mut Skill, flag: &'static str) -> Option<()> {
    let name = match flag.strip_prefix(AMBIGUOUS)? {
        "" => skill.name,
        rest => rest.strip_prefix(':').filter(|alias| skill.surfaces().any(|surface| surface == *alias))?,
    };
    skill.ambiguous = true;
    skill.ambiguous_names.push(name);
    Some(())
}

/// For each skill everything it implies, transitively, ordered, without itself. Depth-first with a list of what was
/// seen, so a cycle ends.
pub(super) fn closures(skills: &[Skill]) -> Vec<Vec<SkillId>> {
    let implied = |id: SkillId| skills.get(id.index()).map_or(&[][..], |skill| &skill.implies);
    skills
        .iter()
        .map(|skill| {
            let mut seen: Vec<SkillId> = Vec::new();
            let mut open = skill.implies.clone();
            while let Some(next) = open.pop() {
                if next != skill.id && !seen.contains(&next) {
                    seen.push(next);
                    open.extend_from_slice(implied(next));
                }
            }
            seen.sort_unstable();
            seen
        })
        .collect()
}
