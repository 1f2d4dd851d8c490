//! `tandem match`: the whole pipeline over two folders, through the same actors as the node's.

pub(crate) mod files;
mod outcome;
mod progress;
mod submit;

use std::fs;
use std::io::{IsTerminal, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tandem_config::{ConfigError, NodeConfig};
use tandem_domain::document::DocumentKind;
use tandem_domain::ids::{OperationId, OwnerId, RunId};
use tandem_domain::run::{RunSpec, Selection};
use tandem_domain::score::Score;
use tandem_messages::runs::{CreateRun, GetRun};
use tandem_messages::{Context, GatewayHandle};
use tandem_ports::Clock;
use tandem_runtime::Stopwatch;
use toml::Value;

use crate::cli::{Format, MatchArgs};
use crate::clock::SystemClock;
use crate::report::{self, MatchReport};
use crate::telemetry;
use crate::wiring::{self, Node};
use crate::{ALL_FAILED, say};

use files::InputFile;
use progress::Bars;
use submit::Submitted;

/// How often the state of running work is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Work without any change for this long is given up: longer than every deadline and back-off of a stage.
const STALLED_AFTER: Duration = Duration::from_secs(1800);
/// How long work in hand may finish at the end; there is none, since every file has settled.
const DRAIN: Duration = Duration::from_secs(5);

/// Takes the files in, waits until they are searchable, runs the match and writes the result.
pub(crate) fn run(
    args: MatchArgs,
    resolve: impl Fn(&[(&str, Value)]) -> Result<NodeConfig, ConfigError>,
) -> anyhow::Result<ExitCode> {
    let mut overrides = wiring::data_override(args.data.as_deref());
    if let Some(month) = args.as_of {
        overrides.push(("parsing.as_of", Value::String(month.to_string())));
    }
    let config = resolve(&overrides)?;
    telemetry::start_quietly(&config.log)?;
    let jobs = files::collect(&args.jobs, DocumentKind::Job)?;
    let resumes = files::collect(&args.resumes, DocumentKind::Resume)?;
    if jobs.is_empty() {
        bail!("there are no files in {}", args.jobs.display());
    }
    if resumes.is_empty() {
        bail!("there are no files in {}", args.resumes.display());
    }
    wiring::block_on(async {
        let node = Node::start(&config, "").await?;
        let result = tokio::select! {
            result = whole(&node.gateway, &args, &config, jobs, resumes) => result,
            escalated = node.supervisor.escalated() => {
                Err(anyhow::anyhow!("the actor {} came down too often: {}", escalated.name, escalated.reason))
            }
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                Err(anyhow::anyhow!("interrupted; what was read is kept and is not read again"))
            }
        };
        node.shutdown(DRAIN).await;
        result
    })
}

async fn whole(
    gateway: &GatewayHandle,
    args: &MatchArgs,
    config: &NodeConfig,
    jobs: Vec<InputFile>,
    resumes: Vec<InputFile>,
) -> anyhow::Result<ExitCode> {
    let bars = Bars::new();
    let files = jobs.len() + resumes.len();
    let mut submitted = Submitted::take_in(gateway, jobs, resumes, config.documents.max_bytes, &bars).await?;
    submitted.wait(gateway, &bars).await?;
    let (queries, candidates) = (submitted.usable(DocumentKind::Job), submitted.usable(DocumentKind::Resume));
    let mut found = MatchReport { jobs: Vec::new(), broken: submitted.broken(), resumes: candidates.len() };
    if !queries.is_empty() && !candidates.is_empty() {
        let owner = OwnerId::local();
        let spec = RunSpec {
            query_kind: DocumentKind::Job,
            queries,
            candidates: Selection::Ids(candidates),
            top: args.top,
            min_score: Score::ZERO,
            weights: config.matching.weights,
        };
        let operation = OperationId::from_uuid(SystemClock.new_id());
        let run = CreateRun { owner: owner.clone(), operation, spec };
        let run = gateway.ask(run, &context()).await?.run;
        wait_for_run(gateway, &owner, run.id, &bars).await?;
        outcome::fill(gateway, &run, &submitted, &mut found).await?;
    }
    bars.finish(&format!(
        "{files} files: {} read, {} unchanged, {} broken",
        submitted.read(),
        submitted.unchanged(),
        found.broken.len()
    ));
    write(args, &found)?;
    let all_failed =
        submitted.usable(DocumentKind::Job).is_empty() && submitted.usable(DocumentKind::Resume).is_empty();
    Ok(if all_failed { ExitCode::from(ALL_FAILED) } else { ExitCode::SUCCESS })
}

async fn wait_for_run(
    gateway: &GatewayHandle,
    owner: &OwnerId,
    id: RunId,
    bars: &Bars,
) -> anyhow::Result<()> {
    let mut stall = progress::Stall::new(STALLED_AFTER);
    loop {
        let look = Stopwatch::start();
        let view = gateway.ask(GetRun { owner: owner.clone(), id }, &context()).await?;
        let settled = view.progress.done + view.progress.failed;
        bars.matching(u64::from(settled), u64::from(view.progress.items));
        if view.progress.state().is_settled() {
            return Ok(());
        }
        stall.saw(u64::from(settled))?;
        rest_after(look).await;
    }
}

/// Rests between two looks, longer when looking itself takes long: watching must not slow the work down.
async fn rest_after(look: Stopwatch) {
    tokio::time::sleep(LOOK_EVERY.max(look.elapsed() * 10)).await;
}

fn write(args: &MatchArgs, found: &MatchReport) -> anyhow::Result<()> {
    let to_terminal = args.out.is_none() && stdout().is_terminal();
    let text = match args.format {
        Format::Table => report::table(found, if to_terminal { terminal_width() } else { None }),
        Format::Json => report::json(found),
        Format::Ndjson => report::ndjson(found),
        Format::Csv => report::csv(found)?,
        Format::Html => report::html(found),
    };
    // The table lists them itself.
    if args.format != Format::Table || args.out.is_some() {
        progress::note_broken(&found.broken);
    }
    match &args.out {
        Some(path) => put(path, &text).with_context(|| format!("cannot write {}", path.display())),
        None => say(&text),
    }
}

/// Whole or not at all: a reader never sees half a report.
fn put(path: &Path, text: &str) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    fs::write(&part, text)?;
    fs::rename(&part, path)
}

fn terminal_width() -> Option<u16> {
    rustix::termios::tcgetwinsize(stdout()).ok().map(|size| size.ws_col).filter(|columns| *columns > 0)
}

fn context() -> Context {
    Context::new("match")
}
