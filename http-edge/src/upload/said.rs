//! What a submitter says beside a document.

use tandem_domain::document::{DocumentKind, Notes};
use tandem_domain::profile::LanguageCode;

use super::{MAX_TITLE, twice};
use crate::dto::document::Language;
use crate::problem::Problem;

/// The longest name of a company, in characters.
pub(crate) const MAX_COMPANY: usize = 300;
/// The longest instructions, in characters.
pub(crate) const MAX_INSTRUCTIONS: usize = 4_000;

/// Words about a document, as they came.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) title: Option<String>,
    pub(crate) company: Option<String>,
    /// The language of this document, whichever it is.
    pub(crate) language: Option<Language>,
    pub(crate) resume_lang: Option<Language>,
    pub(crate) jd_lang: Option<Language>,
    pub(crate) desired_output_lang: Option<Language>,
    pub(crate) custom_instructions: Option<String>,
}

/// A field of a form under its two names.
type Names = [&'static str; 2];

const TITLE: Names = ["title", "title"];
const COMPANY: Names = ["company", "company"];
const LANGUAGE: Names = ["language", "language"];
const RESUME_LANG: Names = ["resume_lang", "resumeLang"];
const JD_LANG: Names = ["jd_lang", "jdLang"];
const OUTPUT_LANG: Names = ["desired_output_lang", "desiredOutputLang"];
const INSTRUCTIONS: Names = ["custom_instructions", "customInstructions"];
const ALL: [Names; 7] = [TITLE, COMPANY, LANGUAGE, RESUME_LANG, JD_LANG, OUTPUT_LANG, INSTRUCTIONS];

impl Said {
    /// Whether a form may have a field of this name.
    pub(crate) fn knows(name: &str) -> bool {
        ALL.iter().any(|names| names.contains(&name))
    }

    /// Takes a field of a form in, each once.
    pub(crate) fn tell(&mut self, name: &str, value: String) -> Result<(), Problem> {
        let is = |names: Names| names.contains(&name);
        let was_told = if is(TITLE) {
            self.title.replace(value).is_some()
        } else if is(COMPANY) {
            self.company.replace(value).is_some()
        } else if is(INSTRUCTIONS) {
            self.custom_instructions.replace(value).is_some()
        } else {
            let language = Language::of(&value)
                .ok_or_else(|| Problem::validation(format!("field `{name}`: expected `en` or `ar`")))?;
            let place = if is(RESUME_LANG) {
                &mut self.resume_lang
            } else if is(JD_LANG) {
                &mut self.jd_lang
            } else if is(OUTPUT_LANG) {
                &mut self.desired_output_lang
            } else {
                &mut self.language
            };
            place.replace(language).is_some()
        };
        if was_told { Err(twice(name)) } else { Ok(()) }
    }

    /// The title, and the rest as it is kept with a document of this kind.
    pub(crate) fn checked(self, kind: DocumentKind) -> Result<(Option<String>, Notes), Problem> {
        let own = |given: Option<Language>, side: DocumentKind| {
            given.or(self.language.filter(|_| kind == side)).map(LanguageCode::from)
        };
        let (resume_lang, jd_lang) =
            (own(self.resume_lang, DocumentKind::Resume), own(self.jd_lang, DocumentKind::Job));
        let notes = Notes {
            headline: None,
            company: line("company", self.company, MAX_COMPANY)?,
            resume_lang,
            jd_lang,
            desired_output_lang: self.desired_output_lang.map(LanguageCode::from),
            custom_instructions: instructions(self.custom_instructions)?,
        };
        Ok((line("title", self.title, MAX_TITLE)?, notes))
    }
}

/// A text without the space around it; a blank one is none.
fn given(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn line(name: &str, text: Option<String>, most: usize) -> Result<Option<String>, Problem> {
    let text = given(text);
    if text.as_ref().is_some_and(|text| text.chars().count() > most || text.chars().any(char::is_control)) {
        let rule = format!("at most {most} characters on one line");
        return Err(Problem::validation(format!("field `{name}`: expected {rule}")));
    }
    Ok(text)
}

fn instructions(text: Option<String>) -> Result<Option<String>, Problem> {
    let text = given(text);
    let is_odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.as_ref().is_some_and(|text| text.chars().count() > MAX_INSTRUCTIONS || text.chars().any(is_odd)) {
        let rule = format!(
            "at most {MAX_INSTRUCTIONS} characters, of control characters line breaks and tabs alone"
        );
        return Err(Problem::validation(format!("field `custom_instructions`: expected {rule}")));
    }
    Ok(text)
}
