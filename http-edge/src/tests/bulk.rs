use std::sync::atomic::{AtomicUsize, Ordering};

use async_compression::Level;
use async_compression::tokio::bufread::{GzipEncoder, ZstdEncoder};
use async_compression::tokio::write::ZstdEncoder as ZstdWriter;
use async_compression::zstd::CParameter;
use axum::body::Bytes;
use futures::{StreamExt, stream};
use tandem_domain::document::{DocumentKind, DocumentState};
use tandem_domain::task::Urgency;
use tandem_messages::documents::{SubmitDocument, SubmittedDocument};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::samples::{ID, document};
use super::*;

fn taking() -> Site {
    Site::new(|request| match request {
        Request::SubmitDocument(submit) if &submit.content[..] == b"poison" => {
            Act::Fail(ErrorCode::CorruptDocument, "it is damaged")
        }
        Request::SubmitDocument(submit) => {
            let document = document(submit.kind, DocumentState::Queued);
            Act::Reply(Reply::SubmitDocument(SubmittedDocument {
                version: document.version,
                document,
                duplicate: false,
            }))
        }
        other => panic!("asked {}", other.name()),
    })
}

fn lines(path: &str, body: impl Into<Body>) -> HttpRequest<Body> {
    let request = HttpRequest::post(path).header(header::CONTENT_TYPE, "application/x-ndjson");
    request.body(body.into()).unwrap()
}

fn results(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.header(header::CONTENT_TYPE), "application/x-ndjson");
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn submissions(site: &Site) -> Vec<SubmitDocument> {
    let asked = site.asked().into_iter();
    asked.filter_map(|r| if let Request::SubmitDocument(submit) = r { Some(submit) } else { None }).collect()
}

#[tokio::test]
async fn each_line_is_answered_in_order_and_a_bad_one_stops_nothing() {
    let site = taking();
    let long = "x".repeat(100 * 1024);
    let body = [
        r#"{"text": "first", "title": "T"}"#,
        "{not json",
        "",
        r#"{"text": "poison"}"#,
        r#"{"content": "JVBERi0xLjc=", "filename": "cv.pdf"}"#,
        r#"{"content": "Jane Doe!"}"#,
        r#"{"text": "a", "content": "YQ=="}"#,
        &long,
        r##"{"text": "# Last"}"##,
    ]
    .join("\r\n");
    let answer = site.send(lines("/api/v1/resumes/bulk", body)).await;
    let results = results(&answer);
    let codes: Vec<_> =
        results.iter().map(|r| (r["line"].as_u64().unwrap(), r["error"]["errorCode"].as_str())).collect();
    assert_eq!(
        codes,
        [
            (1, None),
            (2, Some("VALIDATION_ERROR")),
            (4, Some("CORRUPT_DOCUMENT")),
            (5, None),
            (6, Some("VALIDATION_ERROR")),
            (7, Some("VALIDATION_ERROR")),
            (8, Some("PAYLOAD_TOO_LARGE")),
            (9, None),
        ]
    );
    assert_eq!(results[0]["data"], json!({"id": ID, "status": "queued", "duplicate": false}));
    assert_eq!(results[0]["error"], Value::Null);
    assert_eq!(results[1]["data"], Value::Null);
    assert_eq!(results[1]["error"]["instance"], "/api/v1/resumes/bulk");
    assert!(!answer.text().contains("Jane"), "values are never quoted");
    let asked = submissions(&site);
    let names: Vec<_> = asked.iter().map(|s| (s.kind, s.file_name.as_str(), s.title.as_deref())).collect();
    assert_eq!(names[0], (DocumentKind::Resume, "resume.txt", Some("T")));
    assert_eq!(names[2], (DocumentKind::Resume, "cv.pdf", None));
    assert_eq!(&asked[2].content[..], b"%PDF-1.7");
    assert_eq!(names[3].1, "resume.md");
    assert!(asked.iter().all(|s| s.urgency == Urgency::Bulk), "whoever waits goes before");
}

