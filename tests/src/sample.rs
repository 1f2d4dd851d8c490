//! The sample and what a sane reader thinks of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use crate::paths;

/// For each job's file, the résumés' files with their relevance (3 = best, 0 = a near miss), best first.
///
/// # Panics
/// When `qrels` is not in TREC's form.
#[must_use]
pub fn qrels() -> BTreeMap<String, Vec<(String, u32)>> {
    let text =
        fs::read_to_string(paths::repository().join("tests/data/sample/qrels")).expect("qrels is there");
    let mut jobs: BTreeMap<String, Vec<(String, u32)>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [job, _, resume, relevance] = fields[..] else { panic!("not a line of qrels: {line}") };
        let relevance = relevance.parse().unwrap_or_else(|_| panic!("not a relevance: {line}"));
        jobs.entry(job.to_owned()).or_default().push((resume.to_owned(), relevance));
    }
    for judged in jobs.values_mut() {
        judged.sort_by_key(|(_, relevance)| std::cmp::Reverse(*relevance));
    }
    jobs
}

/// The files of a folder, in order of their names.
///
/// # Panics
/// When the folder cannot be read.
#[must_use]
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("cannot read {}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("entries can be read").path()).collect();
    files.sort();
    files
}

/// A file's name as text.
///
/// # Panics
/// When the path has none.
#[must_use]
pub fn name(path: &Path) -> String {
    path.file_name().expect("a file has a name").to_string_lossy().into_owned()
}

/// So many résumés that nobody wrote: each is put together from lines of the sample's own, with a head and tail that make
/// it the only one of its kind. The same number always gives the same texts.
///
/// # Panics
/// When the sample cannot be read.
#[must_use]
pub fn generated(count: usize) -> Vec<String> {
    let texts = files(&paths::sample_resumes());
    let texts =
        texts.iter().filter(|path| path.extension().is_some_and(|kind| kind == "md" || kind == "txt"));
    // Some are not in UTF-8, on purpose.
    let texts = texts.filter_map(|path| fs::read_to_string(path).ok());
    let lines: Vec<String> = texts
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| line.split_whitespace().count() > 4 && !line.contains('@'))
        .collect();
    let mut random = StdRng::seed_from_u64(count as u64);
    let one = |number: usize| {
        let chosen: Vec<&str> =
            lines.choose_multiple(&mut random, GENERATED_LINES).map(String::as_str).collect();
        format!("Person {number}\nApplicant {number}\n\nExperience\n{}\n\nFile {number}\n", chosen.join("\n"))
    };
    (0..count).map(one).collect()
}

/// Lines of a generated résumé: about 2,500 characters.
const GENERATED_LINES: usize = 28;

/// Copies the files of a folder into another, last name first, so that neither order nor times are those of the source.
///
/// # Panics
/// When they cannot be copied.
pub fn copy_backwards(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for path in files(from).iter().rev() {
        // Written anew: a copy would keep the permissions, and on some systems the times.
        let bytes = fs::read(path).expect("the sample can be read");
        fs::write(to.join(name(path)), bytes).expect("a copy can be written");
    }
}
