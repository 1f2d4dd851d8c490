//! CPU time per text of the encoder, in each precision on each instruction set of this processor, and of other engines
//! beside it; needs the model of deploy/model.sh, and for ONNX Runtime peers.sh.
//!
//! `make bench-embed` prints a table, says where the time of a text goes, writes target/bench/embed.json and fails where
//! the encoder is slower, larger or farther from f32 than it should be.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench reports to a person and may stop at any failure"
)]

mod machine;
mod peers;
mod texts;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use machine::cpu_nanos;
use serde_json::{Value, json};
use tandem_embedding::{Cpu, Encoder, EncoderOptions, ModelFiles, Part, Precision, Scratch};
use texts::{TEXTS, Work};

const ROUNDS: usize = 2;
/// Paths that this processor has something better than get fewer texts, and fewest the portable one, which is there to be
/// right, not fast.
const FEWER_TEXTS: usize = 128;
const PORTABLE_TEXTS: usize = 1;
/// Texts at a time, as the embed stage takes them.
const FEW: usize = 8;
/// Workers that share a model where its memory is measured.
const WORKERS: [usize; 2] = [1, 4];
/// MiB that each further worker may add: its own memory, not another model.
const WORKER_MIB: f64 = 5.0;

/// One line of the table.
struct Row {
    name: String,
    /// The numbers of its products.
    kind: &'static str,
    /// The instruction set, where it is ours.
    cpu: Option<Cpu>,
    /// Seconds on a processor per text of each set.
    seconds: [f64; 2],
}

/// Precision, its name, and MiB that its model may occupy.
const PRECISIONS: [(Precision, &str, f64); 3] =
    [(Precision::Int8, "int8", 60.0), (Precision::Bf16, "bf16", 120.0), (Precision::F32, "f32", 120.0)];

fn load(dir: &Path, precision: Precision, cpu: Option<Cpu>) -> Encoder {
    Encoder::load(&EncoderOptions { precision, cpu, ..EncoderOptions::new(dir) }).unwrap()
}

