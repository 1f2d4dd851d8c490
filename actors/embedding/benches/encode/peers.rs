//! Other engines on the same texts.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::Row;

/// What engines in Python need per text, and the vector that ONNX Runtime gives for the first; None without their
/// environment.
pub(crate) fn python(dir: &Path, folder: &Path, sets: &[Vec<String>; 2]) -> Option<(Vec<Row>, Vec<f32>)> {
    let python = folder.join("peers/bin/python");
    let (texts, result) = (folder.join("texts.json"), folder.join("peers.json"));
    fs::write(&texts, serde_json::to_string(sets).unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/encode/peers.py");
    let mut command = Command::new(python);
    let done = command.env("OMP_NUM_THREADS", "1").arg(script).arg(dir).arg(texts).arg(&result).status();
    if !done.is_ok_and(|status| status.success()) {
        println!("SKIPPED: ONNX Runtime is not compared; benches/encode/peers.sh brings it");
        return None;
    }
    let answer: Value = serde_json::from_slice(&fs::read(result).unwrap()).unwrap();
    let names = [
        ("f32", "ONNX Runtime f32", "f32"),
        ("int8", "ONNX Runtime int8", "int8"),
        ("sentence-transformers", "sentence-transformers", "f32"),
    ];
    let rows = names.iter().filter_map(|(engine, name, kind)| row(&answer["engines"][engine], name, kind));
    let rows: Vec<Row> = rows.collect();
    if rows.len() < names.len() {
        println!(
            "SKIPPED: sentence-transformers is not compared; TANDEM_BENCH_TORCH=1 has peers.sh bring it (5 GB)"
        );
    }
    let first = serde_json::from_value(answer["engines"]["f32"][0]["first"].clone()).unwrap();
    Some((rows, first))
}

/// rust-bert, as its own bench left it; None without that.
pub(crate) fn rust_bert(folder: &Path) -> Option<Row> {
    let read = fs::read(folder.join("rust-bert.json")).ok();
    let answer: Option<Value> = read.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let row = answer.and_then(|answer| row(&answer["engines"]["rust-bert"], "rust-bert", "f32"));
    if row.is_none() {
        println!("SKIPPED: rust-bert is not compared; its own bench leaves target/bench/rust-bert.json");
    }
    row
}

fn row(sets: &Value, name: &str, kind: &'static str) -> Option<Row> {
    let seconds = |set: usize| sets[set]["seconds"].as_f64();
    Some(Row { name: name.to_owned(), kind, cpu: None, seconds: [seconds(0)?, seconds(1)?] })
}
