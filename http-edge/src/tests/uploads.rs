use tandem_domain::document::{DocumentKind, DocumentState};
use tandem_domain::ids::ContentDigest;
use tandem_domain::time::Timestamp;
use tandem_messages::documents::SubmittedDocument;
use tandem_messages::uploads::{AdmittedUpload, OpenedUpload, SentUpload, UploadTarget};

use super::samples::{ID, document};
use super::*;

const UPLOAD: &str = "/api/v1/resumes/upload";
const UNTIL_S: i64 = 1_793_534_400;

fn site() -> Site {
    site_with(UploadTarget::Edge("signed".to_owned()))
}

fn site_with(target: UploadTarget) -> Site {
    Site::new(move |request| match request {
        Request::OpenUpload(_) => Act::Reply(Reply::OpenUpload(OpenedUpload {
            id: "ticket.mac".to_owned(),
            target: target.clone(),
            headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
            until: Timestamp::from_millis(UNTIL_S * 1000),
        })),
        Request::AdmitUpload(q) if q.upload.signature != "signed" => {
            Act::Fail(ErrorCode::Forbidden, "this URL was not given out like this")
        }
        Request::AdmitUpload(_) => Act::Reply(Reply::AdmitUpload(AdmittedUpload { size: 4 })),
        Request::SendUpload(q) => Act::Reply(Reply::SendUpload(SentUpload {
            size: q.content.len() as u64,
            until: Timestamp::from_millis(UNTIL_S * 1000),
        })),
        Request::CompleteUpload(q) => {
            let document = document(DocumentKind::Resume, DocumentState::Queued);
            let (version, duplicate) = (document.version, q.title.is_some());
            Act::Reply(Reply::CompleteUpload(SubmittedDocument { document, version, duplicate }))
        }
        other => panic!("asked {}", other.name()),
    })
}

fn asking() -> Value {
    json!({"fileName": "cv.txt", "contentType": "text/plain", "size": 4})
}

fn put(path: &str, body: &'static str) -> HttpRequest<Body> {
    HttpRequest::put(path).header(header::CONTENT_TYPE, "text/plain").body(body.into()).unwrap()
}

