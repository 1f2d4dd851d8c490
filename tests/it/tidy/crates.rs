//! Crates and their dependencies, as `cargo metadata` tells them.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{Metadata, MetadataCommand, Package};
use tandem_tests::paths;

/// A vendor's crates (a name, or the beginning of names where it ends with `*`) and the one crate that may use them.
const HOMES: [(&str, &str); 13] = [
    ("ractor*", "tandem-runtime"),
    ("lapin", "tandem-queue-rabbitmq"),
    ("scylla*", "tandem-store-scylla"),
    ("rusqlite", "tandem-store-embedded"),
    ("tantivy*", "tandem-index-tantivy"),
    ("object_store", "tandem-objects"),
    ("rust-bert", "tandem-embed-rust-bert"),
    ("tch", "tandem-embed-rust-bert"),
    ("axum*", "tandem-http-edge"),
    ("utoipa*", "tandem-http-edge"),
    ("tower*", "tandem-http-edge"),
    ("governor", "tandem-http-edge"),
    ("clap", "tandem-server"),
];

/// What stages may see of the house. A stage never sees another.
const STAGE: &[&str] = &["domain", "ports", "messages", "runtime"];
/// What adapters may see of the house.
const ADAPTER: &[&str] = &["domain", "ports"];
/// Which crates of the house each one may see, without the prefix.
const DIRECTION: [(&str, &[&str]); 17] = [
    ("domain", &[]),
    ("ports", &["domain"]),
    ("messages", &["domain"]),
    ("config", &["domain"]),
    ("runtime", &["domain", "ports"]),
    ("ingestion", STAGE),
    ("parsing", STAGE),
    ("embedding", STAGE),
    ("matching", STAGE),
    ("quota", STAGE),
    ("store-embedded", ADAPTER),
    ("store-scylla", ADAPTER),
    // Its sessions run beside the actors, and only the kit may start what runs.
    ("queue-rabbitmq", &["domain", "ports", "runtime"]),
    ("index-tantivy", ADAPTER),
    ("objects", ADAPTER),
    // Its texts are read, batched and named as those of the native engine are.
    ("embed-rust-bert", &["domain", "ports", "embedding"]),
    ("http-edge", &["domain", "messages", "config"]),
];
/// Crates that see everything.
const SEE_ALL: [&str; 2] = ["server", "tests"];

fn metadata() -> Metadata {
    let manifest = paths::repository().join("Cargo.toml");
    let mut command = MetadataCommand::new();
    command.manifest_path(manifest).no_deps().other_options(["--offline".to_owned()]);
    command.exec().expect("cargo knows the workspace")
}

fn short(package: &Package) -> String {
    let name = package.name.to_string();
    name.strip_prefix("tandem-").unwrap_or_else(|| panic!("{name} does not begin with tandem-")).to_owned()
}

#[test]
fn invariant_1_each_vendor_has_one_home() {
    let is_of = |vendor: &str, name: &str| match vendor.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == vendor,
    };
    let mut strangers = Vec::new();
    for package in &metadata().packages {
        for dependency in &package.dependencies {
            for (vendor, home) in HOMES {
                if is_of(vendor, &dependency.name) && package.name.as_str() != home {
                    strangers
                        .push(format!("{} uses {}, whose home is {home}", package.name, dependency.name));
                }
            }
        }
    }
    assert!(strangers.is_empty(), "{}", strangers.join("\n"));
}

#[test]
fn crates_see_only_what_lies_below_them() {
    let allowed: BTreeMap<&str, &[&str]> = DIRECTION.into_iter().collect();
    let mut wrong = Vec::new();
    for package in &metadata().packages {
        let own = short(package);
        if SEE_ALL.contains(&own.as_str()) {
            continue;
        }
        let Some(may) = allowed.get(own.as_str()) else { panic!("tandem-{own} has no place in the table") };
        for dependency in &package.dependencies {
            let Some(other) = dependency.name.strip_prefix("tandem-") else { continue };
            if other != own && !may.contains(&other) {
                wrong.push(format!("tandem-{own} sees tandem-{other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_domain_knows_no_runtime_no_clock_and_no_chance() {
    let packages = metadata().packages;
    let domain = packages.iter().find(|package| package.name.as_str() == "tandem-domain").unwrap();
    let normal = domain.dependencies.iter().filter(|d| d.kind == cargo_metadata::DependencyKind::Normal);
    let foreign: Vec<&str> = normal
        .map(|dependency| dependency.name.as_str())
        .filter(|name| ["tokio", "rand", "chrono", "time", "tracing", "futures"].contains(name))
        .collect();
    assert!(foreign.is_empty(), "tandem-domain uses {foreign:?}");
}

#[test]
fn a_crate_is_called_like_its_folder_one_level_below_its_room() {
    let root = paths::repository();
    for package in &metadata().packages {
        let folder = package.manifest_path.parent().unwrap().as_std_path();
        let place = folder.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        let own = short(package);
        let places = [own.clone(), format!("actors/{own}"), format!("node/{own}")];
        assert!(places.contains(&place), "{} lies in {place}", package.name);
    }
}

#[test]
fn every_library_begins_with_its_reason_to_exist() {
    for package in &metadata().packages {
        let libraries = package.targets.iter().filter(|target| target.is_lib());
        for library in libraries {
            let text = super::read(&library.src_path.clone().into_std_path_buf());
            let first = text.lines().next().unwrap_or_default();
            assert!(first.starts_with("//! ") && first.len() > 20, "{} begins with {first:?}", package.name);
        }
    }
}

#[test]
fn the_top_level_is_the_owners() {
    let files = super::repository_files();
    let top: BTreeSet<&str> = files.iter().map(|path| path.split('/').next().unwrap_or(path)).collect();
    let shown: Vec<&str> = top.iter().copied().filter(|name| !name.starts_with('.')).collect();
    let expected = [
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "Makefile",
        "README.md",
        "actors",
        "config",
        "deploy",
        "http-edge",
        "node",
        "tests",
    ];
    assert_eq!(shown, expected);
    let hidden: Vec<&str> = top.iter().copied().filter(|name| name.starts_with('.')).collect();
    let for_tools =
        [".ci", ".clippy.toml", ".deny.toml", ".dockerignore", ".gitignore", ".rustfmt.toml", ".typos.toml"];
    let unknown: Vec<&&str> = hidden.iter().filter(|name| !for_tools.contains(name)).collect();
    assert!(unknown.is_empty(), "nobody knows what these are for: {unknown:?}");
}
