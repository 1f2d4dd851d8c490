use super::*;

mod docx;
mod hostile;
mod html;
mod pdf;
mod samples;
mod text;

/// Reads a document that must be readable.
fn read(bytes: &[u8], name: &str) -> Extracted {
    extract(bytes, name, &Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The lines of a document, tabs shown as ` | `.
fn lines(bytes: &[u8], name: &str) -> Vec<String> {
    read(bytes, name).lines.iter().map(|line| line.text.replace('\t', " | ")).collect()
}

fn has(extracted: &Extracted, kind: tandem_domain::finding::FindingKind) -> bool {
    extracted.findings.iter().any(|finding| finding.kind == kind)
}
