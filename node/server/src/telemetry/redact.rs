//! The last net under personal data: whatever a log line says, addresses, numbers and secrets of people leave it before
//! it is written.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::LazyLock;

use regex::{Captures, Regex};
use tracing_subscriber::fmt::MakeWriter;

#[cfg(test)]
mod tests;

/// What is replaced, by what. The first that matches wins, so what contains another stands before it.
const KINDS: [(&str, &str, &str); 6] = [
    ("login", r"://[^/\s:@]{0,128}:[^/\s@]{1,256}@", "://[login]@"),
    ("bearer", r"(?i:bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}", "[token]"),
    ("jwt", r"eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*", "[token]"),
    ("key", r"tdm_[A-Za-z0-9_-]{8,}", "[token]"),
    ("email", r"[\p{L}\p{N}._%+'-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63})+", "[email]"),
    // With a country's code, with an area code in the American form, or with a trunk prefix. Digits alone may be a count.
    (
        "phone",
        r"\+\d[\d ()./-]{6,18}\d|\(\d{3}\) ?\d{3}[ .-]\d{4}\b|\b\d{3}[ .-]\d{3}[ .-]\d{4}\b|\b0\d{2,4}[ /-]\d{3,}[ -]?\d{2,}\b",
        "[phone]",
    ),
];

/// The kinds that hold an `@`.
const WITH_AT: [&str; 2] = ["login", "email"];

static ANY: LazyLock<Regex> = LazyLock::new(|| any_of(|_| true));
/// For lines without an `@`, which is most of them: the kinds that hold one count far, and looking for them costs more
/// than all else that a request does.
static WITHOUT_AT: LazyLock<Regex> = LazyLock::new(|| any_of(|name| !WITH_AT.contains(&name)));

#[expect(clippy::expect_used, reason = "a pattern that does not compile fails every test")]
fn any_of(wanted: impl Fn(&str) -> bool) -> Regex {
    let kinds = KINDS.iter().filter(|(name, ..)| wanted(name));
    let all: Vec<String> = kinds.map(|(name, pattern, _)| format!("(?P<{name}>{pattern})")).collect();
    Regex::new(&all.join("|")).expect("the patterns are valid")
}

/// A line without e-mail addresses, telephone numbers, tokens, API keys and the logins of URLs.
pub(crate) fn redact(line: &str) -> Cow<'_, str> {
    let replacement = |found: &Captures<'_>| {
        let kind = KINDS.iter().find(|(name, ..)| found.name(name).is_some());
        kind.map_or("", |(.., instead)| *instead)
    };
    let pattern = if line.contains('@') { &ANY } else { &WITHOUT_AT };
    pattern.replace_all(line, replacement)
}

/// Makes writers that redact what they are given, which is a whole event at a time.
pub(crate) struct Redacting<M>(pub(crate) M);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Redacting<M> {
    type Writer = RedactingWriter<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        RedactingWriter(self.0.make_writer())
    }
}

/// Redacts what is written through it.
pub(crate) struct RedactingWriter<W>(W);

impl<W: Write> Write for RedactingWriter<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.0.write_all(redact(&String::from_utf8_lossy(event)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
