//! Every phrase the rules know, in one automaton: the taxonomy's names and the word lists under `data/`.

use std::collections::HashMap;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use tandem_domain::profile::{EducationLevel, LanguageCode, LanguageLevel, Seniority};
use tandem_domain::taxonomy::{OccupationId, SkillId, SkillKind, Taxonomy};

use super::fold::plain_str;

const LANGUAGES: &str = include_str!("../../data/languages.tsv");
const LANGUAGE_LEVELS: &str = include_str!("../../data/language_levels.tsv");
const DEGREES: &str = include_str!("../../data/degrees.tsv");
const FIELDS: &str = include_str!("../../data/fields.txt");
const PLACES: &str = include_str!("../../data/places.tsv");
const INSTITUTIONS: &str = include_str!("../../data/institutions.txt");
const ORGANIZATIONS: &str = include_str!("../../data/organizations.txt");
const TITLE_HEADS: &str = include_str!("../../data/title_heads.txt");
const SENIORITY: &str = include_str!("../../data/seniority.tsv");
const CERTIFICATES: &str = include_str!("../../data/certificates.txt");

/// What a phrase means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A skill.
    Skill(SkillId),
    /// An occupation's title.
    Occupation(OccupationId),
    /// A noun that titles are built on.
    Head,
    /// A word of rank in a title.
    Rung(Seniority),
    /// A degree.
    Degree(EducationLevel),
    /// A field of study.
    Field,
    /// A country, region or town.
    Place {
        /// It is a country.
        country: bool,
    },
    /// A human language.
    Language(LanguageCode),
    /// How well a language is spoken.
    Level(LanguageLevel),
    /// A word in the names of schools.
    School,
    /// A word in the names of employers.
    Employer,
    /// A word that makes a line a certificate.
    Certificate,
}

impl Meaning {
    /// Meanings of one group exclude each other where they overlap: the longest wins. Across groups they do not.
    pub(crate) const fn group(self) -> u8 {
        match self {
            Self::Skill(_) => 0,
            Self::Occupation(_) => 1,
            Self::Head => 2,
            Self::Rung(_) => 3,
            Self::Degree(_) => 4,
            Self::Field => 5,
            Self::Place { .. } => 6,
            Self::Language(_) => 7,
            Self::Level(_) => 8,
            Self::School => 9,
            Self::Employer => 10,
            Self::Certificate => 11,
        }
    }
}

/// The value of a meaning of one kind.
macro_rules! values {
    ($($name:ident: $variant:ident($value:ty),)*) => {
        impl Meaning {
            $(pub(crate) const fn $name(self) -> Option<$value> {
                if let Self::$variant(value) = self { Some(value) } else { None }
            })*
        }
    };
}

values! {
    skill: Skill(SkillId),
    occupation: Occupation(OccupationId),
    rung: Rung(Seniority),
    degree: Degree(EducationLevel),
    language: Language(LanguageCode),
    level: Level(LanguageLevel),
}

/// One phrase with one meaning.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Phrase {
    /// What it means.
    pub(crate) meaning: Meaning,
    /// As it is usually written.
    pub(crate) surface: &'static str,
    /// It is also an ordinary word, so a bare mention proves nothing.
    pub(crate) ambiguous: bool,
}

impl Phrase {
    /// Whether it may stand with a plural `s`: products do not, Canvas is not several Canva.
    pub(crate) fn has_plural(&self) -> bool {
        use SkillKind::{Database, Framework, Language, Platform, Tool};
        self.meaning.skill().is_none_or(|id| {
            let kind = Taxonomy::builtin().skill(id).kind;
            !matches!(kind, Database | Framework | Language | Platform | Tool)
        })
    }
}

/// The automaton and, by pattern, its phrases.
#[derive(Debug)]
pub(crate) struct Lexicon {
    pub(crate) automaton: AhoCorasick,
    pub(crate) phrases: Vec<Vec<Phrase>>,
}

