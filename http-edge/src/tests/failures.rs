use std::time::Duration;

use axum::body::Bytes;
use futures::stream;
use tandem_messages::documents::DocumentPage;

use super::samples::ID;
use super::*;
use crate::problem::meaning_of;

#[tokio::test]
async fn every_code_has_its_status_and_its_whole_shape() {
    for code in ErrorCode::ALL {
        let site = Site::new(|_| Act::Fail(*code, "shelf 7"));
        let answer = site.get("/api/v1/resumes").await;
        let meaning = meaning_of(*code);
        let detail = answer.problem(meaning.status.as_u16(), code.as_str());
        let message = if *code == ErrorCode::UpgradeRequired { "shelf 7" } else { meaning.message };
        assert_eq!(answer.json()["message"], message);
        assert_eq!(answer.json()["retryable"], code.retryable());
        assert_eq!(answer.json()["instance"], "/api/v1/resumes");
        assert_eq!(detail.contains("shelf 7"), !meaning.status.is_server_error(), "{code} shows its reason");
    }
}

#[tokio::test]
async fn the_documented_codes_have_their_messages() {
    for (code, status, message) in [
        (ErrorCode::Validation, 400, "Something in your request needs a tweak."),
        (ErrorCode::RateLimited, 429, "You're moving fast! Try again in a moment."),
        (ErrorCode::Timeout, 504, "This took longer than expected. Please try again."),
    ] {
        assert_eq!((meaning_of(code).status.as_u16(), meaning_of(code).message), (status, message));
    }
}

#[tokio::test]
async fn unknown_routes_and_methods_are_refused() {
    let site = Site::silent();
    for path in ["/", "/api/v1", "/api/v1/resume", "/api/v2/resumes", "/api/v1/resumes/"] {
        site.get(path).await.problem(404, "NOT_FOUND");
    }
    let answer = site.send(HttpRequest::delete("/api/v1/resumes").body(Body::empty()).unwrap()).await;
    answer.problem(405, "METHOD_NOT_ALLOWED");
    let allowed = answer.header(header::ALLOW);
    assert!(allowed.contains("POST") && allowed.contains("GET"), "{allowed}");
    let answer = site.send(HttpRequest::post("/healthz").body(Body::empty()).unwrap()).await;
    answer.problem(405, "METHOD_NOT_ALLOWED");
}

/// A body that must not be read.
fn untouchable() -> Body {
    Body::from_stream(stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, std::io::Error>>> {
        panic!("the body was read")
    }))
}

#[tokio::test]
async fn a_declared_length_over_the_limit_is_refused_unread() {
    let site = Site::silent();
    let multipart = "multipart/form-data; boundary=edge";
    let form_limit = MAX_DOCUMENT_BYTES + 64 * 1024;
    for (path, media, limit) in [
        ("/api/v1/resumes", multipart, form_limit),
        ("/api/v1/jobs", multipart, form_limit),
        ("/api/v1/jobs", "application/json", MAX_JSON_BYTES as u64),
        ("/api/v1/matches", "application/json", MAX_JSON_BYTES as u64),
        ("/api/v1/match-runs", "application/json", MAX_JSON_BYTES as u64),
    ] {
        let request = HttpRequest::post(path)
            .header(header::CONTENT_TYPE, media)
            .header(header::CONTENT_LENGTH, limit + 1)
            .body(untouchable())
            .unwrap();
        let detail = site.send(request).await.problem(413, "PAYLOAD_TOO_LARGE");
        assert!(detail.contains(&limit.to_string()), "{detail}");
    }
}

#[tokio::test]
async fn a_streamed_body_over_the_limit_is_refused() {
    let site = Site::silent();
    let endless = || {
        let chunk = Bytes::from(vec![b' '; 1024]);
        Body::from_stream(stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone())))
    };
    for path in ["/api/v1/jobs", "/api/v1/matches", "/api/v1/match-runs"] {
        site.send(post_json(path, endless())).await.problem(413, "PAYLOAD_TOO_LARGE");
    }
    let head = "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";
    let chunk = Bytes::from(vec![b'x'; 1024]);
    let chunks = stream::iter(std::iter::once(Bytes::from(head)).chain(std::iter::repeat(chunk)));
    let body = Body::from_stream(futures::StreamExt::map(chunks, Ok::<_, std::io::Error>));
    let request = HttpRequest::post("/api/v1/resumes")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge")
        .body(body)
        .unwrap();
    site.send(request).await.problem(413, "PAYLOAD_TOO_LARGE");
    let file = vec![b'x'; MAX_DOCUMENT_BYTES as usize + 1];
    let answer = site.send(form("/api/v1/resumes", &[("file", Some("a.txt"), &file)])).await;
    assert!(answer.problem(413, "PAYLOAD_TOO_LARGE").contains(&MAX_DOCUMENT_BYTES.to_string()));
}