fn measure(
    dir: &Path,
    (precision, kind, _): (Precision, &'static str, f64),
    cpu: Cpu,
    sets: &[Vec<String>; 2],
) -> Row {
    let encoder = load(dir, precision, Some(cpu));
    let mut scratch = Scratch::new();
    let (count, rounds) = if cpu == Cpu::Portable {
        (PORTABLE_TEXTS, 1)
    } else if cpu == Cpu::available()[0] {
        (TEXTS, ROUNDS)
    } else {
        (FEWER_TEXTS, ROUNDS)
    };
    let tokens = |texts: &[String]| {
        texts.iter().map(|text| encoder.tokenizer().count(text).unwrap() + 2).sum::<usize>() as f64
    };
    let seconds = [0, 1].map(|set| {
        let texts = &sets[set][..count];
        // Where there are fewer they are shorter or longer than the others: it is told of an average text of all.
        let average = tokens(&sets[set]) / TEXTS as f64 / tokens(texts);
        let round = |_| {
            let start = cpu_nanos();
            for few in texts.chunks(FEW) {
                encoder.encode_pack(few, &mut scratch).unwrap();
            }
            (cpu_nanos() - start) as f64 / 1e9 * average
        };
        (0..rounds).map(round).fold(f64::MAX, f64::min)
    });
    Row { name: format!("tandem {kind} {cpu}"), kind, cpu: Some(cpu), seconds }
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// Mean and least cosine to f32 over a thousand texts.
fn fidelity(encoder: &Encoder, full: &[Vec<f32>], texts: &[&String]) -> (f64, f64) {
    let vectors = encoder.encode_pack(texts, &mut Scratch::new()).unwrap();
    let cosines: Vec<f64> = vectors.iter().zip(full).map(|(a, b)| cosine(a, b)).collect();
    (cosines.iter().sum::<f64>() / cosines.len() as f64, cosines.iter().copied().fold(1.0, f64::min))
}

/// Microseconds of a text in each part of its way, the fastest of several rounds.
fn profile(encoder: &Encoder, set: &[String]) -> Vec<(&'static str, f64)> {
    let parts = [
        (Part::Embed, "looking up word pieces"),
        (Part::Norm, "normalizing, and rounding what is"),
        (Part::Query, "product: query, key, value"),
        (Part::Attention, "attention"),
        (Part::Round, "rounding the rest"),
        (Part::Attended, "product: behind attention"),
        (Part::Widen, "product: widening, with GELU"),
        (Part::Narrow, "product: narrowing"),
    ];
    let mut scratch = Scratch::new();
    let rounds = (0..ROUNDS).map(|_| {
        let mut spent: HashMap<Part, u64> = HashMap::new();
        let (mut pooling, mut tokenizing) = (0, 0);
        for few in set.chunks(FEW) {
            let begun = cpu_nanos();
            few.iter().for_each(|text| assert!(encoder.tokenizer().count(text).unwrap() > 0));
            let start = cpu_nanos();
            tokenizing += start - begun;
            let mut last = start;
            let ended = |part| {
                let now = cpu_nanos();
                *spent.entry(part).or_default() += now - last;
                last = now;
            };
            encoder.watch(few, &mut scratch, ended).unwrap();
            pooling += cpu_nanos() - last;
        }
        // The first part began with the tokenizer.
        let embed = spent.entry(Part::Embed).or_default();
        *embed = embed.saturating_sub(tokenizing);
        let micros = |nanos: u64| nanos as f64 / 1e3 / set.len() as f64;
        let mut lines: Vec<_> = parts.iter().map(|(part, name)| (*name, micros(spent[part]))).collect();
        lines.extend([("tokenizing", micros(tokenizing)), ("the mean, and its length", micros(pooling))]);
        lines
    });
    let total = |lines: &Vec<(&str, f64)>| lines.iter().map(|line| line.1).sum::<f64>();
    rounds.min_by(|a, b| total(a).total_cmp(&total(b))).unwrap()
}

fn main() {
    let Some(dir) = ModelFiles::default_dir().filter(|dir| dir.is_dir()) else {
        println!("SKIPPED: there is no sentence model on this machine; run deploy/model.sh");
        return;
    };
    let sets = texts::sets();
    if machine::tell_memory(&dir, &sets[0][..64]) {
        return;
    }
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench");
    fs::create_dir_all(&folder).unwrap();
    let memory = PRECISIONS.map(|(precision, ..)| WORKERS.map(|workers| machine::memory(precision, workers)));

    let encoders = PRECISIONS.map(|(precision, ..)| load(&dir, precision, None));
    let thousand: Vec<&String> = sets.iter().flatten().take(1_000).collect();
    let full = encoders[2].encode_pack(&thousand, &mut Scratch::new()).unwrap();
    let fidelity = [0, 1].map(|at| fidelity(&encoders[at], &full, &thousand));
    let work = [0, 1].map(|set| texts::work(&dir, &encoders[0], &sets[set]));

    let available = Cpu::available();
    let peaks: HashMap<(&str, String), f64> = PRECISIONS
        .into_iter()
        .flat_map(|(precision, kind, _)| {
            available.iter().map(move |&cpu| ((kind, cpu.to_string()), machine::peak(cpu, precision)))
        })
        .collect();
    let mut rows = Vec::new();
    for precision in PRECISIONS {
        rows.extend(available.iter().map(|&cpu| measure(&dir, precision, cpu, &sets)));
    }
    if let Some((others, first)) = peers::python(&dir, &folder, &sets) {
        assert!(cosine(&first, &full[0]) > 0.9999, "ONNX Runtime computes another model");
        rows.extend(others);
    }
    rows.extend(peers::rust_bert(&folder));
    let shares = print(&rows, &work, &peaks);
    let profile = profile(&encoders[0], &sets[1]);
    print_profile(&profile, &encoders[0]);
    for ((_, kind, most), occupied) in PRECISIONS.iter().zip(&memory) {
        println!(
            "{kind}: {:.0} MiB with one worker, {:.0} MiB with four ({most} at most)",
            occupied[0], occupied[1]
        );
    }
    for ((_, kind, _), (mean, least)) in PRECISIONS.iter().zip(&fidelity) {
        println!("{kind} to f32, 1,000 texts: cosine {mean:.5} on average, {least:.5} at least");
    }
    let runs = rows.iter().zip(&shares).map(
        |(row, share)| json!({"engine": row.name, "seconds_per_text": row.seconds, "share_of_peak": share}),
    );
    let peaks: serde_json::Map<String, Value> =
        peaks.iter().map(|((kind, cpu), peak)| (format!("{kind} {cpu}"), json!(peak))).collect();
    let report = json!({
        "model": encoders[0].identity().id, "runs": runs.collect::<Vec<_>>(), "peak_operations_per_second": peaks,
        "microseconds": profile.into_iter().collect::<HashMap<_, _>>(),
        "cosine": {"int8": fidelity[0], "bf16": fidelity[1]}, "resident_mib": memory,
    });
    fs::write(folder.join("embed.json"), format!("{report:#}\n")).unwrap();
    hold(&rows, &memory, &fidelity);
}

/// The least seconds that a core's peak allows for the work, as a share of those that were taken.
fn share(row: &Row, set: usize, work: &[Work; 2], peaks: &HashMap<(&str, String), f64>) -> f64 {
    let of = |kind: &str| {
        // Others choose for themselves: they are held to the best.
        let cpu = row.cpu.unwrap_or_else(|| Cpu::available()[0]);
        peaks[&(kind, cpu.to_string())]
    };
    (work[set].products / of(row.kind) + work[set].attention / of("f32")) / row.seconds[set]
}

/// Prints the table; gives the shares of the peak in it.
fn print(rows: &[Row], work: &[Work; 2], peaks: &HashMap<(&'static str, String), f64>) -> Vec<[f64; 2]> {
    println!("{:<24} {:>36}   {:>36}", "one thread, CPU time", "20-250 word pieces", "about 110 word pieces");
    let head = format!("{:>9} {:>8} {:>8} {:>8}", "ms/text", "texts/s", "× ORT", "of peak");
    println!("{:<24} {head}   {head}", "");
    let base = |kind: &str| rows.iter().find(|row| row.name == format!("ONNX Runtime {kind}"));
    let mut shares = Vec::new();
    for row in rows {
        // ONNX Runtime has no products of bfloat16 here.
        let peer = base(if row.kind == "f32" { "f32" } else { "int8" });
        let share = [0, 1].map(|set| share(row, set, work, peaks));
        let cells = [0, 1].map(|set| {
            let seconds = row.seconds[set];
            let ratio = peer.map_or("-".to_owned(), |peer| format!("{:.2}", peer.seconds[set] / seconds));
            let percent = share[set] * 100.0;
            format!("{:>9.2} {:>8.1} {ratio:>8} {percent:>6.0} %", seconds * 1e3, seconds.recip())
        });
        println!("{:<24} {}", row.name, cells.join("   "));
        shares.push(share);
    }
    shares
}

fn print_profile(profile: &[(&str, f64)], encoder: &Encoder) {
    let total: f64 = profile.iter().map(|line| line.1).sum();
    println!("where a text of about 110 word pieces spends {total:.0} µs in int8 on {}", encoder.cpu());
    for (name, micros) in profile {
        println!("  {name:<36} {micros:>7.0} µs {:>5.1} %", micros / total * 100.0);
    }
}

/// What must be so, as far as this machine can show it.
fn hold(rows: &[Row], memory: &[[f64; 2]; 3], fidelity: &[(f64, f64); 2]) {
    for ((_, kind, most), occupied) in PRECISIONS.iter().zip(memory) {
        let [one, four] = *occupied;
        assert!(one <= *most, "a model in {kind} may occupy {most} MiB");
        assert!(four - one <= 3.0 * WORKER_MIB, "a worker may add {WORKER_MIB} MiB to a model in {kind}");
    }
    let [(int8, least), (bf16, _)] = *fidelity;
    assert!(int8 >= 0.995 && least >= 0.985, "int8 is too far from f32");
    assert!(bf16 >= 0.9995, "bf16 is too far from f32");
    let find = |name: &str| rows.iter().find(|row| row.name == name);
    let goals = [
        ("tandem int8 amx", "ONNX Runtime int8", 3.0),
        ("tandem bf16 amx", "ONNX Runtime int8", 2.0),
        ("tandem int8 avx512", "ONNX Runtime int8", 1.2),
        ("tandem f32 avx512", "ONNX Runtime f32", 1.0),
        ("tandem int8 avx512", "rust-bert", 3.0),
        ("tandem int8 amx", "rust-bert", 15.0),
    ];
    for (own, other, goal) in goals {
        let (Some(own), Some(other)) = (find(own), find(other)) else { continue };
        let ratio = [0, 1].map(|set| other.seconds[set] / own.seconds[set]);
        assert!(
            ratio.iter().all(|ratio| *ratio >= goal),
            "{} is {ratio:.2?} × {}, not {goal}",
            own.name,
            other.name
        );
    }
}
