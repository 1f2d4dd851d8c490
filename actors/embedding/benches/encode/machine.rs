//! What this machine gives: time on a processor, memory, the most that a core can compute.

use std::env;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Command;

use rustix::time::{ClockId, clock_gettime};
use tandem_embedding::{Cpu, Encoder, EncoderOptions, Precision, Scratch};

/// How a run of this program is asked to tell its memory.
const MEMORY: &str = "--memory";
/// Loops of [`Cpu::burn`], of two milliseconds and more, of which the fastest counts.
const BURNS: usize = 12;

/// Nanoseconds that this process has spent on a processor.
pub(crate) fn cpu_nanos() -> u64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    spent.tv_sec.cast_unsigned() * 1_000_000_000 + spent.tv_nsec.cast_unsigned()
}

/// Operations that a core does in a second at most, by the instruction for `precision`.
pub(crate) fn peak(cpu: Cpu, precision: Precision) -> f64 {
    let burn = |rounds| {
        let start = cpu_nanos();
        let operations = cpu.burn(precision, rounds).unwrap();
        (operations, (cpu_nanos() - start) as f64 / 1e9)
    };
    let long_enough = |&rounds: &usize| burn(rounds).1 > 0.002;
    let rounds = (10..24).map(|power| 1 << power).find(long_enough).unwrap_or(1 << 24);
    (0..BURNS).map(|_| burn(rounds)).map(|(operations, seconds)| operations / seconds).fold(0.0, f64::max)
}

/// What the process occupies, in MiB.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().find_map(|word| word.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// MiB that a process needs for a model and so many workers beyond what it has before; asks a process of its own.
pub(crate) fn memory(precision: Precision, workers: usize) -> f64 {
    let mut command = Command::new(env::current_exe().unwrap());
    let output = command.args([MEMORY, &precision.to_string(), &workers.to_string()]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

/// In such a process: measures and prints; false in any other.
pub(crate) fn tell_memory(dir: &Path, texts: &[String]) -> bool {
    let words: Vec<String> = env::args().collect();
    let Some([_, precision, workers]) = words.windows(3).find(|words| words[0] == MEMORY) else {
        return false;
    };
    let (precision, workers) = (precision.parse().unwrap(), workers.parse::<NonZeroUsize>().unwrap());
    let idle = resident();
    let encoder = Encoder::load(&EncoderOptions { precision, ..EncoderOptions::new(dir) }).unwrap();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut workers = Scratch::many(workers);
    encoder.encode_batch(&texts, &mut workers).unwrap();
    println!("{}", resident() - idle);
    true
}