impl Lexicon {
    /// The one lexicon of this build, made at the first call.
    pub(crate) fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Lexicon> = LazyLock::new(Lexicon::build);
        &BUILTIN
    }

    /// Whether a plain phrase as a whole has a meaning that `wanted` accepts.
    pub(crate) fn knows(&self, plain: &str, wanted: impl Fn(Meaning) -> bool) -> bool {
        self.knows_phrase(plain, |phrase| wanted(phrase.meaning))
    }

    /// Whether a plain phrase as a whole is one that `wanted` accepts.
    pub(crate) fn knows_phrase(&self, plain: &str, wanted: impl Fn(&Phrase) -> bool) -> bool {
        self.automaton
            .find_overlapping_iter(plain)
            .filter(|found| found.start() == 0 && found.end() == plain.len())
            .filter_map(|found| self.phrases.get(found.pattern().as_usize()))
            .flatten()
            .any(wanted)
    }

    fn build() -> Self {
        let mut builder = Builder::default();
        builder.taxonomy(Taxonomy::builtin());
        for (code, names) in rows(LANGUAGES) {
            if let Some(code) = LanguageCode::new(code) {
                builder.all(names, Meaning::Language(code));
            }
        }
        for (level, names) in rows(LANGUAGE_LEVELS) {
            builder.all(names, Meaning::Level(language_level(level)));
        }
        for (level, names) in rows(DEGREES) {
            builder.all(names, Meaning::Degree(education_level(level)));
        }
        for (rung, names) in rows(SENIORITY) {
            builder.all(names, Meaning::Rung(seniority(rung)));
        }
        for (_, names) in rows(PLACES) {
            // The country's own names stand first, in the scripts at hand: up to the first town.
            for (index, name) in names.split('|').enumerate() {
                builder.add(name, Meaning::Place { country: index < 2 }, false);
            }
        }
        for line in lines(FIELDS) {
            builder.all(line, Meaning::Field);
        }
        for (list, meaning) in [
            (INSTITUTIONS, Meaning::School),
            (ORGANIZATIONS, Meaning::Employer),
            (TITLE_HEADS, Meaning::Head),
            (CERTIFICATES, Meaning::Certificate),
        ] {
            lines(list).for_each(|word| builder.add(word, meaning, false));
        }
        builder.finish()
    }
}

#[derive(Default)]
struct Builder {
    index: HashMap<String, usize>,
    patterns: Vec<String>,
    phrases: Vec<Vec<Phrase>>,
}

impl Builder {
    fn all(&mut self, names: &'static str, meaning: Meaning) {
        names.split('|').for_each(|name| self.add(name, meaning, false));
    }

    /// The first meaning of a group keeps a pattern: tables are ordered, so the result is the same in every run.
    fn add(&mut self, surface: &'static str, meaning: Meaning, ambiguous: bool) {
        let pattern = plain_str(surface);
        if pattern.is_empty() {
            return;
        }
        let next = self.patterns.len();
        let at = *self.index.entry(pattern).or_insert_with_key(|pattern| {
            self.patterns.push(pattern.clone());
            next
        });
        if at == self.phrases.len() {
            self.phrases.push(Vec::new());
        }
        if let Some(phrases) = self.phrases.get_mut(at)
            && !phrases.iter().any(|other| other.meaning.group() == meaning.group())
        {
            phrases.push(Phrase { meaning, surface, ambiguous });
        }
    }

    fn taxonomy(&mut self, taxonomy: &'static Taxonomy) {
        // Canonical names first: an alias never takes a name from the skill that bears it.
        for skill in taxonomy.skills() {
            self.add(skill.name, Meaning::Skill(skill.id), skill.is_ambiguous_as(skill.name));
        }
        for skill in taxonomy.skills() {
            for surface in skill.surfaces() {
                self.add(surface, Meaning::Skill(skill.id), skill.is_ambiguous_as(surface));
                // "Registered Nurse" is a license where licenses stand; elsewhere it is a title.
                if skill.kind == SkillKind::Certificate && !skill.is_ambiguous_as(surface) {
                    self.add(surface, Meaning::Certificate, false);
                }
            }
        }
        for occupation in taxonomy.occupations() {
            self.add(occupation.name, Meaning::Occupation(occupation.id), false);
        }
        for occupation in taxonomy.occupations() {
            for surface in occupation.surfaces() {
                self.add(surface, Meaning::Occupation(occupation.id), false);
            }
            occupation.heads.iter().for_each(|head| self.add(head, Meaning::Head, false));
        }
    }

    fn finish(self) -> Lexicon {
        let automaton = AhoCorasickBuilder::new()
            .match_kind(MatchKind::Standard)
            .build(&self.patterns)
            .expect("the compiled-in tables are far below the automaton's limits and a unit test builds it");
        Lexicon { automaton, phrases: self.phrases }
    }
}

/// The lines of a data file without comments.
pub(crate) fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The rows of a two-column data file.
pub(crate) fn rows(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    lines(text).filter_map(|line| line.split_once('\t'))
}

fn language_level(name: &str) -> LanguageLevel {
    match name {
        "native" => LanguageLevel::Native,
        "fluent" => LanguageLevel::Fluent,
        "good" => LanguageLevel::Good,
        "intermediate" => LanguageLevel::Intermediate,
        _ => LanguageLevel::Basic,
    }
}

fn education_level(name: &str) -> EducationLevel {
    match name {
        "doctorate" => EducationLevel::Doctorate,
        "master" => EducationLevel::Master,
        "bachelor" => EducationLevel::Bachelor,
        "diploma" => EducationLevel::Diploma,
        "vocational" => EducationLevel::Vocational,
        _ => EducationLevel::Secondary,
    }
}

fn seniority(name: &str) -> Seniority {
    match name {
        "intern" => Seniority::Intern,
        "junior" => Seniority::Junior,
        "senior" => Seniority::Senior,
        "lead" => Seniority::Lead,
        "executive" => Seniority::Executive,
        _ => Seniority::Regular,
    }
}
