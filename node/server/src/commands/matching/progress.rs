//! Progress on a terminal, one line of summary elsewhere.

use std::time::Duration;

use anyhow::bail;
use indicatif::{MultiProgress, ProgressBar};
use tandem_runtime::Stopwatch;

use crate::commands::bars;
use crate::report::BrokenFile;

/// The bars of a run; invisible when standard error is not a terminal.
pub(crate) struct Bars {
    all: MultiProgress,
    taking: ProgressBar,
    reading: ProgressBar,
    embedding: ProgressBar,
    indexing: ProgressBar,
    matching: ProgressBar,
}

impl Bars {
    pub(crate) fn new() -> Self {
        let all = MultiProgress::with_draw_target(bars::terminal());
        let style = bars::style("{pos:>6} / {len} {msg}");
        let bar = |name: &'static str| {
            let bar = all.add(ProgressBar::new(0).with_style(style.clone()).with_prefix(name));
            bar.tick();
            bar
        };
        Self {
            taking: bar("taking in"),
            reading: bar("reading"),
            embedding: bar("embedding"),
            indexing: bar("indexing"),
            matching: bar("matching"),
            all,
        }
    }

    /// Files taken in so far.
    pub(crate) fn taken(&self, done: u64, of: u64) {
        set(&self.taking, done, of);
    }

    /// Documents that have come at least so far.
    pub(crate) fn stages(&self, read: u64, embedded: u64, indexed: u64, of: u64) {
        set(&self.reading, read, of);
        set(&self.embedding, embedded, of);
        set(&self.indexing, indexed, of);
    }

    /// Jobs whose people are ranked.
    pub(crate) fn matching(&self, done: u64, of: u64) {
        set(&self.matching, done, of);
    }

    /// Clears the bars and says how it went.
    #[expect(clippy::print_stderr, reason = "the summary belongs to the command line, not to the log")]
    pub(crate) fn finish(&self, summary: &str) {
        for bar in [&self.taking, &self.reading, &self.embedding, &self.indexing, &self.matching] {
            bar.finish_and_clear();
        }
        // A terminal that went away takes its bars with it.
        let _gone = self.all.clear();
        eprintln!("{summary}");
    }
}

fn set(bar: &ProgressBar, done: u64, of: u64) {
    bar.set_length(of);
    bar.set_position(done);
}

/// Lists the files that could not be used.
#[expect(clippy::print_stderr, reason = "the list belongs to the command line, not to the log")]
pub(crate) fn note_broken(broken: &[BrokenFile]) {
    for file in broken {
        eprintln!("cannot use {} {}: {} [{}]", file.kind, file.file, file.reason, file.code);
    }
}

/// Notices work that does not move any more.
pub(crate) struct Stall {
    limit: Duration,
    last: Option<u64>,
    since: Stopwatch,
}

impl Stall {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, last: None, since: Stopwatch::start() }
    }

    /// Takes a measure of progress; an error when it has been the same for longer than the limit.
    pub(crate) fn saw(&mut self, progress: u64) -> anyhow::Result<()> {
        if self.last != Some(progress) {
            self.last = Some(progress);
            self.since = Stopwatch::start();
        } else if self.since.elapsed() > self.limit {
            bail!("nothing has moved for {} minutes; see the log", self.limit.as_secs() / 60);
        }
        Ok(())
    }
}
