//! The command line.

pub(crate) mod accounts;
pub(crate) mod audit;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tandem_domain::time::Month;

/// Matches résumés and jobs, both ways, on one machine or many.
#[derive(Debug, Parser)]
#[command(
    name = "tandem",
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  tandem match --jobs jobs/ --resumes resumes/            rank the résumés in a folder for each job
  tandem match --jobs job.md --resumes cv/ --format html --out report.html
  tandem serve --data ./data                              answer the HTTP API on 127.0.0.1:8080
  tandem extract resume.pdf --json                        show what is read in a file"
)]
pub(crate) struct Cli {
    /// A configuration file; see the comments of the built-in one with `tandem config`.
    #[arg(long, global = true, env = "TANDEM_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Rank the résumés of a folder for each job of a folder.
    Match(MatchArgs),
    /// Run the node and answer the HTTP API.
    Serve(ServeArgs),
    /// Show what is read in a file.
    Extract(ExtractArgs),
    /// Show the nodes, shards and queues of a running cluster, or of a single machine.
    Status(StatusArgs),
    /// Look at work that was put aside, or send it back to work.
    #[command(subcommand)]
    Queue(QueueCommand),
    /// Show, make or change accounts.
    #[command(subcommand)]
    Account(accounts::AccountCommand),
    /// Show, make or revoke the keys of accounts.
    #[command(subcommand)]
    Key(accounts::KeyCommand),
    /// Show or change what an owner has used of a plan.
    #[command(subcommand)]
    Quota(QuotaCommand),
    /// Show or verify who did what.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Have parts of the index built again.
    #[command(subcommand)]
    Shard(ShardCommand),
    /// Move everything to another sentence model while the old one serves, or show how far that has come.
    Reembed(ReembedArgs),
    /// Make the certificates with which nodes know one another.
    #[command(subcommand)]
    Certs(CertsCommand),
    /// Bring the store to the newest schema.
    Migrate(MigrateArgs),
    /// Say in what the store's schema differs from this program's; exit code 1 if in anything.
    Drift(DriftArgs),
    /// Print the built-in configuration with its comments, or check a file against it.
    Config(ConfigArgs),
}

/// Arguments of `tandem match`.
#[derive(Debug, Args)]
#[command(after_help = "\
Files that cannot be read are listed with their reason and do not stop the run. Files that a data folder has seen
before are not read again. The exit code is 0, or 2 when not one file could be used.

Examples:
  tandem match --jobs jobs/ --resumes resumes/
  tandem match --jobs jobs/ --resumes resumes/ --top 3 --format ndjson > results.ndjson
  tandem match --jobs nurse.pdf --resumes resumes/ --format html --out report.html")]
pub(crate) struct MatchArgs {
    /// A job posting, or a folder of them (PDF, DOCX, HTML, Markdown, text).
    #[arg(long, value_name = "PATH")]
    pub(crate) jobs: PathBuf,
    /// A résumé, or a folder of them.
    #[arg(long, value_name = "PATH")]
    pub(crate) resumes: PathBuf,
    /// People per job.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) top: u32,
    /// Where the node keeps what it has read [default: node.data_dir of the configuration].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The form of the result.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// Write the result here instead of to standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The month that "present" means in a résumé, such as 2026-11 [default: this month].
    #[arg(long, value_name = "YYYY-MM")]
    pub(crate) as_of: Option<Month>,
}

/// The forms of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For a terminal.
    Table,
    /// One array with an entry per job.
    Json,
    /// One line per job and person.
    Ndjson,
    /// For a spreadsheet.
    Csv,
    /// One self-contained page.
    Html,
}

/// Arguments of `tandem serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without accounts the node listens on loopback only. SIGTERM or Ctrl-C finishes the work in hand, gives back the rest
and ends with exit code 0 within 30 seconds; nothing that was acknowledged is lost.

Examples:
  tandem serve
  tandem serve --data /var/lib/tandem --listen 127.0.0.1:9000
  TANDEM_LOG__FORMAT=json tandem serve")]
pub(crate) struct ServeArgs {
    /// Where everything durable lies [default: node.data_dir of the configuration].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Address and port [default: edge.listen of the configuration].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
}

/// Arguments of `tandem extract`.
#[derive(Debug, Args)]
#[command(after_help = "\
The file is read in the same sandboxed child process as by the node.

Examples:
  tandem extract resume.pdf
  tandem extract posting.html --job --json")]
