//! `tandem queue dead`.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use tandem_config::{ConfigError, NodeConfig, QueueEngine};
use tandem_domain::ids::TaskId;
use tandem_domain::task::{TaskKind, TaskRef};
use tandem_domain::time::Timestamp;
use tandem_queue_rabbitmq::RabbitQueue;
use tandem_runtime::Spawner;
use tandem_store_embedded::EmbeddedStore;
use toml::Value;

use crate::adapters::{connect_queue, embedded_options};
use crate::cli::{DeadCommand, Kind};
use crate::clock::SystemClock;
use crate::{say, wiring};

/// The most letters that a look for one task goes through in the embedded queue.
const MOST: u32 = 1_000;

/// A task that was put aside, in whichever queue.
struct Letter {
    kind: TaskKind,
    /// `None` if the message is no task's key.
    task: Option<TaskRef>,
    delivered: u32,
    died_at: Option<Timestamp>,
    reason: String,
}

/// The configured queue.
enum Queue {
    Embedded(EmbeddedStore),
    Broker(RabbitQueue),
}

impl Queue {
    async fn open(config: &NodeConfig) -> anyhow::Result<Self> {
        match config.queue.engine {
            QueueEngine::Embedded => {
                let options = embedded_options(config, Arc::new(SystemClock));
                if !options.folder.join(&options.file_name).exists() {
                    bail!("there is no database in {}", options.folder.display());
                }
                Ok(Self::Embedded(EmbeddedStore::open(options)?))
            }
            QueueEngine::Rabbitmq => {
                Ok(Self::Broker(connect_queue(config, Arc::new(SystemClock), Spawner::default()).await?))
            }
        }
    }

    async fn letters(&self, kind: TaskKind, number: u32) -> anyhow::Result<Vec<Letter>> {
        Ok(match self {
            Self::Embedded(store) => {
                let letters = store.dead_letters(kind, number).await?;
                let letter = |letter: tandem_store_embedded::DeadLetter| Letter {
                    kind,
                    task: Some(letter.task),
                    delivered: letter.delivered,
                    died_at: Some(letter.died_at),
                    reason: letter.reason,
                };
                letters.into_iter().map(letter).collect()
            }
            Self::Broker(queue) => {
                let letters = queue.dead_letters(kind, number).await?;
                letters.into_iter().map(|letter| Letter::of_broker(kind, letter)).collect()
            }
        })
    }

    async fn letters_of(&self, kind: TaskKind, task: TaskId) -> anyhow::Result<Vec<Letter>> {
        let mut letters = match self {
            Self::Embedded(_) => self.letters(kind, MOST).await?,
            Self::Broker(queue) => {
                let letters = queue.dead_letters_of(kind, task).await?;
                letters.into_iter().map(|letter| Letter::of_broker(kind, letter)).collect()
            }
        };
        letters.retain(|letter| letter.task.as_ref().is_some_and(|key| key.id == task));
        Ok(letters)
    }

    async fn replay(&self, kind: TaskKind, number: u32) -> anyhow::Result<u32> {
        Ok(match self {
            Self::Embedded(store) => store.replay(kind, number).await?,
            Self::Broker(queue) => queue.replay(kind, number).await?,
        })
    }

    async fn close(self) {
        match self {
            Self::Embedded(store) => store.close().await,
            Self::Broker(queue) => queue.close().await,
        }
    }
}

/// Lists, shows or sends back.
pub(crate) fn run(
    command: &DeadCommand,
    resolve: impl Fn(&[(&str, Value)]) -> Result<NodeConfig, ConfigError>,
) -> anyhow::Result<ExitCode> {
    let data = match command {
        DeadCommand::List(args) => &args.data,
        DeadCommand::Show(args) => &args.data,
        DeadCommand::Replay(args) => &args.data,
    };
    let config = resolve(&wiring::data_override(data.as_deref()))?;
    let said = wiring::block_on(async {
        let queue = Queue::open(&config).await?;
        let said = carry_out(&queue, command).await;
        queue.close().await;
        said
    })?;
    say(&said)?;
    Ok(ExitCode::SUCCESS)
}

async fn carry_out(queue: &Queue, command: &DeadCommand) -> anyhow::Result<String> {
    match command {
        DeadCommand::List(args) => {
            let kinds = args.kind.map_or(TaskKind::ALL.to_vec(), |kind| vec![kind.into()]);
            let mut lines = String::new();
            for kind in kinds {
                let letters = queue.letters(kind, args.number).await?;
                lines.extend(letters.iter().map(|letter| letter.line()));
            }
            Ok(if lines.is_empty() { "nothing was put aside\n".to_owned() } else { lines })
        }
        DeadCommand::Show(args) => {
            let task: TaskId = args.task.parse()?;
            for kind in TaskKind::ALL {
                let letters = queue.letters_of(kind, task).await?;
                if !letters.is_empty() {
                    return Ok(letters.iter().map(Letter::whole).collect());
                }
            }
            bail!("no task {task} was put aside; `tandem queue dead list` shows those that were")
        }
        DeadCommand::Replay(args) => {
            let sent = queue.replay(args.kind.into(), args.number).await.context("not all were sent back")?;
            Ok(format!("{sent} sent back to work\n"))
        }
    }
}

impl Letter {
    fn of_broker(kind: TaskKind, letter: tandem_queue_rabbitmq::DeadLetter) -> Self {
        let tandem_queue_rabbitmq::DeadLetter { task, delivered, died_at, reason } = letter;
        Self { kind, task, delivered, died_at, reason }
    }

    fn id(&self) -> String {
        self.task.as_ref().map_or_else(|| "-".to_owned(), |task| task.id.to_string())
    }

    fn died_at(&self) -> String {
        self.died_at.map_or_else(|| "-".to_owned(), |at| at.to_string())
    }

    fn line(&self) -> String {
        let (kind, id, at) = (self.kind.name(), self.id(), self.died_at());
        format!("{kind}  {id}  {at}  delivered {} times  {}\n", self.delivered, self.reason)
    }

    fn whole(&self) -> String {
        let owner = self.task.as_ref().map_or("-", |task| task.owner.as_str());
        let (kind, id, at) = (self.kind.name(), self.id(), self.died_at());
        format!(
            "task       {id}\nqueue      {kind}\nowner      {owner}\nput aside  {at}\ndelivered  {} times\nreason     {}\n",
            self.delivered, self.reason
        )
    }
}

impl From<Kind> for TaskKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Parse => Self::Parse,
            Kind::ParseBulk => Self::ParseBulk,
            Kind::Embed => Self::Embed,
            Kind::EmbedBulk => Self::EmbedBulk,
            Kind::MatchInteractive => Self::MatchInteractive,
            Kind::MatchBulk => Self::MatchBulk,
            Kind::Erase => Self::Erase,
        }
    }
}
