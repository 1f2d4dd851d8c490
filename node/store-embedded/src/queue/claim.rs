//! Taking due messages for a subscription, and giving back.

use std::time::Duration;

use rusqlite::{Connection, params};
use tandem_domain::task::{TaskKind, TaskRef};
use tandem_domain::time::Timestamp;
use tandem_domain::trace::TraceContext;
use tandem_ports::queue::Delivery;

use super::board::{Board, Returned};
use super::task_ref;
use crate::codes;
use crate::error::Fault;

/// What a claim did.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) deliveries: Vec<Delivery>,
    /// When their time runs out.
    pub(super) until: Timestamp,
    /// Tokens of what was given back on the way.
    pub(super) returned: Vec<u64>,
    /// When the next message comes due, if one lies ahead.
    pub(super) next: Option<Timestamp>,
}

/// Takes what is due, as far as the subscription has room.
pub(super) fn claim(
    connection: &Connection,
    board: &Board,
    (id, kind): (u64, TaskKind),
    now: Timestamp,
    visibility: Duration,
) -> Result<Claimed, Fault> {
    let returned = give_back(connection, &board.returned(), now)?;
    let (until, code) = (now.plus(visibility), codes::task_kind(kind));
    let mut deliveries = Vec::new();
    for Due { task, delivered, trace } in due(connection, code, now, board.room(id, now))? {
        let token = board.claim(id, &task, until);
        let count = delivered.saturating_add(1);
        let update = "UPDATE queue SET token = ?, delivered = ?, visible_at = ?
            WHERE owner = ? AND task = ? AND kind = ?";
        let key = (task.owner.as_str(), task.id.as_uuid().into_bytes());
        let row = params![token.cast_signed(), count, until.millis(), key.0, key.1, code];
        connection.prepare_cached(update)?.execute(row)?;
        deliveries.push(Delivery { task, kind, token, count, trace });
    }
    let select = "SELECT min(visible_at) FROM queue WHERE kind = ? AND visible_at > ?";
    let next: Option<i64> =
        connection.prepare_cached(select)?.query_row(params![code, now.millis()], |row| row.get(0))?;
    Ok(Claimed { deliveries, until, returned, next: next.map(Timestamp::from_millis) })
}

/// A message whose time has come.
struct Due {
    task: TaskRef,
    delivered: u32,
    trace: Option<TraceContext>,
}

fn due(connection: &Connection, kind: u8, now: Timestamp, room: usize) -> Result<Vec<Due>, Fault> {
    let select = "SELECT owner, task, delivered, trace FROM queue WHERE kind = ? AND visible_at <= ?
        ORDER BY visible_at LIMIT ?";
    let mut statement = connection.prepare_cached(select)?;
    let rows = statement.query_and_then(params![kind, now.millis(), room as i64], |row| {
        let trace: Option<String> = row.get(3)?;
        let trace = trace.and_then(|trace| TraceContext::parse(trace.as_bytes()));
        Ok(Due { task: task_ref(row.get(0)?, row.get(1)?)?, delivered: row.get(2)?, trace })
    })?;
    rows.collect()
}

/// Makes deliverable at once what dropped subscriptions held. A token that the table does not have any more was
/// settled or delivered to somebody else.
pub(super) fn give_back(
    connection: &Connection,
    returned: &[Returned],
    now: Timestamp,
) -> Result<Vec<u64>, Fault> {
    let update = "UPDATE queue SET token = NULL, visible_at = ?, delivered = delivered - ?
        WHERE owner = ? AND task = ? AND token = ?";
    for Returned { task, token, handed_out } in returned {
        let (owner, id) = (task.owner.as_str(), task.id.as_uuid().into_bytes());
        let row = params![now.millis(), u8::from(!handed_out), owner, id, token.cast_signed()];
        connection.prepare_cached(update)?.execute(row)?;
    }
    Ok(returned.iter().map(|returned| returned.token).collect())
}
