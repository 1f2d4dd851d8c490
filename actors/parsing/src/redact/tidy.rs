//! Text put together again so that what was cut out leaves no trace of its length.

use super::neutral::CUT;

/// Collects the ranked text.
#[derive(Debug, Default)]
pub(super) struct Writer {
    done: String,
    /// The line at work, with [`CUT`] where something was taken out.
    line: String,
}

impl Writer {
    /// Starts a new line.
    pub(super) fn begin(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.line(&line);
    }

    /// Goes on with text.
    pub(super) fn text(&mut self, text: impl AsRef<str>) {
        self.line.push_str(text.as_ref());
    }

    /// Something was taken out here.
    pub(super) fn cut(&mut self) {
        self.line.push(CUT);
    }

    /// A row of the document ends; the line goes on.
    pub(super) fn end_of_row(&mut self) {
        self.line.push(' ');
    }

    /// Adds a whole line, tidied.
    pub(super) fn line(&mut self, line: &str) {
        let tidy = tidy(line);
        if tidy.chars().any(char::is_alphanumeric) {
            if !self.done.is_empty() {
                self.done.push('\n');
            }
            self.done.push_str(&tidy);
        }
    }

    /// The whole text.
    pub(super) fn finish(mut self) -> String {
        self.begin();
        self.done
    }
}

/// Punctuation that goes with what it belonged to.
const SOFT: &str = ".,;:!?'’\"()[]{}|/\\-–—•·*_~<>«»“”،؛&@";

/// One space for any run of spaces; a run of spaces and punctuation around a cut becomes one space as a whole, together
/// with a possessive `s` behind it.
fn tidy(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while !rest.is_empty() {
        let run_end = rest.find(|c: char| !is_loose(c)).unwrap_or(rest.len());
        let (run, behind) = rest.split_at_checked(run_end).unwrap_or((rest, ""));
        let mut behind = behind;
        if run.contains(CUT) {
            if run.ends_with(['\'', '’']) {
                behind = without_possessive(behind);
                // What follows a possessive may be loose again.
                push_space(&mut out);
                rest = behind;
                continue;
            }
            push_space(&mut out);
        } else {
            push_plain(run, &mut out);
        }
        let word_end = behind.find(is_loose).unwrap_or(behind.len());
        let (word, next) = behind.split_at_checked(word_end).unwrap_or((behind, ""));
        out.push_str(word);
        rest = next;
    }
    let kept = out.trim().trim_start_matches([',', ';', ':', '|', '•', '·', '–', '—', ')']).trim_start();
    kept.to_owned()
}

fn is_loose(c: char) -> bool {
    c == CUT || c.is_whitespace() || SOFT.contains(c)
}

fn without_possessive(text: &str) -> &str {
    match text.strip_prefix(['s', 'S']) {
        Some(rest) if !rest.starts_with(char::is_alphanumeric) => rest,
        _ => text,
    }
}

fn push_space(out: &mut String) {
    if !out.ends_with(' ') && !out.is_empty() {
        out.push(' ');
    }
}

fn push_plain(run: &str, out: &mut String) {
    for c in run.chars() {
        if c.is_whitespace() {
            push_space(out);
        } else {
            out.push(c);
        }
    }
}
