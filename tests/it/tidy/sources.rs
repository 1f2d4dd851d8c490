//! What no source file may hold.

use super::{SourceFile, read, repository_files, rust_files};
use tandem_tests::paths;

/// The most lines of a file.
const MAX_LINES: usize = 500;
/// Where `unsafe` may be allowed: kernels for one instruction set.
const UNSAFE_ALLOWED: [&str; 2] = ["actors/embedding/src/simd", "actors/matching/src/simd"];
/// Where tasks may be spawned: what is spawned elsewhere is lost without a trace. The edge holds its connections in a set
/// of its own and joins each of them.
const SPAWN_ALLOWED: [&str; 3] = ["actors/runtime/src/", "node/server/src/", "http-edge/src/serve.rs"];

/// Whether a file is compiled for tests only.
fn is_test(path: &str) -> bool {
    let parts = || path.split('/');
    let of_tests = |part: &str| matches!(part, "tests" | "benches" | "testsuite" | "testing");
    let stem = path.rsplit('/').next().and_then(|name| name.strip_suffix(".rs")).unwrap_or_default();
    parts().any(of_tests) || of_tests(stem) || stem.ends_with("_tests") || stem.ends_with("test_kit")
}

/// Lines of code with their numbers: without comments.
fn code(file: &SourceFile) -> impl Iterator<Item = (usize, &str)> {
    let lines = file.text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    lines.filter(|(_, line)| !line.starts_with("//"))
}

/// Complaints about lines outside of tests that hold one of `words`.
fn lines_with<'a>(words: &'a [String], allowed: &'a [&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in rust_files() {
        if is_test(&file.path) || allowed.iter().any(|prefix| file.path.starts_with(prefix)) {
            continue;
        }
        for (number, line) in code(&file) {
            if words.iter().any(|word| line.contains(word.as_str())) {
                found.push(format!("{}:{number}: {line}", file.path));
            }
        }
    }
    found
}

/// Words are put together here, so that this file does not hold them.
fn words<const N: usize>(halves: [(&str, &str); N]) -> Vec<String> {
    halves.iter().map(|(a, b)| format!("{a}{b}")).collect()
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<String> = rust_files()
        .iter()
        .filter(|file| file.text.lines().count() > MAX_LINES)
        .map(|file| format!("{}: {} lines", file.path, file.text.lines().count()))
        .collect();
    assert!(long.is_empty(), "more than {MAX_LINES} lines:\n{}", long.join("\n"));
}

#[test]
fn no_module_is_a_mod_rs() {
    let old: Vec<String> = repository_files().into_iter().filter(|path| path.ends_with("/mod.rs")).collect();
    assert!(old.is_empty(), "{old:?}");
}

#[test]
fn unsafe_is_allowed_nowhere_but_in_kernels() {
    let allows = words([("allow(unsafe", "_code"), ("expect(unsafe", "_code"), ("warn(unsafe", "_code")]);
    let found = lines_with(&allows, &UNSAFE_ALLOWED);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn nothing_outside_of_tests_unwraps() {
    let mut found = lines_with(&words([(".unw", "rap()")]), &[]);
    // In a constant it is the compiler that panics.
    found.retain(|line| !line.contains(": const ") && !line.contains(" const "));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn nothing_is_left_unfinished() {
    let found =
        lines_with(&words([("todo", "!("), ("unimplemented", "!("), ("dbg", "!("), ("FIX", "ME")]), &[]);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn invariant_2_tasks_are_spawned_only_where_they_are_supervised() {
    let spawns =
        words([("tokio::sp", "awn("), ("task::sp", "awn("), ("spawn_", "local("), ("JoinSet::", "new(")]);
    let found = lines_with(&spawns, &SPAWN_ALLOWED);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn invariant_5_nothing_is_unbounded() {
    let channels = words([
        ("unbounded_", "channel"),
        ("mpsc::unb", "ounded"),
        ("std::sync::mpsc::", "channel"),
        ("mpsc::channel", "()"),
        ("channel::unb", "ounded"),
    ]);
    let found = lines_with(&channels, &[]);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn time_comes_from_the_clock() {
    let reads =
        words([("SystemTime::", "now"), ("std::time::Instant::", "now"), ("OffsetDateTime::", "now")]);
    let found = lines_with(&reads, &["node/server/src/clock.rs", "actors/runtime/src/"]);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_file_names_a_folder_of_somebodys_machine() {
    let folders =
        words([("/ro", "ot/"), ("/ho", "me/"), ("/Us", "ers/"), ("/wo", "rk/main"), ("C:\\Us", "ers")]);
    let root = paths::repository();
    let mut found = Vec::new();
    for path in repository_files() {
        let kept_text =
            [".rs", ".toml", ".md", ".sh", ".yml", ".yaml", ".json", ".py", "Makefile", ".ci/run"];
        if !kept_text.iter().any(|end| path.ends_with(end)) {
            continue;
        }
        for (number, line) in read(&root.join(&path)).lines().enumerate() {
            if folders.iter().any(|folder| line.contains(folder.as_str())) {
                found.push(format!("{path}:{}: {line}", number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
