use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tandem_domain::document::{DocumentKind, DocumentState};
use tandem_domain::run::Progress;
use tandem_messages::documents::{DocumentDetail, DocumentStates};
use tokio_util::sync::CancellationToken;

use super::samples::{ID, document, document_id, run};
use super::*;

fn events(path: &str, last: Option<&str>) -> HttpRequest<Body> {
    let mut request = HttpRequest::get(path).body(Body::empty()).unwrap();
    if let Some(last) = last {
        request.headers_mut().insert("last-event-id", last.parse().unwrap());
    }
    request
}

/// A run of four items, of which one more is done each time somebody looks.
fn running(from: u32) -> Site {
    let done = AtomicU32::new(from);
    Site::new(move |request| match request {
        Request::GetRun(_) => {
            let done = done.fetch_add(1, Ordering::Relaxed).min(4);
            Act::Reply(Reply::GetRun(run(Progress { items: 4, done, failed: 0, canceled: 0 })))
        }
        other => panic!("asked {}", other.name()),
    })
}

fn field(text: &str, name: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn r8_a_run_is_followed_until_it_is_settled() {
    let path = format!("/api/v1/match-runs/{ID}/events");
    let answer = running(2).send(events(&path, None)).await;
    assert_eq!(answer.header(header::CONTENT_TYPE), "text/event-stream");
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-cache");
    let text = answer.text();
    assert_eq!(field(&text, "id:"), ["2.0.0", "3.0.0", "4.0.0"]);
    assert_eq!(field(&text, "event:"), ["progress", "progress", "settled"]);
    let last: Value = serde_json::from_str(field(&text, "data:").last().unwrap()).unwrap();
    assert_eq!((&last["id"], &last["status"]), (&json!(ID), &json!("complete")));
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_comes_back_is_told_nothing_twice() {
    let path = format!("/api/v1/match-runs/{ID}/events");
    let answer = running(2).send(events(&path, Some("2.0.0"))).await;
    assert_eq!(field(&answer.text(), "id:"), ["3.0.0", "4.0.0"]);
    let request = events(&path, Some("4.0.0"));
    let response = running(4).app.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT, "readers of this status do not come back");
}

#[tokio::test(start_paused = true)]
async fn a_document_is_followed_through_its_states() {
    let looks = AtomicU32::new(0);
    let state = move || match looks.fetch_add(1, Ordering::Relaxed) {
        0..4 => DocumentState::Queued,
        4..6 => DocumentState::Parsed,
        _ => DocumentState::Indexed,
    };
    let site = Site::new(move |request| match request {
        Request::GetDocument(get) => Act::Reply(Reply::GetDocument(DocumentDetail {
            document: document(get.kind, state()),
            parsed: None,
        })),
        Request::GetDocumentStates(_) => {
            Act::Reply(Reply::GetDocumentStates(DocumentStates { states: vec![(document_id(0), state())] }))
        }
        other => panic!("asked {}", other.name()),
    });
    for route in ["resumes", "jobs"] {
        let answer = site.send(events(&format!("/api/v1/{route}/{ID}/events"), None)).await;
        let text = answer.text();
        assert_eq!(field(&text, "event:").last().unwrap(), "settled");
        assert_eq!(field(&text, "id:").last().unwrap(), "1.indexed");
        assert!(!text.contains("secret"), "the object key is internal");
    }
    let kinds: Vec<_> = site
        .asked()
        .iter()
        .filter_map(|request| if let Request::GetDocument(get) = request { Some(get.kind) } else { None })
        .collect();
    assert!(kinds.contains(&DocumentKind::Resume) && kinds.contains(&DocumentKind::Job));
}

/// A run that never moves.
fn stuck() -> Site {
    Site::new(|request| match request {
        Request::GetRun(_) => {
            Act::Reply(Reply::GetRun(run(Progress { items: 4, done: 1, failed: 0, canceled: 0 })))
        }
        other => panic!("asked {}", other.name()),
    })
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_has_a_heartbeat_and_an_end() {
    let site = stuck();
    let begun = tokio::time::Instant::now();
    let answer = site.send(events(&format!("/api/v1/match-runs/{ID}/events"), Some("1.0.0"))).await;
    let lasted = begun.elapsed();
    assert!(lasted > Duration::from_secs(890) && lasted <= Duration::from_secs(900), "{lasted:?}");
    let beats = answer.text().lines().filter(|line| line.starts_with(':')).count();
    assert!((58..=60).contains(&beats), "{beats} heartbeats");
    assert!(site.asked().len() < 300, "looks get rarer while nothing changes");
}

#[tokio::test(start_paused = true)]
async fn streams_are_bounded_and_end_when_the_node_stops() {
    let fake = stuck().fake;
    let stopping = CancellationToken::new();
    let app = crate::router::app_until(state(8, fake.clone()), stopping.clone());
    let site = Site { app, fake };
    let path = format!("/api/v1/match-runs/{ID}/events");
    let mut open = Vec::new();
    for _ in 0..2 {
        open.push(site.app.clone().oneshot(events(&path, None)).await.unwrap());
    }
    site.send(events(&path, None)).await.problem(503, "OVERLOADED");
    drop(open.pop());
    let last = site.app.clone().oneshot(events(&path, None)).await.unwrap();
    stopping.cancel();
    for response in [open.remove(0), last] {
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert!(!String::from_utf8(body.to_vec()).unwrap().contains("settled"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_has_no_events() {
    let site = Site::new(|_| Act::Fail(ErrorCode::NotFound, "there is no such run"));
    for resource in ["match-runs", "resumes", "jobs"] {
        site.send(events(&format!("/api/v1/{resource}/{ID}/events"), None)).await.problem(404, "NOT_FOUND");
    }
    let silent = Site::silent();
    silent.get(&format!("/api/v1/jobs/{ID}/events?x=1")).await.problem(400, "VALIDATION_ERROR");
}
