//! The command line.

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
    /// Bring the store of a data folder to the newest schema.
    Migrate(MigrateArgs),
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
Running it again changes nothing. `tandem serve` and `tandem match` migrate by themselves.

Example:
  tandem migrate --data /var/lib/tandem")]
pub(crate) struct MigrateArgs {
    /// The data folder [default: node.data_dir of the configuration].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
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
