//! Invented values for suites: the same arguments always make the same value.

use tandem_domain::chunk::{Chunk, EmbeddedVersion, ModelIdentity};
use tandem_domain::document::{
    Document, DocumentKind, DocumentState, DocumentVersion, Failure, MediaKind, Notes, Version,
};
use tandem_domain::embedding::Embedding;
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{ContentDigest, DocumentId, MatchId, OperationId, OwnerId, RunId, derived};
use tandem_domain::models::ModelPlace;
use tandem_domain::profile::{LanguageCode, Span};
use tandem_domain::ranked::{Features, RankedProfile, RankedTitle};
use tandem_domain::run::{MatchRun, PairMatch, RunRow, RunSpec, ScoredPair, Selection};
use tandem_domain::score::{Score, Weights};
use tandem_domain::task::{Task, TaskKind, TaskSubject};
use tandem_domain::time::Timestamp;
use uuid::Uuid;

use crate::index::IndexedDocument;

mod contents;

pub use contents::parsed;
use contents::{receipt, score};

/// Coordinates of every sample vector.
pub const DIMENSIONS: u32 = 8;

/// The model of every sample vector.
#[must_use]
pub fn model() -> ModelIdentity {
    ModelIdentity {
        id: "sample-model".to_owned(),
        weights_digest: "00".repeat(32),
        tokenizer_digest: "11".repeat(32),
        dimensions: DIMENSIONS,
    }
}

/// Where a node finds [`model`].
#[must_use]
pub fn model_place() -> ModelPlace {
    ModelPlace {
        identity: model(),
        engine: "native".to_owned(),
        folder: "/models/sample".to_owned(),
        precision: "int8".to_owned(),
        max_tokens: 256,
    }
}

/// An owner of this name.
///
/// # Panics
/// When the name is not a valid owner id.
#[must_use]
pub fn owner(name: &str) -> OwnerId {
    name.parse().unwrap()
}

/// The UUID of a name and number.
#[must_use]
pub fn uuid(name: &str, number: u64) -> Uuid {
    derived(name, &[&number.to_be_bytes()])
}

/// The id of sample document `number`.
#[must_use]
pub fn document_id(number: u64) -> DocumentId {
    DocumentId::from_uuid(uuid("sample document", number))
}

/// The digest of sample content `number`.
#[must_use]
pub fn digest(number: u64) -> ContentDigest {
    ContentDigest::of(&number.to_be_bytes())
}

/// Numbers that look random and depend on nothing but the seed (SplitMix64: Steele, Lea & Flood 2014).
#[derive(Debug, Clone)]
pub struct Seeded(u64);

impl Seeded {
    /// Numbers of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// The next number under `bound`, which must not be 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound
    }

    /// A vector of [`DIMENSIONS`] coordinates.
    pub fn vector(&mut self) -> Embedding {
        let coordinates = (0..DIMENSIONS).map(|_| (self.below(255) as i16 - 127) as i8).collect();
        Embedding::from_coordinates(coordinates)
    }
}

/// Features of sample content `number` with this vector.
#[must_use]
pub fn features(kind: DocumentKind, number: u64, vector: Embedding) -> Features {
    Features {
        version: Version::FIRST,
        digest: digest(number),
        parser: "parser-1".to_owned(),
        profile: RankedProfile {
            kind,
            language: LanguageCode::ENGLISH,
            titles: vec![RankedTitle {
                occupation: None,
                words: vec!["keeper".to_owned(), format!("grade{number}")],
                months: number as u32 % 240,
                ended_ago: Some(3),
            }],
            skills: Vec::new(),
            months: Some(number as u32 % 480),
            education: Vec::new(),
            languages: vec![(LanguageCode::ENGLISH, None)],
            asked: None,
        },
        model: model(),
        chunks: vec![vector.clone()],
        document: vector,
    }
}

/// Sample document `number` as an index keeps it.
#[must_use]
pub fn indexed(
    owner: &OwnerId,
    number: u64,
    kind: DocumentKind,
    text: &str,
    vector: Embedding,
) -> IndexedDocument {
    IndexedDocument {
        owner: owner.clone(),
        id: document_id(number),
        version: Version::FIRST,
        kind,
        ranked_text: text.to_owned(),
        features: features(kind, number, vector),
    }
}

/// When every sample was made.
pub const CREATED: Timestamp = Timestamp::from_millis(1_793_534_400_000);

