//! CPU time per text of rust-bert and of the native engine in int8, in one run; needs the model of deploy/model.sh.
//!
//! On the texts of the bench `encode`, where it has left them in target/bench/texts.json, it also writes
//! target/bench/rust-bert.json, from which that bench takes the row. Fails where the native engine is not far ahead.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench reports to a person and may stop at any failure"
)]

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use tandem_domain::task::Urgency;
use tandem_embed_rust_bert::{Device, RustBertOptions, open};
use tandem_embedding::{BatchedEmbedder, Cpu, Encoder, EncoderOptions, ModelFiles};
use tandem_ports::Embedder;
use tokio::runtime::{Builder, Runtime};

/// Texts that are computed before the clock counts.
const WARM_UP: usize = 4;
/// Texts of each set where the other bench has left none.
const TEXTS: usize = 48;

/// CPU time of this process, in seconds; the kernel counts hundredths.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    // The name before the last parenthesis may hold spaces; user and system time are the 12th and 13th number behind it.
    let numbers = stat.rsplit(')').next().unwrap().split_whitespace().skip(11).take(2);
    numbers.map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench")
}

/// Two sets of texts: of 20 to 250 word pieces, and of about 110.
fn own() -> [Vec<String>; 2] {
    let words = "Led the migration of the billing platform for a team of eight nurses, cutting costs by 23% in a year";
    let text = |n: usize, pieces: usize| {
        words.split(' ').cycle().skip(n % 20).take(pieces * 9 / 10).collect::<Vec<_>>().join(" ")
    };
    [(0..TEXTS).map(|n| text(n, 20 + n * 97 % 231)).collect(), (0..TEXTS).map(|n| text(n, 108)).collect()]
}

/// CPU seconds per text.
fn measure(runtime: &Runtime, embedder: &BatchedEmbedder, texts: &[String]) -> f64 {
    let embed =
        |texts: &[String]| runtime.block_on(embedder.embed(texts.to_vec(), Urgency::Bulk)).unwrap().len();
    embed(&texts[..WARM_UP.min(texts.len())]);
    let start = cpu_seconds();
    assert_eq!(embed(texts), texts.len());
    (cpu_seconds() - start) / texts.len() as f64
}

fn main() {
    let (dir, threads) = (ModelFiles::default_dir().unwrap(), NonZeroUsize::MIN);
    let given = fs::read(folder().join("texts.json"));
    let sets = given.as_ref().map_or_else(|_| own(), |text| serde_json::from_slice(text).unwrap());
    let runtime = Builder::new_current_thread().build().unwrap();
    let encoder = Arc::new(Encoder::load(&EncoderOptions::new(&dir)).unwrap());
    let cpu = encoder.cpu();
    let native = BatchedEmbedder::new(encoder, threads);
    let rust_bert = open(&RustBertOptions { dir, max_tokens: 256, device: Device::Cpu, threads }).unwrap();
    let rows = [("native int8", &native), ("rust-bert", &rust_bert)].map(|(name, embedder)| {
        let seconds = sets.each_ref().map(|texts| measure(&runtime, embedder, texts));
        println!(
            "{name:12} {:7.1} texts per CPU-second mixed, {:7.1} of about 110 word pieces",
            1.0 / seconds[0],
            1.0 / seconds[1]
        );
        seconds
    });
    if given.is_ok() {
        let row = rows[1].map(|seconds| json!({ "seconds": seconds }));
        fs::write(folder().join("rust-bert.json"), json!({ "engines": { "rust-bert": row } }).to_string())
            .unwrap();
    }
    let times = [0, 1].map(|set| rows[1][set] / rows[0][set]);
    println!("native int8 on {cpu} is {:.1} and {:.1} times as fast", times[0], times[1]);
    let least = match cpu {
        Cpu::Amx => 10.0,
        Cpu::Avx512 | Cpu::Avx2 => 2.0,
        Cpu::Neon | Cpu::Portable => 0.0,
    };
    assert!(times.iter().all(|&times| times >= least), "it is expected to be {least} times as fast at least");
}
