//! Processes as Linux shows them in `/proc` (proc(5)).

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::poll;

/// `USER_HZ`, in which the kernel tells processor time to programs; 100 on every architecture of this house.
const TICKS_PER_SECOND: f64 = 100.0;
/// How often memory is looked at.
const SAMPLE_EVERY: Duration = Duration::from_millis(20);
/// How long the children of a process that ended may take to end as well.
const CHILDREN_END_WITHIN: Duration = Duration::from_secs(60);

/// One process.
#[derive(Debug, Clone, PartialEq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// The id of its process group.
    pub group: u32,
    /// It has ended and waits to be reaped.
    pub ended: bool,
    /// Seconds of processor time, with those of children that were waited for.
    pub cpu_seconds: f64,
    /// Seconds of processor time without those of children.
    pub own_cpu_seconds: f64,
}

/// The process of this id.
#[must_use]
pub fn of(pid: u32) -> Option<Process> {
    read(&format!("/proc/{pid}/stat"), pid).map(|(_, process)| process)
}

/// Seconds of processor time of a process's threads that live, by their names.
#[must_use]
pub fn threads(pid: u32) -> BTreeMap<String, f64> {
    let entries = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let mut threads = BTreeMap::new();
    for (name, thread) in entries.filter_map(|entry| read(&entry.path().join("stat").to_string_lossy(), pid))
    {
        *threads.entry(name).or_insert(0.0) += thread.own_cpu_seconds;
    }
    threads
}

/// The name and numbers in a file of the form of `/proc/PID/stat`.
fn read(path: &str, pid: u32) -> Option<(String, Process)> {
    let text = fs::read_to_string(path).ok()?;
    // The name stands in parentheses and may itself hold spaces and parentheses.
    let (head, rest) = text.rsplit_once(") ")?;
    let (_, name) = head.split_once('(')?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let number = |field: usize| fields.get(field)?.parse::<u64>().ok();
    let seconds =
        |fields: std::ops::Range<usize>| fields.filter_map(number).sum::<u64>() as f64 / TICKS_PER_SECOND;
    let process = Process {
        pid,
        group: u32::try_from(number(2)?).ok()?,
        ended: matches!(fields.first(), Some(&("Z" | "X"))),
        cpu_seconds: seconds(11..15),
        own_cpu_seconds: seconds(11..13),
    };
    Some((name.to_owned(), process))
}

/// The processes of a group that have not ended.
#[must_use]
pub fn group(id: u32) -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(of).filter(|process| process.group == id && !process.ended).collect()
}

/// Resident memory of a process in bytes; 0 when it has ended.
#[must_use]
pub fn memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// Waits until no process of a group is left.
///
/// # Panics
/// When children outlive their parent.
pub fn expect_group_gone(id: u32) {
    poll::until("no child process is left behind", CHILDREN_END_WITHIN, || {
        group(id).is_empty().then_some(())
    });
}

/// Watches the memory and the processor time of a process group.
#[derive(Debug)]
pub struct Watch {
    stop: Arc<AtomicBool>,
    peak: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Watches from now on.
    #[must_use]
    pub fn group(id: u32) -> Self {
        let (stop, peak) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, highest) = (Arc::clone(&stop), Arc::clone(&peak));
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let memory: u64 = group(id).iter().map(|process| memory(process.pid)).sum();
                highest.fetch_max(memory, Ordering::Relaxed);
                thread::sleep(SAMPLE_EVERY);
            }
        });
        Self { stop, peak, thread: Some(thread) }
    }

    /// The most resident memory that was seen, in bytes, all processes of the group together. Pages that they share
    /// count several times: the true value is not higher.
    #[must_use]
    pub fn peak_memory(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // The thread does nothing that could panic.
            drop(thread.join());
        }
    }
}
