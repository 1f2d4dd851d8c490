//! Measures the whole program from the outside, on the sample: files per second and processor time of `tandem match`
//! with an empty data folder and again with a full one, the time from start to readiness, the memory of an idle node; and
//! of 2,000 generated résumés sent to a node, how many a second become searchable and which stage takes how much of it.
//! Prints a table and writes `target/bench/pipeline.json`; needs the model of deploy/model.sh.

#![allow(clippy::print_stdout, reason = "a bench is read by people")]

use std::time::Duration;
use std::{fs, thread};

use serde_json::{Value, json};
use tandem_tests::cli::{self, Output};
use tandem_tests::client::Kind;
use tandem_tests::poll::Deadline;
use tandem_tests::sandbox::Sandbox;
use tandem_tests::{paths, poll, process, sample};

/// How often each number is taken; the median is shown.
const TIMES: usize = 3;

fn main() {
    if !paths::has_model("pipeline") {
        return;
    }
    let files = sample::files(&paths::sample_jobs()).len() + sample::files(&paths::sample_resumes()).len();
    let (mut cold, mut warm, mut ready, mut idle) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TIMES {
        let data = tempfile::tempdir().expect("a folder can be made");
        cold.push(matched(&data));
        warm.push(matched(&data));
        let begun = Deadline::after(Duration::MAX);
        let mut sandbox = Sandbox::start();
        ready.push(begun.elapsed().as_secs_f64());
        let group = process::group(sandbox.pid());
        idle.push(group.iter().map(|process| process::memory(process.pid)).sum::<u64>() as f64 / MIB);
        sandbox.stop();
    }
    let generated = generated();
    let report = json!({
        "generated": generated,
        "files": files,
        "cold": of_runs(&cold, files),
        "warm": of_runs(&warm, files),
        "start_to_ready_seconds": median(ready),
        "idle_memory_mib": median(idle),
    });
    print(&report);
    // Beside the build, wherever that lies: `target/release/tandem` -> `target/bench`.
    let program = paths::tandem();
    let folder = program.ancestors().nth(2).expect("a program lies in a build folder").join("bench");
    fs::create_dir_all(&folder).expect("a folder can be made");
    let text = serde_json::to_string_pretty(&report).expect("numbers become JSON");
    fs::write(folder.join("pipeline.json"), text).expect("the report can be written");
}

/// Sends generated résumés to a node with one embedding thread, and sees where the processor time goes until all are
/// searchable.
fn generated() -> Value {
    let texts = sample::generated(GENERATED);
    let unlimited = ("TANDEM_LIMITS__WRITE__PER_MINUTE", "0");
    let mut sandbox = Sandbox::start_with(&[unlimited, ("TANDEM_EMBEDDING__THREADS", "1")]);
    let client = sandbox.client();
    let metric = |name: &str| {
        let text = client.get("/metrics").text;
        text.lines()
            .filter_map(|line| line.strip_prefix(name)?.rsplit_once(' ')?.1.parse::<f64>().ok())
            .sum::<f64>()
    };
    let cpu = || {
        let all: f64 = process::group(sandbox.pid()).iter().map(|process| process.cpu_seconds).sum();
        let own = process::of(sandbox.pid()).map_or(0.0, |process| process.own_cpu_seconds);
        let threads = process::threads(sandbox.pid());
        (all, all - own, threads.get(WRITER).copied().unwrap_or(0.0))
    };
    let (before, begun) = (cpu(), Deadline::after(Duration::MAX));
    thread::scope(|scope| {
        for part in texts.chunks(GENERATED.div_ceil(SENDERS)) {
            let client = client.clone();
            scope.spawn(move || part.iter().for_each(|text| drop(client.accepted_text(Kind::Resume, text))));
        }
    });
    poll::until("every résumé is searchable", LONG, || {
        // Each look costs the node some milliseconds.
        thread::sleep(LOOK_EVERY);
        (metric("tandem_index_changes_total") >= GENERATED as f64).then_some(())
    });
    let (wall, after) = (begun.elapsed().as_secs_f64(), cpu());
    let (all, children, writer) = (after.0 - before.0, after.1 - before.1, after.2 - before.2);
    let embedding = metric("tandem_embedding_batch_seconds_sum");
    sandbox.stop();
    json!({
        "resumes": GENERATED,
        "resumes_per_second": GENERATED as f64 / wall,
        "resumes_per_cpu_second": GENERATED as f64 / all,
        "cpu_seconds": {
            "all": all, "embedding": embedding, "extracting": children, "writing": writer,
            "rest": all - embedding - children - writer,
        },
    })
}

/// Résumés that are generated, and those who send them.
const GENERATED: usize = 2_000;
const SENDERS: usize = 4;
const LONG: Duration = Duration::from_secs(600);
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The thread that writes the store.
const WRITER: &str = "tandem-store";

/// Bytes of a mebibyte.
const MIB: f64 = (1 << 20) as f64;

fn matched(data: &tempfile::TempDir) -> Output {
    let (jobs, resumes) = (paths::sample_jobs(), paths::sample_resumes());
    cli::run_match(&jobs, &resumes, data.path(), &["--format", "ndjson"]).expect_success()
}

fn of_runs(runs: &[Output], files: usize) -> Value {
    let of = |number: fn(&Output) -> f64| median(runs.iter().map(number).collect());
    let (wall, cpu) = (of(|run| run.wall_seconds), of(|run| run.cpu_seconds));
    json!({
        "wall_seconds": wall,
        "cpu_seconds": cpu,
        "files_per_second": files as f64 / wall,
        "files_per_cpu_second": files as f64 / cpu,
        "peak_memory_mib": of(|run| run.peak_memory as f64 / MIB),
    })
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    *numbers.get(numbers.len() / 2).expect("something was measured")
}

fn print(report: &Value) {
    let number = |path: &str| report.pointer(path).and_then(Value::as_f64).expect("it is in the report");
    println!("{} files, median of {TIMES}", report["files"]);
    println!("{:<24} {:>10} {:>10}", "", "cold", "warm");
    let rows = [
        ("seconds", "wall_seconds"),
        ("CPU-seconds", "cpu_seconds"),
        ("files per second", "files_per_second"),
        ("files per CPU-second", "files_per_cpu_second"),
        ("peak memory, MiB", "peak_memory_mib"),
    ];
    for (title, name) in rows {
        let [cold, warm] = ["cold", "warm"].map(|run| number(&format!("/{run}/{name}")));
        println!("{title:<24} {cold:>10.2} {warm:>10.2}");
    }
    println!("{:<24} {:>10.2} s", "start to ready", number("/start_to_ready_seconds"));
    println!("{:<24} {:>10.0} MiB", "memory of an idle node", number("/idle_memory_mib"));
    println!(
        "{} generated résumés, sent to a node with one embedding thread",
        report["generated"]["resumes"]
    );
    println!("{:<24} {:>10.1} a second", "searchable", number("/generated/resumes_per_second"));
    let all = number("/generated/cpu_seconds/all");
    for stage in ["embedding", "extracting", "writing", "rest"] {
        let seconds = number(&format!("/generated/cpu_seconds/{stage}"));
        println!("{stage:<24} {seconds:>10.2} CPU-seconds, {:.0} %", 100.0 * seconds / all);
    }
}
