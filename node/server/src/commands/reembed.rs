//! `tandem reembed`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use indicatif::ProgressBar;
use serde::Deserialize;
use serde_json::{Value, json};
use tandem_config::{ConfigError, NodeConfig};
use tandem_messages::Context;
use tandem_messages::models::{ChangeModels, GetModels, ModelsView, MoveTo};
use toml::Value as Setting;

use crate::cli::ReembedArgs;
use crate::commands::bars;
use crate::commands::status::ask;
use crate::wiring::{self, Node};
use crate::{say, telemetry};

/// How often it is looked how far a move has come.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long the node of this command may finish what is in hand.
const DRAIN: Duration = Duration::from_secs(10);

/// What is shown of the models.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Seen {
    serving: Model,
    second: Option<Second>,
    removing: bool,
    problems: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Model {
    id: String,
    folder: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Second {
    model: Model,
    stage: String,
    shards: u16,
    caught_up: u16,
    changes: u64,
    seen: u64,
}

/// Where the models are asked for and changed.
enum Door {
    /// A node that runs.
    There { base: String, key: Option<String> },
    /// A node in this process, which does the work itself.
    Here(Box<Node>),
}

/// Shows the models, or changes them and waits until that is done.
pub(crate) fn run(
    args: &ReembedArgs,
    resolve: impl Fn(&[(&str, Setting)]) -> Result<NodeConfig, ConfigError>,
) -> anyhow::Result<ExitCode> {
    let config = resolve(&wiring::data_override(args.data.as_deref()))?;
    if args.data.is_some() {
        telemetry::start_quietly(&config.log)?;
    }
    wiring::block_on(async {
        if args.data.is_none() {
            let base = args.url.clone().unwrap_or_else(|| format!("http://{}", config.edge.listen));
            let door = Door::There { base: base.trim_end_matches('/').to_owned(), key: args.key.clone() };
            return work(&door, args).await;
        }
        let door = Door::Here(Box::new(Node::start(&config, "").await?));
        let done = tokio::select! {
            done = work(&door, args) => done,
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                Err(anyhow::anyhow!("interrupted; the next `tandem reembed` or `tandem serve` goes on where it was"))
            }
        };
        if let Door::Here(node) = door {
            node.shutdown(DRAIN).await;
        }
        done
    })
}

async fn work(door: &Door, args: &ReembedArgs) -> anyhow::Result<ExitCode> {
    let begun = args.change();
    let seen = match &begun {
        Some(change) => door.change(change).await?,
        None => door.seen().await?,
    };
    let waits = args.wait || (args.data.is_some() && begun.is_some());
    let seen = if waits { door.wait(seen).await? } else { seen };
    say(&seen.shown())?;
    Ok(ExitCode::SUCCESS)
}

impl ReembedArgs {
    fn change(&self) -> Option<ChangeModels> {
        if self.rollback {
            return Some(ChangeModels::RollBack);
        }
        if self.end {
            return Some(ChangeModels::End);
        }
        let folder = self.model.as_ref().map(|folder| {
            let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
            folder.to_string_lossy().into_owned()
        });
        let to = MoveTo {
            folder,
            engine: self.engine.clone(),
            precision: self.precision.clone(),
            max_tokens: self.max_tokens,
        };
        let named = to.folder.is_some() || to.engine.is_some() || to.precision.is_some();
        (named || to.max_tokens.is_some()).then_some(ChangeModels::Move(to))
    }
}

impl Door {
    async fn seen(&self) -> anyhow::Result<Seen> {
        match self {
            Self::There { base, key } => read(ask(&format!("{base}/models"), key.as_deref(), None).await?),
            Self::Here(node) => Ok(node.gateway.ask(GetModels, &context()).await?.into()),
        }
    }

    async fn change(&self, change: &ChangeModels) -> anyhow::Result<Seen> {
        let (base, key) = match self {
            Self::There { base, key } => (base, key.as_deref()),
            Self::Here(node) => return Ok(node.gateway.ask(change.clone(), &context()).await?.into()),
        };
        let (name, body) = match change {
            ChangeModels::Move(MoveTo { folder, engine, precision, max_tokens }) => {
                let mut body = json!({
                    "folder": folder, "engine": engine, "precision": precision, "maxTokens": max_tokens,
                });
                if let Some(fields) = body.as_object_mut() {
                    fields.retain(|_, value| !value.is_null());
                }
                ("move", body)
            }
            ChangeModels::RollBack => ("rollback", json!({})),
            ChangeModels::End => ("end", json!({})),
        };
        read(ask(&format!("{base}/models/{name}"), key, Some(&body)).await?)
    }

    /// Waits until a move has come to its switch and nothing is being removed.
    async fn wait(&self, mut seen: Seen) -> anyhow::Result<Seen> {
        let bar = ProgressBar::with_draw_target(None, bars::terminal());
        let bar = bar.with_style(bars::style("{percent:>3} % {msg}")).with_prefix("moving");
        while seen.is_busy() {
            if let Some(second) = &seen.second {
                bar.set_length(second.changes);
                bar.set_position(second.seen);
                bar.set_message(format!("{} of {} shards", second.caught_up, second.shards));
            }
            if let Some(problem) = seen.problems.first() {
                bar.finish_and_clear();
                bail!(
                    "{problem}\nThe move goes on as soon as that is mended; `tandem reembed --rollback` gives it up"
                );
            }
            tokio::time::sleep(LOOK_EVERY).await;
            seen = self.seen().await?;
        }
        bar.finish_and_clear();
        Ok(seen)
    }
}

fn read(answer: Value) -> anyhow::Result<Seen> {
    let data = answer.get("data").cloned().unwrap_or_default();
    serde_json::from_value(data).map_err(|error| anyhow::anyhow!("the node answered something else: {error}"))
}

fn context() -> Context {
    Context::new("reembed")
}

impl Seen {
    fn is_busy(&self) -> bool {
        self.removing || self.second.as_ref().is_some_and(|second| second.stage == "moving")
    }

    fn shown(&self) -> String {
        let Self { serving, second, removing, problems } = self;
        let mut text = format!("serving  {} from {}\n", serving.id, serving.folder);
        if let Some(Second { model, stage, shards, caught_up, changes, seen }) = second {
            let percent = (seen * 100).checked_div(*changes).unwrap_or(100);
            let name = if stage == "moving" { "next   " } else { "former " };
            text += &format!("{name}  {} from {}\n", model.id, model.folder);
            text +=
                &format!("         {percent} % of the change log, {caught_up} of {shards} shards answer\n");
            text += if stage == "moving" {
                "It serves when every shard answers. `tandem reembed --wait` waits, `--rollback` gives it up.\n"
            } else {
                "`tandem reembed --rollback` goes back to it at once, `--end` removes what is left of it.\n"
            };
        }
        if *removing {
            text += "Vectors of a model that is not used are being removed.\n";
        }
        for problem in problems {
            text += &format!("ATTENTION: {problem}\n");
        }
        text
    }
}

impl From<ModelsView> for Seen {
    fn from(view: ModelsView) -> Self {
        let model =
            |place: tandem_domain::models::ModelPlace| Model { id: place.identity.id, folder: place.folder };
        let second = view.second.map(|second| Second {
            model: model(second.place),
            stage: match second.stage {
                tandem_domain::models::SecondStage::Moving => "moving".to_owned(),
                tandem_domain::models::SecondStage::Kept => "kept".to_owned(),
            },
            shards: second.shards,
            caught_up: second.caught_up,
            changes: second.changes,
            seen: second.seen,
        });
        Self { serving: model(view.serving), second, removing: view.removing, problems: view.problems }
    }
}
