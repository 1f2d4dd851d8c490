//! What dashboards and alerts ask for is what nodes export.

use std::collections::BTreeSet;

use super::{read, rust_files};
use tandem_tests::paths;

const FILES: [&str; 2] = ["deploy/observability/dashboard.json", "deploy/observability/alerts.yaml"];

/// The words of a text that begin like our metrics.
fn metrics(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("tandem_")).map(str::to_owned).collect()
}

#[test]
fn dashboards_and_alerts_ask_for_metrics_that_exist() {
    let exported: BTreeSet<String> = rust_files()
        .iter()
        .filter(|file| file.path.ends_with("/metrics.rs"))
        .flat_map(|f| metrics(&f.text))
        .collect();
    assert!(exported.len() > 30, "{exported:?}");
    for file in FILES {
        let asked = metrics(&read(&paths::repository().join(file)));
        assert!(asked.len() > 10, "{file} asks for {asked:?}");
        // The series of a histogram have names of their own.
        let base = |name: &str| {
            let ends = ["_bucket", "_sum", "_count"];
            ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned()
        };
        let exports = |name: &String| exported.contains(name) || exported.contains(&base(name));
        let unknown: Vec<&String> = asked.iter().filter(|name| !exports(name)).collect();
        assert!(unknown.is_empty(), "{file} asks for what no node exports: {unknown:?}");
    }
}