#[tokio::test]
async fn other_media_types_are_refused() {
    let site = Site::silent();
    for path in ["/api/v1/resumes", "/api/v1/jobs", "/api/v1/matches", "/api/v1/match-runs"] {
        for media in ["text/plain", "application/xml", ""] {
            let request = HttpRequest::post(path).header(header::CONTENT_TYPE, media);
            let answer = site.send(request.body(Body::from("{}")).unwrap()).await;
            answer.problem(415, "UNSUPPORTED_TYPE");
        }
    }
    let request =
        HttpRequest::post("/api/v1/matches").header(header::CONTENT_TYPE, "Application/JSON; charset=utf-8");
    site.send(request.body(Body::from("{}")).unwrap()).await.problem(400, "VALIDATION_ERROR");
}

#[tokio::test]
async fn json_that_does_not_fit_is_refused_by_field_without_its_values() {
    let site = Site::silent();
    for (path, body, expected) in [
        ("/api/v1/jobs", "{", "not valid JSON: line 1, column 1"),
        ("/api/v1/jobs", "{} {}", "missing field `text`"),
        ("/api/v1/jobs", r#"{"text": "a"} Jane"#, "not valid JSON"),
        ("/api/v1/jobs", r#"["Jane", "x"]"#, "the body: expected a JSON object"),
        ("/api/v1/jobs", r#""Jane""#, "the body: expected a JSON object"),
        ("/api/v1/jobs", r#"{"text": 5}"#, "field `text`: expected a string"),
        ("/api/v1/jobs", r#"{"title": ["Jane"], "text": ""}"#, "field `title`: expected a string"),
        ("/api/v1/jobs", r#"{"text": "a", "color": "Jane"}"#, "unknown field `color`: expected"),
        ("/api/v1/jobs", r#"{"text": "a", "Jane, expected": 1}"#, "unknown field `…`"),
        ("/api/v1/jobs", r#"{"text": "a", "text": "Jane"}"#, "duplicate field `text`"),
        ("/api/v1/matches", "{}", "missing field `resumeId`"),
        ("/api/v1/matches", r#"{"resumeId": "Jane", "jobId": ""}"#, "field `resumeId`: expected a UUID"),
        ("/api/v1/matches", r#"{"resume_id": {"Jane": 1}}"#, "field `resume_id`: expected a UUID"),
        ("/api/v1/match-runs", r#"{"query": "Jane"}"#, "field `query`: expected"),
    ] {
        let answer = site.send(post_json(path, body)).await;
        let detail = answer.problem(400, "VALIDATION_ERROR");
        assert!(detail.contains(expected), "{body}: {detail}");
        assert!(!answer.text().contains("Jane"), "{body}: {detail}");
    }
    let deep = "[".repeat(4_000);
    site.send(post_json("/api/v1/match-runs", deep)).await.problem(400, "VALIDATION_ERROR");
    site.send(post_json("/api/v1/match-runs", vec![0xff, 0xfe])).await.problem(400, "VALIDATION_ERROR");
}

#[tokio::test]
async fn ids_that_are_no_uuids_are_refused() {
    let site = Site::silent();
    for path in ["resumes/1", "jobs/x", "matches/%00", "match-runs/%ff", "match-runs/1/results"] {
        site.get(&format!("/api/v1/{path}")).await.problem(400, "VALIDATION_ERROR");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_ends_at_its_deadline() {
    let site = Site::new(|_| Act::Never);
    let begun = tokio::time::Instant::now();
    let answer = site.get(&format!("/api/v1/resumes/{ID}")).await;
    answer.problem(504, "TIMEOUT");
    assert_eq!(begun.elapsed(), Duration::from_secs(30));
    assert_eq!(site.contexts()[0].deadline, Duration::from_secs(30));
    let stalled = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    site.send(post_json("/api/v1/matches", stalled)).await.problem(504, "TIMEOUT");
}

#[tokio::test]
async fn a_panic_is_answered() {
    let answer = Site::new(|_| Act::Panic).get("/api/v1/resumes").await;
    answer.problem(500, "INTERNAL");
    assert!(!answer.text().contains("as the test wants"));
}

#[tokio::test]
async fn more_than_may_be_are_refused_and_probes_are_not() {
    let site = Site::with_places(1, |request| match request {
        Request::ListDocuments(_) => {
            Act::Reply(Reply::ListDocuments(DocumentPage { documents: Vec::new(), next: None }))
        }
        _ => Act::Never,
    });
    let request = HttpRequest::get(format!("/api/v1/resumes/{ID}")).body(Body::empty()).unwrap();
    let mut first = Box::pin(site.app.clone().oneshot(request));
    assert!(futures::poll!(&mut first).is_pending());
    let answer = site.get("/api/v1/resumes").await;
    answer.problem(503, "OVERLOADED");
    assert_eq!(answer.header(header::RETRY_AFTER), "1");
    assert_eq!(site.get("/livez").await.status, StatusCode::OK);
    assert_eq!(site.get("/metrics").await.status, StatusCode::OK);
    drop(first);
    assert_eq!(site.get("/api/v1/resumes").await.status, StatusCode::OK);
}