#[tokio::test]
async fn the_answer_says_where_a_file_can_be_sent() {
    let site = site();
    let mut request = post_json(UPLOAD, asking().to_string());
    request.headers_mut().insert(header::HOST, "tandem.example.org:8080".parse().unwrap());
    let answer = site.send(request).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let url = format!(
        "http://tandem.example.org:8080/api/v1/uploads/ticket.mac?expires={UNTIL_S}&signature=signed"
    );
    let expected = json!({
        "id": "ticket.mac", "method": "PUT", "url": url, "headers": {"content-type": "text/plain"},
        "expires_at": "2026-11-01T12:00:00.000Z", "complete": "/api/v1/resumes/upload/ticket.mac/complete",
    });
    assert_eq!(answer.data(), expected);
    let hashed = ContentDigest::of(b"Anna");
    let body = json!({"file_name": "cv.pdf", "size": 4, "sha256": hashed.to_string()});
    let mut named = post_json(UPLOAD, body.to_string());
    named.headers_mut().insert("idempotency-key", "one".parse().unwrap());
    let answer = site.send(named).await;
    assert!(
        answer.data()["url"].as_str().unwrap().starts_with("/api/v1/uploads/"),
        "nobody says where it is"
    );
    let asked = site.asked();
    let [Request::OpenUpload(first), Request::OpenUpload(second)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((first.file_name.as_str(), first.size, first.named), ("cv.txt", 4, false));
    assert_eq!((first.media_type.as_deref(), first.digest), (Some("text/plain"), None));
    assert_eq!((second.media_type.as_deref(), second.digest, second.named), (None, Some(hashed), true));
}

#[tokio::test]
async fn it_may_be_a_bucket_or_an_address_that_is_configured() {
    let bucket = "https://bucket.example.org/originals/uploads/a.part?X-Amz-Signature=1";
    let site = site_with(UploadTarget::Store(bucket.to_owned()));
    assert_eq!(site.post(UPLOAD, asking()).await.data()["url"], bucket);
    let mut site = super::uploads::site();
    let mut state = state(8, site.fake.clone());
    state.config.public_url = "https://tandem.example.org/".to_owned();
    site.app = app(state);
    let url = site.post(UPLOAD, asking()).await.data()["url"].as_str().unwrap().to_owned();
    assert!(url.starts_with("https://tandem.example.org/api/v1/uploads/ticket.mac?"), "{url}");
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused() {
    for bad in [
        json!({"file_name": "a.pdf"}),
        json!({"size": 4}),
        json!({"file_name": "", "size": 4}),
        json!({"file_name": "x".repeat(256), "size": 4}),
        json!({"file_name": "a.pdf", "size": -1}),
        json!({"file_name": "a.pdf", "size": 4, "sha256": "abc"}),
        json!({"file_name": "a.pdf", "size": 4, "content_type": "text/plain\r\nx: y"}),
        json!({"file_name": "a.pdf", "size": 4, "owner": "mallory"}),
        json!({"text": "x"}),
    ] {
        let detail = Site::silent().post(UPLOAD, bad).await.problem(400, "VALIDATION_ERROR");
        assert!(!detail.contains("mallory"), "{detail}");
    }
    let other = HttpRequest::post(UPLOAD).header(header::CONTENT_TYPE, "application/pdf");
    Site::silent().send(other.body("%PDF".into()).unwrap()).await.problem(415, "UNSUPPORTED_TYPE");
}

#[tokio::test]
async fn a_signed_url_takes_a_file_of_the_size_that_was_announced() {
    let site = site();
    let path = format!("/api/v1/uploads/ticket.mac?expires={UNTIL_S}&signature=");
    let answer = site.send(put(&format!("{path}signed"), "Anna")).await;
    assert_eq!((answer.status, &answer.data()["size"]), (StatusCode::OK, &json!(4)));
    site.send(put(&format!("{path}signed"), "Annabel")).await.problem(413, "PAYLOAD_TOO_LARGE");
    let streamed = Body::from_stream(futures::stream::iter([Ok::<_, std::io::Error>("Anna"), Ok("bel")]));
    let streamed = HttpRequest::put(format!("{path}signed")).body(streamed).unwrap();
    site.send(streamed).await.problem(413, "PAYLOAD_TOO_LARGE");
    let refused = site.send(put(&format!("{path}invented"), "Anna")).await;
    refused.problem(403, "FORBIDDEN");
    assert!(!refused.text().contains("invented"), "{}", refused.text());
    let base = "/api/v1/uploads/ticket.mac";
    for bad in ["", "?expires=1", "?signature=signed", "?expires=x&signature=signed"] {
        site.send(put(&format!("{base}{bad}"), "Anna")).await.problem(403, "FORBIDDEN");
    }
    site.send(put(&format!("{path}signed&x=1"), "Anna")).await.problem(400, "VALIDATION_ERROR");
    let sent = site.asked().into_iter().filter(|asked| matches!(asked, Request::SendUpload(_))).count();
    assert_eq!(sent, 1, "nothing of a refused body gets through");
    site.get(base).await.problem(405, "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn a_signed_url_needs_no_other_credential_and_everything_else_does() {
    let site = Site::with_accounts(|request| match request {
        Request::AdmitUpload(_) => Act::Fail(ErrorCode::Forbidden, "this URL has expired"),
        other => panic!("asked {}", other.name()),
    });
    site.send(put("/api/v1/uploads/a.b?expires=1&signature=s", "Anna")).await.problem(403, "FORBIDDEN");
    site.post(UPLOAD, asking()).await.problem(401, "AUTH_REQUIRED");
    site.post(&format!("{UPLOAD}/a.b/complete"), json!({})).await.problem(401, "AUTH_REQUIRED");
}

#[tokio::test]
async fn an_upload_is_completed_as_a_file_is_submitted() {
    let site = site();
    let path = format!("{UPLOAD}/ticket.mac/complete");
    let answer = site.send(HttpRequest::post(&path).body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status, &answer.data()["id"]), (StatusCode::ACCEPTED, &json!(ID)));
    assert_eq!(answer.header(header::LOCATION), format!("/api/v1/resumes/{ID}"));
    let mut request = post_json(&path, json!({"title": " Mine ", "resumeLang": "ar"}).to_string());
    request.headers_mut().insert("idempotency-key", "one".parse().unwrap());
    assert_eq!(site.send(request).await.status, StatusCode::OK);
    let asked = site.asked();
    let [Request::CompleteUpload(first), Request::CompleteUpload(second)] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!((first.id.as_str(), first.owner.as_str()), ("ticket.mac", "local"));
    assert_eq!((first.operation, &first.title), (None, &None));
    assert_eq!((second.operation.is_some(), second.title.as_deref()), (true, Some("Mine")));
    assert!(second.notes.resume_lang.is_some());

    let silent = Site::silent();
    silent.post(&path, json!({"title": "x".repeat(301)})).await.problem(400, "VALIDATION_ERROR");
    silent.post(&path, json!({"size": 4})).await.problem(400, "VALIDATION_ERROR");
    let typed = HttpRequest::post(&path).header(header::CONTENT_TYPE, "text/plain");
    silent.send(typed.body("x".into()).unwrap()).await.problem(415, "UNSUPPORTED_TYPE");
}
