//! What several resources share.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};
use tandem_domain::document as domain;
use tandem_domain::profile::Span as DomainSpan;
use tandem_domain::taxonomy::{OccupationId, SkillId, Taxonomy};
use utoipa::ToSchema;
use uuid::Uuid;

/// A UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, format = "uuid", examples("0190b6a2-9a51-7c3e-8f6d-0d2f6c1a7b10"))]
pub(crate) struct Id(pub(crate) Uuid);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IdVisitor;
        impl Visitor<'_> for IdVisitor {
            type Value = Id;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a UUID")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Id, E> {
                Uuid::try_parse(text).map(Id).map_err(|_| E::custom("expected a UUID"))
            }
        }
        deserializer.deserialize_str(IdVisitor)
    }
}

/// How far something has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Accepted and durable.
    Queued,
    /// Being worked on.
    Processing,
    /// Done.
    Complete,
    /// Given up; `failure` says why.
    Failed,
    /// Called off; match runs alone.
    #[serde(rename = "cancelled")]
    Canceled,
}

/// Why something was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Failure {
    /// The code, as in `errorCode` of a problem.
    #[schema(examples("NO_TEXT"))]
    pub(crate) code: String,
    /// For people.
    #[schema(examples("the pages are pictures without text"))]
    pub(crate) reason: String,
}

impl From<domain::Failure> for Failure {
    fn from(failure: domain::Failure) -> Self {
        Self { code: failure.code.as_str().to_owned(), reason: failure.reason }
    }
}

/// An entry of the taxonomy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Named {
    /// Its stable id.
    #[schema(examples("rust"))]
    pub(crate) id: String,
    /// Its English name.
    #[schema(examples("Rust"))]
    pub(crate) name: String,
}

impl From<SkillId> for Named {
    fn from(id: SkillId) -> Self {
        let skill = Taxonomy::builtin().skill(id);
        Self { id: skill.slug.to_owned(), name: skill.name.to_owned() }
    }
}

impl From<OccupationId> for Named {
    fn from(id: OccupationId) -> Self {
        let occupation = Taxonomy::builtin().occupation(id);
        Self { id: occupation.slug.to_owned(), name: occupation.name.to_owned() }
    }
}

/// Bytes `start..end` of the document's visible text in UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Span {
    /// First byte.
    pub(crate) start: u32,
    /// One past the last byte.
    pub(crate) end: u32,
}

impl From<DomainSpan> for Span {
    fn from(span: DomainSpan) -> Self {
        Self { start: span.start, end: span.end }
    }
}
