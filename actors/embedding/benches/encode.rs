//! CPU time per text of the encoder, in each precision on each instruction set of this processor, and of ONNX Runtime
//! beside it; needs the model of deploy/model.sh, and for ONNX Runtime benches/peers.sh.
//!
//! `make bench-embed` prints a table and writes target/bench/embed.json.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench reports to a person and may stop at any failure"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tandem_embedding::{Cpu, Encoder, EncoderOptions, ModelFiles, Precision, Scratch};

const TEXTS: usize = 512;
const ROUNDS: usize = 2;
/// The portable path is there to be right, not fast: it gets fewer texts.
const PORTABLE_TEXTS: usize = 2;
/// What one model in int8 may occupy beyond the idle process.
const MOST_MIB: f64 = 60.0;

/// Nanoseconds on a processor of all threads of this process that still live (Linux, schedstats).
fn cpu_nanos() -> u64 {
    let of = |stat: String| stat.split(' ').next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or(0);
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    tasks.filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok()).map(of).sum()
}

/// What the process occupies, in MiB.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().find_map(|word| word.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// Text `n` with about this many word pieces.
fn text(n: usize, pieces: usize) -> String {
    let verbs = ["Led", "Built", "Migrated", "Reduced", "Trained", "Designed", "Automated", "Audited"];
    let things =
        ["the billing platform", "a team of eight nurses", "night shift handovers", "the reporting pipeline"];
    let ends = ["cutting costs by 23%", "within six months", "with zero downtime", "across three sites"];
    let sentence = |n: usize| {
        let (verb, thing, end) = (verbs[n % 8], things[n / 3 % 4], ends[n / 5 % 4]);
        format!("{verb} {thing} at Northwind Ledger, {end}.")
    };
    let text = (0..20).map(|m| sentence(n * 7 + m)).collect::<Vec<_>>().join(" ");
    // A word of these sentences has 1.25 pieces.
    text.split(' ').take(pieces * 4 / 5).collect::<Vec<_>>().join(" ")
}

