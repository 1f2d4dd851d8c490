//! A Profile that does not say whose it is: for people who are to judge the work alone.

use tandem_domain::profile::{Basics, Education, Profile, Sourced, Span, Work};

use super::{MAX_MASK_BYTES, Masks, contact, emit, occurrences, person, personal, tidy};
use crate::extract::Line;
use crate::structure::view::View;

#[cfg(test)]
mod tests;

/// The Profile of a résumé without name, contact, protected facts and dates of study. Its texts lose what the ranked text
/// loses, by the same rules, but for the dates of work.
#[must_use]
pub fn redacted(profile: &Profile) -> Profile {
    let basics = &profile.basics;
    // Where the name stands in the document says nothing about a text taken out of it.
    let name = basics.name.clone().map(|name| Sourced { span: Span::default(), ..name });
    let known = [&basics.emails, &basics.phones, &basics.urls].into_iter().flatten();
    let redactor = Redactor { name, known: known.map(|value| value.value.clone()).collect() };
    Profile {
        basics: Basics { label: redactor.value(basics.label.as_ref()), ..Basics::default() },
        summary: redactor.value(profile.summary.as_ref()),
        work: profile.work.iter().map(|work| redactor.work(work)).collect(),
        education: profile.education.iter().map(|education| redactor.education(education)).collect(),
        certificates: profile.certificates.iter().filter_map(|value| redactor.value(Some(value))).collect(),
        ..profile.clone()
    }
}

/// What is known of the person.
struct Redactor {
    name: Option<Sourced<String>>,
    /// E-mail and web addresses and telephone numbers, as they are written.
    known: Vec<String>,
}

impl Redactor {
    /// A text without the person; lines stay lines.
    fn text(&self, text: &str) -> String {
        let lines: Vec<Line> =
            text.lines().map(|line| Line { text: line.to_owned(), page: 1, ..Line::default() }).collect();
        let view = View::new(&lines);
        let masks = self.masks(&view);
        let mut writer = tidy::Writer::default();
        for row in &view.rows {
            emit(&view, row.span, &masks, true, &mut writer);
        }
        writer.finish()
    }

    fn masks(&self, view: &View<'_>) -> Masks {
        let mut spans = self.name.as_ref().map(|name| person::occurrences(view, name)).unwrap_or_default();
        for value in &self.known {
            spans.extend(occurrences(view, value));
        }
        for row in 0..view.rows.len() {
            let folded = view.fold_of(row);
            let addresses = contact::addresses_in(folded).chain(contact::phones_in(folded));
            spans.extend(addresses.map(|range| view.span_in(row, range.start, range.end)));
            spans.extend(personal::labeled(view, row).into_iter().map(|(_, span)| span));
            spans.extend(personal::unlabeled(view, row).map(|(_, span)| span));
        }
        spans.retain(|span| span.start < span.end && span.end - span.start <= MAX_MASK_BYTES);
        spans.sort_unstable();
        Masks { spans, dated: Vec::new() }
    }

    /// A value; none where nothing of it is left.
    fn value(&self, value: Option<&Sourced<String>>) -> Option<Sourced<String>> {
        let value = value?;
        let text = self.text(&value.value);
        (!text.is_empty()).then(|| Sourced { value: text, ..value.clone() })
    }

    fn work(&self, work: &Work) -> Work {
        Work {
            title: self.value(work.title.as_ref()),
            organization: self.value(work.organization.as_ref()),
            location: self.value(work.location.as_ref()),
            highlights: work
                .highlights
                .iter()
                .map(|line| self.text(line))
                .filter(|line| !line.is_empty())
                .collect(),
            ..work.clone()
        }
    }

    fn education(&self, education: &Education) -> Education {
        Education {
            degree: self.value(education.degree.as_ref()),
            field: self.value(education.field.as_ref()),
            institution: self.value(education.institution.as_ref()),
            grade: education.grade.as_deref().map(|grade| self.text(grade)).filter(|grade| !grade.is_empty()),
            start: None,
            end: None,
            ..education.clone()
        }
    }
}
