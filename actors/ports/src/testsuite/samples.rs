//! Invented values for suites: the same arguments always make the same value.

use tandem_domain::chunk::ModelIdentity;
use tandem_domain::document::{DocumentKind, Version};
use tandem_domain::embedding::Embedding;
use tandem_domain::ids::{ContentDigest, DocumentId, OwnerId, derived};
use tandem_domain::profile::LanguageCode;
use tandem_domain::ranked::{Features, RankedProfile, RankedTitle};
use uuid::Uuid;

use crate::index::IndexedDocument;

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
        digest: digest(number),
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