#[tokio::test]
async fn one_bad_line_among_ten_thousand_is_one_error() {
    let mut body: Vec<String> = (0..10_000).map(|n| format!(r#"{{"text": "job {n}"}}"#)).collect();
    body[4_321] = "broken".to_owned();
    let answer = taking().send(lines("/api/v1/jobs/bulk", body.join("\n"))).await;
    let results = results(&answer);
    assert_eq!(results.len(), 10_000);
    for (index, result) in results.iter().enumerate() {
        assert_eq!(result["line"], index + 1);
        assert_eq!(result["error"].is_null(), index != 4_321);
    }
}

#[tokio::test]
async fn the_same_lines_sent_again_are_the_same_intents() {
    let site = taking();
    let body = "{\"text\": \"a\"}\n{\"text\": \"a\"}\n";
    for key in ["one", "one", "two"] {
        let mut request = lines("/api/v1/jobs/bulk", body);
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        site.send(request).await;
    }
    let ids: Vec<_> = submissions(&site).iter().map(|submit| submit.operation).collect();
    assert_eq!(ids[..2], ids[2..4]);
    assert_ne!(ids[0], ids[1]);
    assert!(!ids[..4].contains(&ids[4]) && !ids[..4].contains(&ids[5]));
}

async fn packed(encoding: &str, body: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    match encoding {
        "gzip" => GzipEncoder::new(body).read_to_end(&mut packed).await.unwrap(),
        _ => ZstdEncoder::new(body).read_to_end(&mut packed).await.unwrap(),
    };
    packed
}

fn encoded(mut request: HttpRequest<Body>, encoding: &str) -> HttpRequest<Body> {
    request.headers_mut().insert(header::CONTENT_ENCODING, encoding.parse().unwrap());
    request
}

#[tokio::test]
async fn compressed_bodies_are_read() {
    let body = (0..100).map(|n| format!("{{\"text\": \"job {n}\"}}\n")).collect::<String>();
    for encoding in ["gzip", "zstd"] {
        let site = taking();
        let packed_lines = packed(encoding, body.as_bytes()).await;
        let answer = site.send(encoded(lines("/api/v1/jobs/bulk", packed_lines), encoding)).await;
        assert!(results(&answer).iter().all(|result| result["error"].is_null()));
        assert_eq!(&submissions(&site)[99].content[..], b"job 99");
        let one = packed(encoding, br#"{"text": "one"}"#).await;
        assert_eq!(site.send(encoded(post_json("/api/v1/jobs", one), encoding)).await.status, 202);
    }
    let unknown = encoded(lines("/api/v1/jobs/bulk", "x"), "br");
    taking().send(unknown).await.problem(415, "UNSUPPORTED_TYPE");
    let broken = taking().send(encoded(lines("/api/v1/jobs/bulk", "no gzip"), "gzip")).await;
    assert_eq!(results(&broken)[0]["error"]["errorCode"], "VALIDATION_ERROR");
}

#[tokio::test]
async fn bombs_are_cut_off() {
    let zeros = vec![b' '; 64 * 1024 * 1024];
    for encoding in ["gzip", "zstd"] {
        let bomb = packed(encoding, &zeros).await;
        assert!(bomb.len() < 128 * 1024);
        let answer = taking().send(encoded(lines("/api/v1/jobs/bulk", bomb.clone()), encoding)).await;
        assert_eq!(results(&answer)[0]["error"]["errorCode"], "PAYLOAD_TOO_LARGE");
        assert_eq!(results(&answer).len(), 1);
        let answer = taking().send(encoded(post_json("/api/v1/jobs", bomb), encoding)).await;
        answer.problem(413, "PAYLOAD_TOO_LARGE");
    }
    // A frame whose head asks for a window of 256 MiB, however little is in it.
    let mut wide =
        ZstdWriter::with_quality_and_params(Vec::new(), Level::Fastest, &[CParameter::window_log(28)]);
    wide.write_all(b"{\"text\": \"small\"}").await.unwrap();
    wide.flush().await.unwrap();
    wide.shutdown().await.unwrap();
    let answer = taking().send(encoded(lines("/api/v1/jobs/bulk", wide.into_inner()), "zstd")).await;
    assert_eq!(results(&answer)[0]["error"]["errorCode"], "VALIDATION_ERROR");
}

#[tokio::test]
async fn whoever_does_not_read_is_not_read_from() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let endless = stream::repeat_with(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok::<_, std::io::Error>(Bytes::from_static(b"{\"text\": \"more\"}\n"))
    });
    let site = taking();
    let response =
        site.app.clone().oneshot(lines("/api/v1/jobs/bulk", Body::from_stream(endless))).await.unwrap();
    let mut answers = response.into_body().into_data_stream();
    for _ in 0..5 {
        answers.next().await.unwrap().unwrap();
    }
    let sent = sent.load(Ordering::Relaxed);
    assert!(sent < 2_000, "{sent} lines were read for 5 answers");
}

#[tokio::test]
async fn a_body_has_its_limit_and_uploads_theirs() {
    let site = taking();
    let declared = HttpRequest::post("/api/v1/jobs/bulk")
        .header(header::CONTENT_TYPE, "application/x-ndjson")
        .header(header::CONTENT_LENGTH, MAX_BULK_BYTES + 1)
        .body(Body::empty());
    site.send(declared.unwrap()).await.problem(413, "PAYLOAD_TOO_LARGE");
    site.send(post_json("/api/v1/jobs/bulk", "{}")).await.problem(415, "UNSUPPORTED_TYPE");
    let mut open = Vec::new();
    for _ in 0..crate::routes::bulk::MAX_UPLOADS {
        let body = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        open.push(site.app.clone().oneshot(lines("/api/v1/jobs/bulk", body)).await.unwrap());
    }
    site.send(lines("/api/v1/jobs/bulk", "")).await.problem(503, "OVERLOADED");
    open.pop();
    assert!(results(&site.send(lines("/api/v1/jobs/bulk", "")).await).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_line_that_does_not_arrive_ends_the_request() {
    let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{\"text\": \"a\"}\n{"))]);
    let body = Body::from_stream(first.chain(stream::pending()));
    let answer = taking().send(lines("/api/v1/jobs/bulk", body)).await;
    let results = results(&answer);
    assert_eq!(results[0]["error"], Value::Null);
    assert_eq!((&results[1]["line"], &results[1]["error"]["errorCode"]), (&json!(2), &json!("TIMEOUT")));
    assert_eq!(results.len(), 2);
}