pub(crate) struct ExtractArgs {
    /// The file.
    #[arg(required_unless_present = "child")]
    pub(crate) file: Option<PathBuf>,
    /// Print the structured Profile and the findings as JSON instead of the text.
    #[arg(long)]
    pub(crate) json: bool,
    /// Read it as a job posting instead of a résumé.
    #[arg(long)]
    pub(crate) job: bool,
    /// The month that "present" means, such as 2026-11 [default: this month].
    #[arg(long, value_name = "YYYY-MM")]
    pub(crate) as_of: Option<Month>,
    /// Be the child process that reads files from standard input.
    #[arg(long, hide = true)]
    pub(crate) child: bool,
}

/// Arguments of `tandem migrate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Running it again changes nothing. With the embedded store `tandem serve` and `tandem match` migrate by themselves; the
nodes of a cluster wait for this command.

Examples:
  tandem migrate --data /var/lib/tandem
  tandem --config cluster.toml migrate")]
pub(crate) struct MigrateArgs {
    /// The data folder [default: node.data_dir of the configuration].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// Arguments of `tandem drift`.
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is changed.

Example:
  tandem --config cluster.toml drift && echo 'the schema is as it should be'")]
pub(crate) struct DriftArgs {
    /// The data folder [default: node.data_dir of the configuration].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// Arguments of `tandem status`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem status
  tandem status --url http://127.0.0.1:8082 --json
  TANDEM_API_KEY=tdm_… tandem status")]
pub(crate) struct StatusArgs {
    /// The edge of any node [default: edge.listen of the configuration].
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// A key with the scope `operate`, for a node with accounts.
    #[arg(long, env = "TANDEM_API_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,
    /// Print what the node answered as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `tandem queue` does.
#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// Work that was put aside, because no worker could take it in.
    #[command(subcommand)]
    Dead(DeadCommand),
}

/// What `tandem queue dead` does.
#[derive(Debug, Subcommand)]
pub(crate) enum DeadCommand {
    /// List what was put aside, oldest first.
    #[command(after_help = "Example:\n  tandem queue dead list --kind parse")]
    List(DeadArgs),
    /// Show all that is known of one task.
    #[command(after_help = "Example:\n  tandem queue dead show 0199d1c2-6f3e-7c4a-b6a1-2f5f8f0c9a11")]
    Show(DeadShowArgs),
    /// Send the oldest back to work, counted anew. A task that has ended meanwhile stays as it is.
    #[command(after_help = "Example:\n  tandem queue dead replay --kind parse --number 10")]
    Replay(DeadReplayArgs),
}

/// Which dead letters.
#[derive(Debug, Args)]
pub(crate) struct DeadArgs {
    /// Of this queue only.
    #[arg(long, value_enum)]
    pub(crate) kind: Option<Kind>,
    /// At most so many of each queue.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) number: u32,
    /// The data folder, with the embedded queue [default: node.data_dir of the configuration].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// Which task.
#[derive(Debug, Args)]
pub(crate) struct DeadShowArgs {
    /// Its id, as `list` shows it.
    pub(crate) task: String,
    /// The data folder, with the embedded queue [default: node.data_dir of the configuration].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// What is sent back.
#[derive(Debug, Args)]
pub(crate) struct DeadReplayArgs {
    /// Of this queue.
    #[arg(long, value_enum)]
    pub(crate) kind: Kind,
    /// So many of them, oldest first.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) number: u32,
    /// The data folder, with the embedded queue [default: node.data_dir of the configuration].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// The queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Files to be read.
    Parse,
    /// Files of bulk uploads, to be read.
    #[value(name = "parse.bulk")]
    ParseBulk,
    /// Texts to be embedded.
    Embed,
    /// Texts of bulk uploads and for a second model, to be embedded.
    #[value(name = "embed.bulk")]
    EmbedBulk,
    /// Pairs that somebody waits for.
    #[value(name = "match.interactive")]
    MatchInteractive,
    /// Runs and their items.
    #[value(name = "match.bulk")]
    MatchBulk,
    /// Documents and persons to be removed.
    Erase,
}

/// What `tandem quota` does.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
With the embedded store the node must not run meanwhile: a data folder belongs to one process. The one owner of a node
without accounts is called local.

Examples:
  tandem quota show local
  tandem quota reset auth0|5f7c8ec7c33c6c004bbafe82
  tandem quota set-plan local pro")]
pub(crate) enum QuotaCommand {
    /// Show the plan and every measure.
    #[command(after_help = "Example:\n  tandem quota show local --json")]
    Show(QuotaArgs),
    /// Count matches, pairs and uploads from zero, in a period that begins now.
    #[command(after_help = "Example:\n  tandem quota reset local")]
    Reset(QuotaArgs),
    /// Give the owner a plan, over the one of the account; `none` takes it away again.
    #[command(after_help = "\
Examples:
  tandem quota set-plan local employer
  tandem quota set-plan local none")]
    SetPlan(SetPlanArgs),
}

/// Whose quota.
#[derive(Debug, Args)]
pub(crate) struct QuotaArgs {
    /// The owner's id: for users of an issuer the subject of their tokens.
    pub(crate) owner: String,
    /// Print it as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// The data folder, with the embedded store [default: node.data_dir of the configuration].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// Whose plan, and which.
#[derive(Debug, Args)]
pub(crate) struct SetPlanArgs {
    #[command(flatten)]
    pub(crate) quota: QuotaArgs,
    /// The plan's name, one of [plans] of the configuration, or `none`.
    pub(crate) plan: String,
}

/// What `tandem shard` does.
#[derive(Debug, Subcommand)]
pub(crate) enum ShardCommand {
    /// Forget this node's files of shards, so that its next start builds them from the store.
    #[command(after_help = "\
The node must not run. Nothing is lost: the store has everything that the index has.

Examples:
  tandem shard rebuild                     all shards of this node
  tandem shard rebuild --shard 3 --shard 7")]
    Rebuild(RebuildArgs),
}

/// Which shards.
#[derive(Debug, Args)]
pub(crate) struct RebuildArgs {
    /// The number of a shard; can be repeated [default: all].
    #[arg(long, value_name = "NUMBER")]
    pub(crate) shard: Vec<u16>,
    /// The data folder [default: node.data_dir of the configuration].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// Arguments of `tandem reembed`.
#[derive(Debug, Args)]
#[command(after_help = "\
Every vector is made again by the new model, in the background and after whatever somebody waits for. Both models are
kept meanwhile; the new one serves from the moment when each shard of the index has all of its vectors. The former one
is kept up to date until --end, so that --rollback takes effect at once. Nodes may come and go. What is not named is as
with the model that serves; its folder must be there on every node.

Without --data a running node is asked, which needs the scope `operate` where there are accounts. With --data no node
may run on that folder: this command does the work itself.

Examples:
  tandem reembed                                            show the models
  tandem reembed --model /srv/models/bge-small --wait       move, and wait for the switch
  tandem reembed --precision f32
  tandem reembed --rollback
  tandem reembed --end
  tandem reembed --data ./data --model ~/models/bge-small   without a node")]
pub(crate) struct ReembedArgs {
    /// The folder of a sentence-transformers BERT model.
    #[arg(long, value_name = "DIR")]
    pub(crate) model: Option<PathBuf>,
    /// The engine that computes, as in embedding.engine of the configuration.
    #[arg(long, value_name = "NAME")]
    pub(crate) engine: Option<String>,
    /// In what numbers, as in embedding.precision of the configuration.
    #[arg(long, value_name = "NAME")]
    pub(crate) precision: Option<String>,
    /// Word pieces per window, at most.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) max_tokens: Option<u32>,
    /// Go back to the former model, or give up a move that goes on.
    #[arg(long, conflicts_with_all = ["model", "engine", "precision", "max_tokens", "end"])]
    pub(crate) rollback: bool,
    /// End the move: remove what is left of the former model.
    #[arg(long, conflicts_with_all = ["model", "engine", "precision", "max_tokens"])]
    pub(crate) end: bool,
    /// Wait until nothing is left to do, with a progress bar.
    #[arg(long)]
    pub(crate) wait: bool,
    /// The edge of any node [default: edge.listen of the configuration].
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    pub(crate) url: Option<String>,
    /// A key with the scope `operate`, for a node with accounts.
    #[arg(long, env = "TANDEM_API_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,
    /// Work on this data folder without a running node.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// What `tandem certs` does.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
For trying a cluster out, or for small ones: anybody who has ca.key can make nodes. Existing files are never replaced.

Examples:
  tandem certs ca --dir certs
  tandem certs node --dir certs --host node-1.example.org node-1")]
pub(crate) enum CertsCommand {
    /// Make a CA and the secret that all nodes share: ca.pem, ca.key, cookie.
    Ca(CaArgs),
    /// Make the certificate of a node, signed by that CA: NAME.pem, NAME.key.
    Node(NodeCertArgs),
}

/// Where the CA goes.
#[derive(Debug, Args)]
pub(crate) struct CaArgs {
    /// The folder; made if it is missing.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
}

/// Whose certificate.
#[derive(Debug, Args)]
pub(crate) struct NodeCertArgs {
    /// The folder with the CA.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Where others reach the node: a host name or an address, without the port; can be repeated.
    #[arg(long, required = true, value_name = "HOST")]
    pub(crate) host: Vec<String>,
    /// The node's name.
    pub(crate) name: String,
}

/// Arguments of `tandem config`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem config > tandem.toml
  tandem --config tandem.toml config --check")]
pub(crate) struct ConfigArgs {
    /// Resolve file and environment and say whether they are valid.
    #[arg(long)]
    pub(crate) check: bool,
}
