//! How strongly something is asked for, by the words around it.

use tandem_domain::profile::{RequirementLevel, SectionKind};

/// Words that decide a clause, the first list with a hit wins: "not required but nice to have" is nice.
const CUES: &[(RequirementLevel, &[&str])] = &[
    (
        RequirementLevel::Nice,
        &[
            "a plus",
            "nice to have",
            "nice-to-have",
            "bonus",
            "would be great",
            "is great",
            "not required",
            "not a requirement",
            "not necessary",
            "no requirement",
            "an advantage",
            "added advantage",
            "advantageous",
            "good to have",
            "optional",
            "would be nice",
            "beneficial",
            "welcome",
            "helpful",
            "big plus",
            "ميزه",
            "افضليه",
            "ليس شرطا",
            "يعد اضافه",
            "ميزة",
            "not essential",
            "we can teach",
            "can be learned",
        ],
    ),
    (
        RequirementLevel::Preferred,
        &[
            "preferred",
            "prefer",
            "preferably",
            "preference",
            "desirable",
            "desired",
            "ideally",
            "ideal",
            "يفضل",
            "مفضل",
            "تفضل",
            "ويفضل",
            "الافضليه",
        ],
    ),
    (
        RequirementLevel::Must,
        &[
            "must",
            "essential",
            "mandatory",
            "non-negotiable",
            "is a must",
            "compulsory",
            "absolutely",
            "indispensable",
            "critical requirement",
            "obligatory",
            "يجب",
            "لا بد",
            "لابد",
            "الزامي",
            "ضروري",
            "شرط اساسي",
            "يشترط",
        ],
    ),
    (
        RequirementLevel::Required,
        &[
            "required",
            "require",
            "at least",
            "minimum",
            "you need",
            "need to have",
            "you will need",
            "مطلوب",
            "لا يقل عن",
            "لا تقل عن",
            "المطلوب",
        ],
    ),
];

/// The level that the words of a folded clause say, if they say one.
pub(super) fn of_words(folded: &str) -> Option<RequirementLevel> {
    CUES.iter()
        .find(|(_, words)| words.iter().any(|word| contains_word(folded, word)))
        .map(|(level, _)| *level)
}

/// Whether a word or phrase stands in a text, not as the middle of another word. Arabic takes prefixes.
fn contains_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|after| after.chars().next());
        let arabic = !word.is_ascii();
        arabic
            || !before.is_some_and(char::is_alphanumeric)
                && !after.is_some_and(|c| c.is_alphanumeric() && c != 's' && c != 'd')
    })
}

/// The level of what stands in a part whose heading and words say none.
pub(super) const fn of_section(kind: SectionKind) -> RequirementLevel {
    match kind {
        SectionKind::Requirements
        | SectionKind::Skills
        | SectionKind::Education
        | SectionKind::Languages
        | SectionKind::Certificates => RequirementLevel::Required,
        SectionKind::Preferred
        | SectionKind::Responsibilities
        | SectionKind::Header
        | SectionKind::Summary
        | SectionKind::Other => RequirementLevel::Preferred,
        SectionKind::Work
        | SectionKind::Volunteer
        | SectionKind::Projects
        | SectionKind::Awards
        | SectionKind::Publications
        | SectionKind::Interests
        | SectionKind::References
        | SectionKind::Personal
        | SectionKind::Benefits
        | SectionKind::About => RequirementLevel::Nice,
    }
}