fn sets() -> [Vec<String>; 2] {
    [(0..TEXTS).map(|n| text(n, 20 + n * 97 % 231)).collect(), (0..TEXTS).map(|n| text(n, 108)).collect()]
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// One line of the table: seconds per text of each set.
struct Row {
    name: String,
    seconds: [f64; 2],
}

fn measure(dir: &Path, precision: Precision, cpu: Cpu, sets: &[Vec<String>; 2]) -> Row {
    let options = EncoderOptions { precision, cpu: Some(cpu), ..EncoderOptions::new(dir) };
    let encoder = Encoder::load(&options).unwrap();
    let mut scratch = Scratch::new();
    let count = if cpu == Cpu::Portable { PORTABLE_TEXTS } else { TEXTS };
    let seconds = [0, 1].map(|set| {
        let texts = &sets[set][..count];
        let round = |_| {
            let start = cpu_nanos();
            // As the embed stage does: a few at a time.
            for few in texts.chunks(8) {
                encoder.encode_pack(few, &mut scratch).unwrap();
            }
            (cpu_nanos() - start) as f64 / 1e9 / count as f64
        };
        (0..if cpu == Cpu::Portable { 1 } else { ROUNDS }).map(round).fold(f64::MAX, f64::min)
    });
    Row { name: format!("tandem {precision} {cpu}"), seconds }
}

/// ONNX Runtime on the same texts; None without its environment.
fn peers(dir: &Path, folder: &Path, sets: &[Vec<String>; 2]) -> Option<(Vec<Row>, Value)> {
    let python = folder.join("peers/bin/python");
    let (texts, result) = (folder.join("texts.json"), folder.join("peers.json"));
    fs::write(&texts, serde_json::to_string(sets).unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers.py");
    let mut command = Command::new(python);
    let done = command.env("OMP_NUM_THREADS", "1").arg(script).arg(dir).arg(texts).arg(&result).status();
    if !done.is_ok_and(|status| status.success()) {
        return None;
    }
    let answer: Value = serde_json::from_slice(&fs::read(result).unwrap()).unwrap();
    let row = |engine: &str| {
        let seconds = [0, 1].map(|set| answer["engines"][engine][set]["seconds"].as_f64().unwrap());
        Row { name: format!("ONNX Runtime {engine}"), seconds }
    };
    Some((vec![row("f32"), row("int8")], answer))
}

/// Mean and least cosine of int8 to f32 over the texts.
fn fidelity(small: &Encoder, full: &Encoder, sets: &[Vec<String>; 2]) -> (f64, f64) {
    let texts: Vec<&String> = sets.iter().flatten().take(1_000).collect();
    let mut scratch = Scratch::new();
    let [small, full] = [small, full].map(|encoder| encoder.encode_pack(&texts, &mut scratch).unwrap());
    let cosines: Vec<f64> = small.iter().zip(&full).map(|(a, b)| cosine(a, b)).collect();
    (cosines.iter().sum::<f64>() / cosines.len() as f64, cosines.iter().copied().fold(1.0, f64::min))
}

fn main() {
    let Some(dir) = ModelFiles::default_dir().filter(|dir| dir.is_dir()) else {
        println!("SKIPPED: there is no sentence model on this machine; run deploy/model.sh");
        return;
    };
    let sets = sets();
    let idle = resident();
    let small = Encoder::load(&EncoderOptions::new(&dir)).unwrap();
    small.encode_pack(&sets[0][..16], &mut Scratch::new()).unwrap();
    let occupied = resident() - idle;
    let tokenizing = cpu_nanos();
    sets[1].iter().for_each(|text| assert!(small.tokenizer().count(text).unwrap() > 0));
    let tokenizing = (cpu_nanos() - tokenizing) as f64 / 1e9 / TEXTS as f64;
    let full =
        Encoder::load(&EncoderOptions { precision: Precision::F32, ..EncoderOptions::new(&dir) }).unwrap();
    let (mean, least) = fidelity(&small, &full, &sets);

    let mut rows = Vec::new();
    for precision in [Precision::Int8, Precision::F32] {
        rows.extend(Cpu::available().into_iter().map(|cpu| measure(&dir, precision, cpu, &sets)));
    }
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench");
    fs::create_dir_all(&folder).unwrap();
    let peers = peers(&dir, &folder, &sets);
    let mut base = None;
    if let Some((others, answer)) = peers {
        let first: Vec<f32> = serde_json::from_value(answer["engines"]["f32"][0]["first"].clone()).unwrap();
        let ours = full.encode(&sets[0][0], &mut Scratch::new()).unwrap();
        assert!(cosine(&first, &ours) > 0.9999, "ONNX Runtime computes another model");
        base = Some([others[0].seconds, others[1].seconds]);
        rows.extend(others);
    } else {
        println!("ONNX Runtime is not compared: benches/peers.sh brings it");
    }
    print(&rows, base);
    println!("tokenizing (in the above) {:.3} ms a text", tokenizing * 1e3);
    println!("int8 to f32, 1,000 texts: cosine {mean:.5} on average, {least:.5} at least");
    println!("one int8 model occupies {occupied:.0} MiB");
    let runs: Vec<Value> =
        rows.iter().map(|row| json!({"engine": row.name, "seconds_per_text": row.seconds})).collect();
    let report = json!({
        "model": small.identity().id, "runs": runs, "tokenizing_seconds": tokenizing,
        "cosine": {"mean": mean, "least": least}, "resident_mib": occupied,
    });
    fs::write(folder.join("embed.json"), format!("{report:#}\n")).unwrap();
    assert!(mean >= 0.995 && least >= 0.985, "int8 is too far from f32");
    assert!(occupied <= MOST_MIB, "one model may occupy {MOST_MIB} MiB");
}

fn print(rows: &[Row], base: Option<[[f64; 2]; 2]>) {
    println!("{:<24} {:>30}   {:>30}", "one thread, CPU time", "20-250 word pieces", "about 110 word pieces");
    println!(
        "{:<24} {:>9} {:>8} {:>11}   {:>9} {:>8} {:>11}",
        "", "ms/text", "texts/s", "× ORT", "ms/text", "texts/s", "× ORT"
    );
    for row in rows {
        let peer = base.map(|[full, small]| if row.name.contains("int8") { small } else { full });
        let cells = [0, 1].map(|set| {
            let seconds = row.seconds[set];
            let ratio = peer.map_or("-".to_owned(), |peer| format!("{:.2}", peer[set] / seconds));
            format!("{:>9.2} {:>8.1} {ratio:>11}", seconds * 1e3, seconds.recip())
        });
        println!("{:<24} {}", row.name, cells.join("   "));
    }
}
