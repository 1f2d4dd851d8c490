//! The README stays true.

use std::collections::BTreeSet;

use tandem_tests::{cli, paths};

use super::read;

/// Words of the README that stand in backticks or in blocks of commands.
fn commands(readme: &str) -> Vec<String> {
    let mut commands: Vec<String> = readme.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let mut inside = false;
    for line in readme.lines() {
        if line.starts_with("```") {
            inside = !inside && line.starts_with("```sh");
        } else if inside {
            commands.push(line.to_owned());
        }
    }
    commands
}

#[test]
fn every_make_target_that_it_names_exists() {
    let root = paths::repository();
    let makefile = read(&root.join("Makefile"));
    let targets: BTreeSet<&str> =
        makefile.lines().filter_map(|line| line.split_once(':').map(|(target, _)| target)).collect();
    let mut named = 0;
    for command in commands(&read(&root.join("README.md"))) {
        let Some(target) = command.trim().strip_prefix("make ") else { continue };
        let target = target.split_whitespace().next().unwrap();
        assert!(targets.contains(target), "README: `make {target}`, but the Makefile has no such target");
        named += 1;
    }
    assert!(named >= 2, "the README names the two commands to begin with");
}

#[test]
fn every_path_that_it_names_exists() {
    let root = paths::repository();
    let readme = read(&root.join("README.md"));
    let rooms = ["actors/", "node/", "http-edge/", "config/", "deploy/", "tests/", ".ci/"];
    for command in commands(&readme) {
        for word in command.split_whitespace() {
            let word = word.trim_start_matches("file=@").trim_end_matches([',', ';', '.']);
            if rooms.iter().any(|room| word.starts_with(room)) {
                assert!(root.join(word).exists(), "README: `{word}` does not exist");
            }
        }
    }
    assert!(!readme.contains("@@"), "the README has a gap");
}

#[test]
fn every_command_of_tandem_that_it_names_is_one() {
    for command in commands(&read(&paths::repository().join("README.md"))) {
        let program = command.trim().trim_start_matches("target/release/");
        let Some(arguments) = program.strip_prefix("tandem ") else { continue };
        let mut words = arguments.split_whitespace();
        let Some(name) = words.next().filter(|word| word.chars().all(|c| c.is_ascii_lowercase())) else {
            continue;
        };
        let help = cli::run([name, "--help"]).expect_success().stdout;
        for option in words.filter(|word| word.starts_with("--")) {
            assert!(help.contains(option), "README: `tandem {name}` knows no {option}");
        }
    }
}
