use super::*;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

fn headers(sent: &[&'static str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in sent {
        headers.append(TRACEPARENT, HeaderValue::from_static(value));
    }
    headers
}

#[test]
fn a_request_is_a_part_of_its_senders_trace() {
    let found = RequestTrace::of(&headers(&[PARENT]), true);
    let sender = TraceContext::parse(PARENT.as_bytes()).unwrap();
    assert_eq!((found.own.trace, found.parent), (sender.trace, Some(sender.span)));
    assert_ne!(found.own.span, sender.span);
    assert!(!found.own.sampled, "as its sender wants");
    let mut answer = HeaderMap::new();
    found.tell(&mut answer);
    assert_eq!(answer[TRACERESPONSE].to_str().unwrap(), found.own.to_string());
}

#[test]
fn a_trace_begins_here_where_there_is_none_to_trust() {
    let begun = [
        (headers(&[]), true),
        (headers(&["00-0-0-01"]), true),
        (headers(&[PARENT, PARENT]), true),
        (headers(&[PARENT]), false),
    ]
    .map(|(headers, trusted)| RequestTrace::of(&headers, trusted));
    let sent = TraceContext::parse(PARENT.as_bytes()).unwrap();
    for (number, one) in begun.iter().enumerate() {
        assert_eq!((one.parent, one.own.sampled), (None, true));
        assert_ne!(one.own.trace, sent.trace);
        assert!(begun.iter().skip(number + 1).all(|other| other.own.trace != one.own.trace));
        let mut answer = HeaderMap::new();
        one.tell(&mut answer);
        assert!(answer.is_empty(), "who sends no trace is told none");
    }
}
