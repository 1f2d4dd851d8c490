//! Ids that are indices in memory and slugs everywhere else.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use super::Taxonomy;

/// A skill of the built-in taxonomy. Ordered as its slug is; serde writes and reads the slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SkillId(u16);

/// An occupation of the built-in taxonomy. Ordered as its slug is; serde writes and reads the slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OccupationId(u16);

impl SkillId {
    /// The position in [`Taxonomy::skills`]. Valid in this build only: store [`Self::slug`] instead.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The slug in the built-in taxonomy: what is stored and sent.
    pub fn slug(self) -> &'static str {
        Taxonomy::builtin().skill(self).slug
    }

    /// The id of a position; a table has at most [`super::table::MAX_ROWS`] rows, so it fits.
    pub(super) fn from_index(index: usize) -> Self {
        Self(index as u16)
    }
}

impl OccupationId {
    /// The position in [`Taxonomy::occupations`]. Valid in this build only: store [`Self::slug`] instead.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The slug in the built-in taxonomy: what is stored and sent.
    pub fn slug(self) -> &'static str {
        Taxonomy::builtin().occupation(self).slug
    }

    /// The id of a position; a table has at most [`super::table::MAX_ROWS`] rows, so it fits.
    pub(super) fn from_index(index: usize) -> Self {
        Self(index as u16)
    }
}

impl fmt::Display for SkillId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.slug())
    }
}

impl fmt::Display for OccupationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.slug())
    }
}

impl Serialize for SkillId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.slug())
    }
}

impl Serialize for OccupationId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.slug())
    }
}

impl<'de> Deserialize<'de> for SkillId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let look_up = |slug: &str| Taxonomy::builtin().skill_by_slug(slug);
        deserializer.deserialize_str(SlugVisitor { what: "skill", look_up })
    }
}

impl<'de> Deserialize<'de> for OccupationId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let look_up = |slug: &str| Taxonomy::builtin().occupation_by_slug(slug);
        deserializer.deserialize_str(SlugVisitor { what: "occupation", look_up })
    }
}

/// Reads a slug and looks it up, without keeping the text.
struct SlugVisitor<F> {
    what: &'static str,
    look_up: F,
}

impl<I, F: Fn(&str) -> Option<I>> Visitor<'_> for SlugVisitor<F> {
    type Value = I;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the slug of a known {}", self.what)
    }

    fn visit_str<E: Error>(self, slug: &str) -> Result<I, E> {
        (self.look_up)(slug).ok_or_else(|| {
            // A slug may come from outside: only a plain one is repeated in the message.
            if super::table::is_slug(slug) {
                E::custom(format_args!("unknown {} {slug:?} in this taxonomy", self.what))
            } else {
                E::custom(format_args!("not a slug, so no {}", self.what))
            }
        })
    }
}
