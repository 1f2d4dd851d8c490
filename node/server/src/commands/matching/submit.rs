//! Files on their way through the stages.

use std::collections::HashMap;

use bytes::Bytes;
use futures::stream::{StreamExt, iter};
use tandem_domain::document::{DocumentKind, DocumentState, Failure, Notes};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{DocumentId, OperationId, OwnerId};
use tandem_domain::task::Urgency;
use tandem_messages::GatewayHandle;
use tandem_messages::documents::{GetDocumentStates, SubmitDocument};
use tandem_ports::Clock;
use tandem_ports::documents::MAX_PAGE;
use tandem_runtime::Stopwatch;

use super::files::{self, InputFile};
use super::progress::{Bars, Stall};
use super::{STALLED_AFTER, context, rest_after};
use crate::clock::SystemClock;
use crate::report::BrokenFile;

/// Files taken in at the same time.
const TAKING_IN: usize = 8;

/// What has become of every file.
pub(crate) struct Submitted {
    /// In order of kind and name.
    files: Vec<SubmittedFile>,
}

struct SubmittedFile {
    file: InputFile,
    fate: Fate,
}

enum Fate {
    /// It was refused or came to nothing.
    Failed(Failure),
    /// It is a document.
    Document { id: DocumentId, new: bool, state: DocumentState },
}

impl Submitted {
    /// Takes every file in, a few at a time. A file that cannot be read or is refused does not stop the others.
    pub(crate) async fn take_in(
        gateway: &GatewayHandle,
        jobs: Vec<InputFile>,
        resumes: Vec<InputFile>,
        max_bytes: u64,
        bars: &Bars,
    ) -> anyhow::Result<Self> {
        let inputs: Vec<InputFile> = jobs.into_iter().chain(resumes).collect();
        let total = inputs.len() as u64;
        let mut taken = iter(inputs)
            .map(|file| async move {
                let fate = submit(gateway, &file, max_bytes).await;
                SubmittedFile { file, fate }
            })
            .buffered(TAKING_IN);
        let mut files = Vec::new();
        while let Some(file) = taken.next().await {
            files.push(file);
            bars.taken(files.len() as u64, total);
        }
        Ok(Self { files })
    }

    /// Waits until every document is searchable or has failed.
    pub(crate) async fn wait(&mut self, gateway: &GatewayHandle, bars: &Bars) -> anyhow::Result<()> {
        let mut stall = Stall::new(STALLED_AFTER);
        loop {
            let look = Stopwatch::start();
            let mut open = self.open();
            self.show(bars);
            if open.is_empty() {
                return Ok(());
            }
            // Documents come along in the order in which they were taken in: the first page moves first.
            open.truncate(MAX_PAGE as usize);
            let question = GetDocumentStates { owner: OwnerId::local(), ids: open };
            let answer = gateway.ask(question, &context()).await?;
            self.learn(answer.states.into_iter().collect());
            stall.saw(self.progress())?;
            rest_after(look).await;
        }
    }

    /// The documents of a kind that can be matched, each once, in order of their files' names.
    pub(crate) fn usable(&self, kind: DocumentKind) -> Vec<DocumentId> {
        let mut seen = std::collections::HashSet::new();
        let usable = self.files.iter().filter(|f| f.file.kind == kind).filter_map(|f| match &f.fate {
            Fate::Document { id, state: DocumentState::Indexed, .. } => Some(*id),
            Fate::Document { .. } | Fate::Failed(_) => None,
        });
        usable.filter(|id| seen.insert(*id)).collect()
    }

    /// The first file of a document, by name.
    pub(crate) fn file_of(&self, document: DocumentId) -> Option<&InputFile> {
        let is_it = |f: &&SubmittedFile| matches!(f.fate, Fate::Document { id, .. } if id == document);
        self.files.iter().find(is_it).map(|f| &f.file)
    }

