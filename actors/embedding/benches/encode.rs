//! Texts per CPU-second of the encoder, on 64 texts of about 110 word pieces; needs the model of deploy/model.sh.
//!
//! `cargo bench -p tandem-embedding --bench encode` prints a table and writes target/bench/encode.json.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench reports to a person and may stop at any failure"
)]

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use tandem_embedding::{Encoder, EncoderOptions, ModelFiles, Scratch};

const TEXTS: usize = 64;
const ROUNDS: usize = 5;

/// Nanoseconds on a processor of all threads of this process that still live (Linux, schedstats).
fn cpu_nanos() -> u64 {
    let of = |stat: String| stat.split(' ').next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or(0);
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    tasks.filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok()).map(of).sum()
}

/// A line such as "VmRSS:  90000 kB" of /proc/self/status, in MiB.
fn memory(key: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    line.split_whitespace().find_map(|word| word.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

fn texts() -> Vec<String> {
    let verbs = ["Led", "Built", "Migrated", "Reduced", "Trained", "Designed", "Automated", "Audited"];
    let things =
        ["the billing platform", "a team of eight nurses", "night shift handovers", "the reporting pipeline"];
    let ends = ["cutting costs by 23%", "within six months", "with zero downtime", "across three sites"];
    let sentence = |n: usize| {
        let (verb, thing, end) = (verbs[n % 8], things[n / 3 % 4], ends[n / 5 % 4]);
        format!("{verb} {thing} at Northwind Ledger, {end}.")
    };
    (0..TEXTS).map(|n| (0..7).map(|m| sentence(n * 7 + m)).collect::<Vec<_>>().join(" ")).collect()
}

fn main() {
    let Some(dir) = ModelFiles::default_dir().filter(|dir| dir.is_dir()) else {
        println!("SKIPPED: there is no sentence model on this machine; run deploy/model.sh");
        return;
    };
    let before = (cpu_nanos(), memory("VmRSS:"));
    let encoder = Encoder::load(&EncoderOptions::new(dir)).unwrap();
    let load_seconds = (cpu_nanos() - before.0) as f64 / 1e9;
    let (resident, peak) = (memory("VmRSS:"), memory("VmHWM:"));

    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let pieces: usize = texts.iter().map(|text| encoder.tokenizer().count(text).unwrap()).sum();
    let pieces = pieces as f64 / TEXTS as f64;
    let mut rows = Vec::new();
    for threads in [1, 2] {
        let mut workers = Scratch::many(NonZeroUsize::new(threads).unwrap()).unwrap();
        encoder.encode_batch(&texts[..threads * 2], &mut workers).unwrap();
        let mut best = f64::MAX;
        for _ in 0..ROUNDS {
            let start = cpu_nanos();
            encoder.encode_batch(&texts, &mut workers).unwrap();
            best = best.min((cpu_nanos() - start) as f64 / 1e9 / TEXTS as f64);
        }
        rows.push((threads, best));
    }

    println!("model    {}", encoder.identity().id);
    println!("load     {load_seconds:.2} s of CPU");
    println!(
        "memory   {:.0} MiB resident, {:.0} MiB before loading, {peak:.0} MiB at most",
        resident, before.1
    );
    println!("texts    {TEXTS} of {pieces:.0} word pieces on average; best of {ROUNDS} rounds");
    println!("threads  ms of CPU per text  texts per CPU-second");
    for (threads, seconds) in &rows {
        println!("{threads:>7}  {:>18.2}  {:>20.1}", seconds * 1e3, seconds.recip());
    }

    let threads = |(threads, seconds): &(usize, f64)| serde_json::json!({"threads": threads, "texts_per_cpu_second": seconds.recip()});
    let report = serde_json::json!({
        "model": encoder.identity().id,
        "texts": TEXTS,
        "word_pieces_per_text": pieces,
        "load_cpu_seconds": load_seconds,
        "resident_mib": resident,
        "peak_mib": peak,
        "runs": rows.iter().map(threads).collect::<Vec<_>>(),
    });
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("encode.json"), format!("{report:#}\n")).unwrap();
}
