//! Invented documents, matches and runs.

use std::collections::BTreeMap;

use tandem_domain::chunk::ModelIdentity;
use tandem_domain::document::{
    Document, DocumentKind, DocumentState, MediaKind, Notes, ParsedVersion, Version,
};
use tandem_domain::finding::{Finding, FindingKind};
use tandem_domain::ids::{ContentDigest, DocumentId, MatchId, OperationId, OwnerId, RunId};
use tandem_domain::profile::{
    Basics, LanguageCode, Profile, RequirementLevel, Requirements, SectionKind, Skill, SkillRequirement,
    Sourced, Span,
};
use tandem_domain::run::{
    MatchRun, PairMatch, PairOutcome, Progress, RowKey, RunRow, RunSpec, ScoredPair, Selection,
};
use tandem_domain::score::{
    Category, CategoryScore, CategoryState, MatchScore, Receipt, Score, SkillEvidence, Weights,
};
use tandem_domain::taxonomy::{SkillId, Taxonomy};
use tandem_domain::time::{Month, Timestamp};
use tandem_messages::runs::RunView;
use uuid::Uuid;

pub(super) const ID: &str = "0190b6a2-9a51-7c3e-8f6d-0d2f6c1a7b10";
pub(super) const OTHER_ID: &str = "0190b6a2-9a51-7c3e-8f6d-0d2f6c1a7b11";

pub(super) fn document_id(number: u128) -> DocumentId {
    DocumentId::from_uuid(Uuid::from_u128(ID.parse::<Uuid>().unwrap().as_u128() + number))
}

pub(super) fn skill(slug: &str) -> SkillId {
    Taxonomy::builtin().skill_by_slug(slug).unwrap()
}

pub(super) fn document(kind: DocumentKind, state: DocumentState) -> Document {
    Document {
        owner: OwnerId::local(),
        id: document_id(0),
        kind,
        version: Version::FIRST,
        file_name: "resume.txt".to_owned(),
        title: None,
        media: MediaKind::Text,
        digest: ContentDigest::of(b"text"),
        size: 4,
        object_key: "resumes/secret.txt".to_owned(),
        state,
        created_at: Timestamp::from_millis(1_790_000_000_000),
        notes: Notes::default(),
        others: Vec::new(),
    }
}

pub(super) fn parsed(kind: DocumentKind) -> ParsedVersion {
    let span = Span::new(0, 4);
    let rust = Skill {
        id: skill("rust"),
        spans: vec![span],
        section: SectionKind::Skills,
        months: 30,
        last_used: Month::new(2026, 11),
        confidence: 90,
    };
    let requirements = Requirements {
        skills: vec![SkillRequirement {
            any_of: vec![skill("rust")],
            level: RequirementLevel::Must,
            months: Some(36),
            span,
        }],
        ..Requirements::default()
    };
    ParsedVersion {
        text: "Rust and more".to_owned(),
        ranked_text: "Rust and more".to_owned(),
        profile: Profile {
            kind,
            as_of: Month::new(2026, 11).unwrap(),
            language: LanguageCode::ENGLISH,
            basics: Basics {
                name: Some(Sourced { value: "Ada Sample".to_owned(), confidence: 95, span }),
                ..Basics::default()
            },
            summary: None,
            sections: Vec::new(),
            work: Vec::new(),
            education: Vec::new(),
            skills: vec![rust],
            languages: Vec::new(),
            certificates: Vec::new(),
            months_total: 30,
            months_by_skill: BTreeMap::from([(skill("rust"), 30)]),
            claimed_months: None,
            requirements: (kind == DocumentKind::Job).then_some(requirements),
        },
        findings: vec![Finding {
            kind: FindingKind::HiddenText,
            page: Some(1),
            span: None,
            note: "12 characters".to_owned(),
        }],
        parser: "1".to_owned(),
    }
}

pub(super) fn scored() -> ScoredPair {
    let evidence = |slug, credit, if_met| SkillEvidence {
        any_of: vec![skill(slug)],
        level: RequirementLevel::Required,
        credit: Score::clamped(credit),
        by: (credit > 0).then(|| skill(slug)),
        total_if_met: Score::clamped(if_met),
    };
    let state = |category| match category {
        Category::Skills => CategoryState::Known(Score::clamped(9_000)),
        Category::Education => CategoryState::Unknown,
        Category::Title | Category::Semantic | Category::Experience | Category::Languages => {
            CategoryState::NotAsked
        }
    };
    let categories = Category::ALL.map(|c| CategoryScore { category: c, state: state(c), weight: 100 });
    ScoredPair {
        score: MatchScore {
            total: Score::clamped(8_725),
            confidence: Score::clamped(6_000),
            insufficient_data: false,
            categories: categories.to_vec(),
            skills: vec![evidence("rust", 10_000, 8_725), evidence("docker", 0, 9_300)],
        },
        receipt: Receipt {
            scorer: "1".to_owned(),
            job_parser: "1".to_owned(),
            resume_parser: "1".to_owned(),
            taxonomy: "abc".to_owned(),
            model: ModelIdentity {
                id: "all-MiniLM-L6-v2".to_owned(),
                weights_digest: "w".to_owned(),
                tokenizer_digest: "t".to_owned(),
                dimensions: 384,
            },
            job: ContentDigest::of(b"job"),
            resume: ContentDigest::of(b"resume"),
            weights: Weights::default(),
            job_version: Version::FIRST,
            resume_version: Version(2),
        },
    }
}

pub(super) fn pair(outcome: Option<PairOutcome>) -> PairMatch {
    PairMatch {
        owner: OwnerId::local(),
        id: MatchId::from_uuid(OTHER_ID.parse().unwrap()),
        resume: document_id(0),
        job: document_id(1),
        weights: Weights::default(),
        operation: OperationId::from_uuid(Uuid::nil()),
        created_at: Timestamp::from_millis(0),
        outcome,
    }
}

pub(super) fn run(progress: Progress) -> RunView {
    RunView {
        run: MatchRun {
            owner: OwnerId::local(),
            id: RunId::from_uuid(ID.parse().unwrap()),
            spec: RunSpec {
                query_kind: DocumentKind::Job,
                queries: vec![document_id(1), document_id(2)],
                candidates: Selection::All,
                top: 10,
                min_score: Score::ZERO,
                weights: Weights::default(),
            },
            operation: OperationId::from_uuid(Uuid::nil()),
            created_at: Timestamp::from_millis(0),
        },
        progress,
    }
}

pub(super) fn row(item: u32, rank: u32) -> (RowKey, RunRow) {
    (RowKey { item, rank }, RunRow { candidate: document_id(u128::from(rank)), scored: scored() })
}
