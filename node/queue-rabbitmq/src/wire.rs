//! What a message says: the task's key in its body, and in its headers what only the queue needs.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use tandem_domain::ids::{OwnerId, TaskId};
use tandem_domain::task::TaskRef;
use tandem_domain::time::Timestamp;
use tandem_domain::trace::{TRACEPARENT, TraceContext};
use uuid::Uuid;

#[cfg(test)]
mod tests;

/// The first byte of a body: this encoding. 1, then the task's id (16 bytes), then the owner (ASCII, to the end).
const ENCODING: u8 = 1;
/// Deliveries of the message from which this one was made.
const DELIVERED: &str = "tandem-delivered";
/// Why it was put aside.
const REASON: &str = "tandem-reason";
/// When it was put aside, in milliseconds.
const DIED_AT: &str = "tandem-died-at";
/// Survives a restart of the broker.
const PERSISTENT: u8 = 2;
/// The longest reason that is kept, in characters.
const REASON_MOST: usize = 1_000;

/// The body of a message.
pub(crate) fn encode(task: &TaskRef) -> Vec<u8> {
    let mut body = vec![ENCODING];
    body.extend_from_slice(task.id.as_uuid().as_bytes());
    body.extend_from_slice(task.owner.as_str().as_bytes());
    body
}

/// The key in a body; `None` if it is none that this version can read.
pub(crate) fn decode(body: &[u8]) -> Option<TaskRef> {
    let (encoding, rest) = body.split_first()?;
    if *encoding != ENCODING {
        return None;
    }
    let (id, owner) = rest.split_first_chunk::<16>()?;
    let owner = String::from_utf8(owner.to_vec()).ok()?;
    let owner = OwnerId::try_from(owner).ok()?;
    Some(TaskRef { owner, id: TaskId::from_uuid(Uuid::from_bytes(*id)) })
}

/// The properties of a message that was delivered `delivered` times before it was written, and is a part of a trace.
pub(crate) fn properties(delivered: u32, trace: Option<TraceContext>) -> BasicProperties {
    with_headers(headers(delivered, trace))
}

/// The properties of a message that is put aside.
pub(crate) fn dead(
    delivered: u32,
    trace: Option<TraceContext>,
    reason: &str,
    now: Timestamp,
) -> BasicProperties {
    let reason: String = reason.chars().take(REASON_MOST).collect();
    let mut headers = headers(delivered, trace);
    headers.insert(REASON.into(), AMQPValue::LongString(reason.into()));
    headers.insert(DIED_AT.into(), AMQPValue::LongLongInt(now.millis()));
    with_headers(headers)
}

fn headers(delivered: u32, trace: Option<TraceContext>) -> FieldTable {
    let mut headers = FieldTable::default();
    headers.insert(DELIVERED.into(), AMQPValue::LongLongInt(i64::from(delivered)));
    if let Some(trace) = trace {
        headers.insert(TRACEPARENT.into(), AMQPValue::LongString(trace.to_string().into()));
    }
    headers
}

fn with_headers(headers: FieldTable) -> BasicProperties {
    BasicProperties::default().with_delivery_mode(PERSISTENT).with_headers(headers)
}

/// Deliveries of a message before this one: those of the message it was made from, and its own returns.
pub(crate) fn delivered(properties: &BasicProperties) -> u32 {
    written(properties).saturating_add(count(properties, "x-delivery-count"))
}

/// Deliveries before the message was written.
pub(crate) fn written(properties: &BasicProperties) -> u32 {
    count(properties, DELIVERED)
}

/// What the message is a part of (W3C Trace Context: AMQP protocol).
pub(crate) fn trace(properties: &BasicProperties) -> Option<TraceContext> {
    match header(properties, TRACEPARENT) {
        Some(AMQPValue::LongString(trace)) => TraceContext::parse(trace.as_bytes()),
        Some(_) | None => None,
    }
}

fn count(properties: &BasicProperties, name: &str) -> u32 {
    let count = header(properties, name).and_then(integer).unwrap_or(0);
    u32::try_from(count.max(0)).unwrap_or(u32::MAX)
}

/// Why and when a message was put aside; the broker itself does it with what was returned too often.
pub(crate) fn death(properties: &BasicProperties) -> (String, Option<Timestamp>) {
    if let Some(AMQPValue::LongString(reason)) = header(properties, REASON) {
        let died_at = header(properties, DIED_AT).and_then(integer).map(Timestamp::from_millis);
        return (reason.to_string(), died_at);
    }
    let why = match header(properties, "x-first-death-reason") {
        Some(AMQPValue::LongString(why)) if why.as_bytes() == b"delivery_limit" => {
            "it was delivered too often and never settled".to_owned()
        }
        Some(AMQPValue::LongString(why)) => format!("the broker put it aside: {why}"),
        Some(_) | None => "no reason was given".to_owned(),
    };
    let first = match header(properties, "x-death") {
        Some(AMQPValue::FieldArray(deaths)) => deaths.as_slice().first(),
        Some(_) | None => None,
    };
    let time = match first {
        Some(AMQPValue::FieldTable(death)) => death.inner().get("time"),
        Some(_) | None => None,
    };
    let died_at = match time {
        Some(AMQPValue::Timestamp(seconds)) => i64::try_from(*seconds).ok(),
        Some(_) | None => None,
    };
    (why, died_at.map(|seconds| Timestamp::from_millis(seconds.saturating_mul(1_000))))
}

fn header<'a>(properties: &'a BasicProperties, name: &str) -> Option<&'a AMQPValue> {
    properties.headers().as_ref()?.inner().get(name)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a broker may count in any of its integer types")]
fn integer(value: &AMQPValue) -> Option<i64> {
    match value {
        AMQPValue::ShortShortInt(n) => Some(i64::from(*n)),
        AMQPValue::ShortShortUInt(n) => Some(i64::from(*n)),
        AMQPValue::ShortInt(n) => Some(i64::from(*n)),
        AMQPValue::ShortUInt(n) => Some(i64::from(*n)),
        AMQPValue::LongInt(n) => Some(i64::from(*n)),
        AMQPValue::LongUInt(n) => Some(i64::from(*n)),
        AMQPValue::LongLongInt(n) => Some(*n),
        _ => None,
    }
}