/// Sample document `number`, queued.
#[must_use]
pub fn document(owner: &OwnerId, kind: DocumentKind, number: u64) -> Document {
    let id = document_id(number);
    Document {
        owner: owner.clone(),
        id,
        kind,
        version: Version::FIRST,
        file_name: format!("Lebenslauf {number} – Übersicht.pdf"),
        title: number.is_multiple_of(2).then(|| format!("Title {number}")),
        media: MediaKind::Pdf,
        digest: digest(number),
        size: 1_000 + number,
        object_key: Document::object_key(kind, id.as_uuid(), MediaKind::Pdf),
        state: DocumentState::Queued,
        created_at: CREATED,
        notes: notes(number),
        others: Vec::new(),
    }
}

/// Version `version` of a sample document, with sample content `number`, queued.
#[must_use]
pub fn version(of: &Document, version: u32, number: u64) -> DocumentVersion {
    let version = Version(version);
    DocumentVersion {
        version,
        file_name: format!("Lebenslauf {number}.txt"),
        title: None,
        media: MediaKind::Text,
        digest: digest(number),
        size: 2_000 + number,
        object_key: Document::object_key(of.kind, uuid("sample version", number), MediaKind::Text),
        state: DocumentState::Queued,
        created_at: CREATED,
        notes: notes(number),
    }
}

/// Notes number `number`; every third document has none.
#[must_use]
pub fn notes(number: u64) -> Notes {
    if number.is_multiple_of(3) {
        return Notes::default();
    }
    Notes {
        headline: Some(format!("Headline {number}")),
        company: Some("Sample Works".to_owned()),
        resume_lang: Some(LanguageCode::ENGLISH),
        jd_lang: Some(LanguageCode::ARABIC),
        desired_output_lang: None,
        custom_instructions: Some(format!("Mind {number}.\nوشكرا")),
    }
}

/// A failure that says `reason`.
#[must_use]
pub fn failure(reason: &str) -> Failure {
    Failure { code: ErrorCode::NoText, reason: reason.to_owned() }
}

/// Vectors of a version with `chunks` chunks.
#[must_use]
pub fn embedded(number: u64, chunks: u32) -> EmbeddedVersion {
    let mut seeded = Seeded::new(number);
    let chunk = |number| Chunk {
        number,
        span: Span::new(number * 3_100, number * 3_100 + 3_500),
        tokens: 700 + number,
        embedding: seeded.vector(),
    };
    EmbeddedVersion {
        model: model(),
        chunks: (0..chunks).map(chunk).collect(),
        document: Seeded::new(number).vector(),
    }
}

/// The task to parse sample document `number`.
#[must_use]
pub fn task(owner: &OwnerId, number: u64) -> Task {
    let subject = TaskSubject::Version { document: document_id(number), version: Version::FIRST };
    Task::new(owner.clone(), TaskKind::Parse, subject, CREATED)
}

/// The operation of a name and number.
#[must_use]
pub fn operation(name: &str, number: u64) -> OperationId {
    OperationId::from_uuid(uuid(name, number))
}

/// Sample run `number` of `items` jobs against every résumé.
#[must_use]
pub fn run(owner: &OwnerId, number: u64, items: u64) -> MatchRun {
    MatchRun {
        owner: owner.clone(),
        id: RunId::from_uuid(uuid("sample run", number)),
        spec: RunSpec {
            query_kind: DocumentKind::Job,
            queries: (0..items).map(document_id).collect(),
            candidates: if number.is_multiple_of(2) {
                Selection::All
            } else {
                Selection::Ids(vec![document_id(8), document_id(9)])
            },
            top: 25,
            min_score: Score::clamped(1_234),
            weights: Weights::default(),
        },
        operation: operation("sample run", number),
        created_at: CREATED,
    }
}

/// A score that depends on `number`, with its receipt.
#[must_use]
pub fn scored(number: u64) -> ScoredPair {
    ScoredPair { score: score(number), receipt: receipt(number) }
}

/// A run's row for candidate `number`.
#[must_use]
pub fn row(number: u64) -> RunRow {
    RunRow { candidate: document_id(number), scored: scored(number) }
}

/// Sample match `number`, queued.
#[must_use]
pub fn pair_match(owner: &OwnerId, number: u64) -> PairMatch {
    PairMatch {
        owner: owner.clone(),
        id: MatchId::from_uuid(uuid("sample match", number)),
        resume: document_id(number),
        job: document_id(number + 1),
        weights: Weights::default(),
        operation: operation("sample match", number),
        created_at: CREATED,
        outcome: None,
    }
}
