//! Where things lie, and whether they are there.

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The root of the repository.
///
/// # Panics
/// Never in a checkout.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies in the repository").to_owned()
}

/// The program under test: `tandem` in the same build folder as this test.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn tandem() -> PathBuf {
    let own = env::current_exe().expect("a process has a file");
    // Tests lie in `release/deps`, programs in `release`.
    let program = own.ancestors().nth(2).expect("a test lies in a build folder").join("tandem");
    assert!(
        program.is_file(),
        "{} is not there: run `cargo build --release` before the tests (`make test` does)",
        program.display()
    );
    program
}

/// The sample's job postings.
#[must_use]
pub fn sample_jobs() -> PathBuf {
    repository().join("tests/data/sample/jobs")
}

/// The sample's résumés.
#[must_use]
pub fn sample_resumes() -> PathBuf {
    repository().join("tests/data/sample/resumes")
}

/// Whether the sentence model is on this machine. Where it is not, says loudly that `test` is skipped; with
/// `TANDEM_REQUIRE_MODEL=1` that is a failure.
///
/// # Panics
/// When the model is required and missing.
#[must_use]
pub fn has_model(test: &str) -> bool {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    let folder = set("TANDEM_MODEL_DIR").or_else(|| Some(cache()?.join("tandem/models/all-MiniLM-L6-v2")));
    if folder.is_some_and(|folder| folder.join("model.safetensors").is_file()) {
        return true;
    }
    let required = env::var("TANDEM_REQUIRE_MODEL").is_ok_and(|value| value == "1");
    assert!(!required, "{test}: TANDEM_REQUIRE_MODEL=1, but there is no sentence model: run deploy/model.sh");
    // Written past the capture of test output, so that it is seen when everything is well.
    let line = format!("\nSKIPPED {test}: there is no sentence model on this machine; run deploy/model.sh\n");
    std::io::stderr().write_all(line.as_bytes()).expect("standard error takes text");
    false
}
