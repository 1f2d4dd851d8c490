//! The built-in bilingual taxonomy of skills and occupations: what a name means and how near two names are.
//!
//! The data are two tab-separated files compiled into the binary (`data/skills.tsv`, `data/occupations.tsv`). All
//! text borrows from them. In memory an entry is a small index; stored or sent it is its slug, so that the data may
//! grow without touching what was written before.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

pub use self::error::{TaxonomyError, TaxonomyFault};
pub use self::id::{OccupationId, SkillId};
pub use self::occupation::Occupation;
pub use self::skill::{Skill, SkillKind};

mod error;
mod id;
mod occupation;
mod skill;
mod table;
#[cfg(test)]
mod tests;

/// The compiled-in skills, a table with the columns of [`Skill`].
const SKILLS_TSV: &str = include_str!("../data/skills.tsv");
/// The compiled-in occupations, a table with the columns of [`Occupation`].
const OCCUPATIONS_TSV: &str = include_str!("../data/occupations.tsv");
/// How many hex digits of the SHA-256 digest make a version.
const VERSION_DIGITS: usize = 16;
/// Strength, in percent, of a name with itself or with what it implies.
pub const FULL_STRENGTH: u8 = 100;
/// Strength, in percent, between two occupations that share no more than their job family.
pub const SAME_GROUP_STRENGTH: u8 = 40;

/// Skills and occupations with their names, ordered by slug.
#[derive(Debug)]
pub struct Taxonomy {
    skills: Vec<Skill>,
    /// By skill index: everything it implies, transitively, ordered, without itself.
    closures: Vec<Vec<SkillId>>,
    occupations: Vec<Occupation>,
    version: String,
}

impl Taxonomy {
    /// The one taxonomy of this build, parsed at the first call (a few milliseconds) and shared from then on.
    pub fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Taxonomy> = LazyLock::new(|| {
            Taxonomy::parse(SKILLS_TSV, OCCUPATIONS_TSV)
                .expect("the compiled-in tables never change at run time and a unit test parses them")
        });
        &BUILTIN
    }

    /// Parses both tables. Pure: the same text gives the same taxonomy or the same error.
    ///
    /// Private, because an id means something only in the taxonomy it came from, and serde knows the built-in one.
    fn parse(skills: &'static str, occupations: &'static str) -> Result<Self, TaxonomyError> {
        let parsed_skills = skill::parse(skills)?;
        let parsed_occupations = occupation::parse(occupations)?;
        let closures = skill::closures(&parsed_skills);
        let version = digest(skills, occupations);
        Ok(Self { skills: parsed_skills, closures, occupations: parsed_occupations, version })
    }

    /// The first 16 hex digits of the SHA-256 digest of both tables: equal text, equal version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// All skills, ordered by slug; the position is the id's index.
    pub fn skills(&self) -> &[Skill] {
        &self.skills
    }

    /// The skill of an id.
    pub fn skill(&self, id: SkillId) -> &Skill {
        &self.skills[id.index()]
    }

    /// The id of a slug (exact, lower case), `None` when there is no such skill. Binary search.
    pub fn skill_by_slug(&self, slug: &str) -> Option<SkillId> {
        self.skills.binary_search_by_key(&slug, |skill| skill.slug).ok().map(SkillId::from_index)
    }

    /// All occupations, ordered by slug; the position is the id's index.
    pub fn occupations(&self) -> &[Occupation] {
        &self.occupations
    }

    /// The occupation of an id.
    pub fn occupation(&self, id: OccupationId) -> &Occupation {
        &self.occupations[id.index()]
    }

    /// The id of a slug (exact, lower case), `None` when there is no such occupation. Binary search.
    pub fn occupation_by_slug(&self, slug: &str) -> Option<OccupationId> {
        self.occupations.binary_search_by_key(&slug, |entry| entry.slug).ok().map(OccupationId::from_index)
    }

    /// Every skill that knowing `id` shows as well, transitively, ordered, without `id` itself. A cycle in the data is
    /// harmless.
    pub fn implied_closure(&self, id: SkillId) -> &[SkillId] {
        &self.closures[id.index()]
    }

    /// How far having `from` counts for `to`, in percent (0..=100).
    ///
    /// 100 when both are equal or `from` implies `to`; otherwise the larger of the strengths stated in either
    /// direction, 0 when none is stated. So it is symmetric but for implication.
    pub fn related_strength(&self, from: SkillId, to: SkillId) -> u8 {
        if from == to || self.implied_closure(from).binary_search(&to).is_ok() {
            return FULL_STRENGTH;
        }
        stated(&self.skill(from).related, to).max(stated(&self.skill(to).related, from))
    }

    /// How near two occupations are, in percent (0..=100), the same in both directions.
    ///
    /// 100 when equal, otherwise the larger of the stated strengths, otherwise [`SAME_GROUP_STRENGTH`] within one job
    /// family and 0 across families.
    pub fn occupation_strength(&self, a: OccupationId, b: OccupationId) -> u8 {
        if a == b {
            return FULL_STRENGTH;
        }
        let (left, right) = (self.occupation(a), self.occupation(b));
        match stated(&left.related, b).max(stated(&right.related, a)) {
            0 if left.group == right.group => SAME_GROUP_STRENGTH,
            strength => strength,
        }
    }
}

/// The strength a list states for `id`, 0 when it states none.
fn stated<I: Copy + PartialEq>(related: &[(I, u8)], id: I) -> u8 {
    related.iter().find(|(other, _)| *other == id).map_or(0, |(_, strength)| *strength)
}

/// Digest of both tables; the length of the first goes in so that text cannot move over the seam unseen.
fn digest(skills: &str, occupations: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update((skills.len() as u64).to_le_bytes());
    hasher.update(skills);
    hasher.update(occupations);
    let mut version = hex::encode(hasher.finalize());
    version.truncate(VERSION_DIGITS);
    version
}
