use tandem_domain::trace::TraceContext;
use tandem_messages::health::Health;

use super::*;

const SENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn request(path: &str, traceparent: &str) -> HttpRequest<Body> {
    HttpRequest::get(path).header("traceparent", traceparent).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn the_gateway_is_asked_as_a_part_of_the_senders_trace() {
    let site = Site::new(|request| match request {
        Request::GetHealth(_) => Act::Reply(Reply::GetHealth(Health { ready: true, checks: Vec::new() })),
        other => panic!("asked {}", other.name()),
    });
    let sent = TraceContext::parse(SENT.as_bytes()).unwrap();
    let traced = site.send(request("/healthz", SENT)).await;
    let mended = site.send(request("/healthz", "00-no-trace-01")).await;
    let begun = site.get("/healthz").await;
    let traces: Vec<TraceContext> = site.contexts().iter().map(|context| context.trace.unwrap()).collect();
    let [own, other, third] = traces[..] else { panic!("{traces:?}") };
    assert_eq!((own.trace, own.sampled), (sent.trace, true));
    assert_ne!(own.span, sent.span);
    assert_eq!(traced.header("traceresponse"), own.to_string());
    assert!(own.trace != other.trace && other.trace != third.trace);
    assert_eq!((mended.header("traceresponse"), begun.header("traceresponse")), ("", ""));
}

#[tokio::test]
async fn failures_say_their_trace_too() {
    let site = Site::silent();
    for (path, status) in [("/nowhere", 404), ("/api/v1/resumes?limit=none", 400)] {
        let answer = site.send(request(path, SENT)).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
        assert!(answer.header("traceresponse").starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
    }
}