    /// Files that could not be used, in order of their names.
    pub(crate) fn broken(&self) -> Vec<BrokenFile> {
        self.files
            .iter()
            .filter_map(|f| {
                let failure = match &f.fate {
                    Fate::Failed(failure) | Fate::Document { state: DocumentState::Failed(failure), .. } => {
                        failure
                    }
                    Fate::Document { .. } => return None,
                };
                Some(broken(&f.file, failure))
            })
            .collect()
    }

    /// Files that were read now.
    pub(crate) fn read(&self) -> usize {
        self.count(|fate| matches!(fate, Fate::Document { new: true, state: DocumentState::Indexed, .. }))
    }

    /// Files that were known already.
    pub(crate) fn unchanged(&self) -> usize {
        self.count(|fate| matches!(fate, Fate::Document { new: false, state: DocumentState::Indexed, .. }))
    }

    fn count(&self, which: impl Fn(&Fate) -> bool) -> usize {
        self.files.iter().filter(|f| which(&f.fate)).count()
    }

    fn open(&self) -> Vec<DocumentId> {
        self.files
            .iter()
            .filter_map(|f| match &f.fate {
                Fate::Document { id, state, .. } if !state.is_settled() => Some(*id),
                Fate::Document { .. } | Fate::Failed(_) => None,
            })
            .collect()
    }

    fn learn(&mut self, states: HashMap<DocumentId, DocumentState>) {
        for file in &mut self.files {
            if let Fate::Document { id, state, .. } = &mut file.fate
                && let Some(now) = states.get(id)
            {
                state.clone_from(now);
            }
        }
    }

    fn progress(&self) -> u64 {
        let steps = self.files.iter().map(|f| u64::from(step(&f.fate)));
        steps.sum()
    }

    fn show(&self, bars: &Bars) {
        let at_least = |s: u8| self.count(|fate| step(fate) >= s) as u64;
        bars.stages(at_least(1), at_least(2), at_least(3), self.files.len() as u64);
    }
}

/// How far along: 0 waiting, 1 read, 2 embedded, 3 searchable or failed.
fn step(fate: &Fate) -> u8 {
    match fate {
        Fate::Failed(_) => 3,
        Fate::Document { state, .. } => match state {
            DocumentState::Queued => 0,
            DocumentState::Parsed => 1,
            DocumentState::Embedded => 2,
            DocumentState::Indexed | DocumentState::Failed(_) | DocumentState::Removed => 3,
        },
    }
}

async fn submit(gateway: &GatewayHandle, file: &InputFile, max_bytes: u64) -> Fate {
    let path = file.path.clone();
    let read = tokio::task::spawn_blocking(move || files::read(&path, max_bytes)).await;
    let content = match read {
        Ok(Ok(content)) => content,
        Ok(Err(error)) => {
            let reason = format!("the file cannot be opened: {error}");
            return Fate::Failed(Failure { code: ErrorCode::Unavailable, reason });
        }
        Err(_) => {
            let reason = "reading the file panicked".to_owned();
            return Fate::Failed(Failure { code: ErrorCode::Internal, reason });
        }
    };
    let submission = SubmitDocument {
        owner: OwnerId::local(),
        operation: OperationId::from_uuid(SystemClock.new_id()),
        named: false,
        kind: file.kind,
        file_name: file.name.clone(),
        title: None,
        content: Bytes::from(content),
        notes: Notes::default(),
        urgency: Urgency::Bulk,
    };
    match gateway.ask(submission, &context()).await {
        Ok(done) => Fate::Document { id: done.document.id, new: !done.duplicate, state: done.document.state },
        Err(failure) => Fate::Failed(failure),
    }
}

/// How a file that could not be used is shown.
pub(crate) fn broken(file: &InputFile, failure: &Failure) -> BrokenFile {
    BrokenFile {
        file: file.name.clone(),
        kind: file.kind.name(),
        code: failure.code.as_str(),
        reason: failure.reason.clone(),
    }
}
