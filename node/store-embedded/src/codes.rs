//! Kinds and states as the numbers in the file. A number that was given is never given to anything else.

use tandem_domain::document::{DocumentKind, DocumentState};
use tandem_domain::task::{TaskKind, TaskState};
use tandem_ports::documents::ChangeAction;

pub(crate) const fn document_kind(kind: DocumentKind) -> u8 {
    match kind {
        DocumentKind::Resume => 1,
        DocumentKind::Job => 2,
    }
}

pub(crate) const fn document_state(state: &DocumentState) -> u8 {
    match state {
        DocumentState::Queued => 1,
        DocumentState::Parsed => 2,
        DocumentState::Embedded => 3,
        DocumentState::Indexed => 4,
        DocumentState::Failed(_) => 5,
        DocumentState::Removed => 6,
    }
}

pub(crate) const fn task_kind(kind: TaskKind) -> u8 {
    match kind {
        TaskKind::Parse => 1,
        TaskKind::Embed => 2,
        TaskKind::MatchInteractive => 3,
        TaskKind::MatchBulk => 4,
        TaskKind::Erase => 5,
        TaskKind::ParseBulk => 6,
        TaskKind::EmbedBulk => 7,
    }
}

/// The state of a task in a worker's hands.
pub(crate) const LEASED: u8 = 2;

/// States under 3 are unsettled: the index `tasks_unsettled` knows it.
pub(crate) const fn task_state(state: &TaskState) -> u8 {
    match state {
        TaskState::Queued => 1,
        TaskState::Leased(_) => LEASED,
        TaskState::Done => 3,
        TaskState::Dead => 4,
    }
}

pub(crate) const fn change_action(action: ChangeAction) -> u8 {
    match action {
        ChangeAction::Upsert => 1,
        ChangeAction::Remove => 2,
    }
}

pub(crate) const fn change_action_of(code: u8) -> Option<ChangeAction> {
    match code {
        1 => Some(ChangeAction::Upsert),
        2 => Some(ChangeAction::Remove),
        _ => None,
    }
}
