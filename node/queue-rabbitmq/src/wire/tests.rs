use tandem_domain::trace::{SpanId, TraceId};
use tandem_ports::testsuite::samples;

use super::*;

fn key() -> TaskRef {
    TaskRef { owner: samples::owner("alice"), id: TaskId::from_uuid(samples::uuid("task", 1)) }
}

#[test]
fn a_key_is_read_back() {
    let body = encode(&key());
    assert_eq!(decode(&body), Some(key()));
    assert_eq!(body.len(), 17 + key().owner.as_str().len(), "the key and nothing else");
}

#[test]
fn what_is_no_key_is_none() {
    let body = encode(&key());
    for end in 0..18 {
        assert_eq!(decode(body.get(..end).unwrap()), None, "cut at {end}");
    }
    let mut other = body.clone();
    other[0] = ENCODING + 1;
    assert_eq!(decode(&other), None, "a later encoding");
    let mut long = body.clone();
    long.extend(std::iter::repeat_n(b'a', OwnerId::MAX_LEN));
    assert_eq!(decode(&long), None, "an owner that is too long");
    let mut foreign = body;
    foreign.extend_from_slice(&[0xff, 0xfe]);
    assert_eq!(decode(&foreign), None, "no text");
}

#[test]
fn deliveries_add_up() {
    assert_eq!(delivered(&BasicProperties::default()), 0);
    assert_eq!(delivered(&properties(3, None)), 3);
    let mut headers = headers(3, None);
    headers.insert("x-delivery-count".into(), AMQPValue::LongInt(2));
    assert_eq!(delivered(&with_headers(headers)), 5);
    let mut headers = FieldTable::default();
    headers.insert("x-delivery-count".into(), AMQPValue::LongLongInt(-7));
    assert_eq!(delivered(&with_headers(headers)), 0);
}

#[test]
fn a_trace_is_read_back() {
    let context = TraceContext { trace: TraceId::new(7), span: SpanId::new(9), sampled: true };
    for properties in [properties(1, Some(context)), dead(1, Some(context), "why", Timestamp::default())] {
        assert_eq!(trace(&properties), Some(context));
    }
    assert_eq!(trace(&properties(1, None)), None);
    let mut foreign = FieldTable::default();
    foreign.insert(TRACEPARENT.into(), AMQPValue::LongString("00-no".into()));
    assert_eq!(trace(&with_headers(foreign)), None);
    let mut foreign = FieldTable::default();
    foreign.insert(TRACEPARENT.into(), AMQPValue::LongLongInt(7));
    assert_eq!(trace(&with_headers(foreign)), None);
}

#[test]
fn a_death_has_a_reason() {
    let now = Timestamp::from_millis(1_234);
    assert_eq!(death(&dead(2, None, "poison", now)), ("poison".to_owned(), Some(now)));
    let (reason, _) = death(&dead(2, None, &"x".repeat(REASON_MOST + 9), now));
    assert_eq!(reason.len(), REASON_MOST);
    assert_eq!(death(&BasicProperties::default()), ("no reason was given".to_owned(), None));
    let mut headers = FieldTable::default();
    headers.insert("x-first-death-reason".into(), AMQPValue::LongString("delivery_limit".into()));
    let (reason, died_at) = death(&with_headers(headers));
    assert_eq!((reason.as_str(), died_at), ("it was delivered too often and never settled", None));
}
