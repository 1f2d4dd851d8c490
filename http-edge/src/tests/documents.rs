use tandem_domain::document::{DocumentKind, DocumentState, Failure};
use tandem_domain::task::Urgency;
use tandem_messages::documents::{DocumentDetail, DocumentPage, SubmitDocument, SubmittedDocument};
use tandem_messages::matches::MatchPage;

use super::samples::{ID, OTHER_ID, document, document_id, parsed};
use super::*;

fn accepting(duplicate: bool) -> Site {
    Site::new(move |request| match request {
        Request::SubmitDocument(submit) => {
            let document = document(submit.kind, DocumentState::Queued);
            Act::Reply(Reply::SubmitDocument(SubmittedDocument {
                version: document.version,
                document,
                duplicate,
            }))
        }
        other => panic!("asked {}", other.name()),
    })
}

fn submission(site: &Site) -> SubmitDocument {
    match site.asked().pop() {
        Some(Request::SubmitDocument(submission)) => submission,
        other => panic!("asked {other:?}"),
    }
}

#[tokio::test]
async fn a_file_is_accepted_on_both_routes() {
    for (route, kind) in [("resumes", DocumentKind::Resume), ("jobs", DocumentKind::Job)] {
        let site = accepting(false);
        let path = format!("/api/v1/{route}");
        let parts: [(&str, Option<&str>, &[u8]); 2] =
            [("title", None, b" Engineer "), ("file", Some("cv.pdf"), b"%PDF-1.7")];
        let answer = site.send(form(&path, &parts)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        assert_eq!(answer.header(header::LOCATION), format!("{path}/{ID}"));
        assert_eq!(answer.data()["status"], "queued");
        assert_eq!(answer.data()["duplicate"], false);
        let submission = submission(&site);
        assert_eq!((submission.kind, submission.file_name.as_str()), (kind, "cv.pdf"));
        assert_eq!(submission.title.as_deref(), Some("Engineer"));
        assert_eq!(&submission.content[..], b"%PDF-1.7");
        assert_eq!(submission.urgency, Urgency::Interactive);
    }
}

#[tokio::test]
async fn a_text_is_accepted_and_named_by_its_form() {
    for (text, file_name) in [("Rust engineer", "job.txt"), ("# Rust engineer\n\n## Tasks", "job.md")] {
        let site = accepting(false);
        let answer = site.post("/api/v1/jobs", json!({"title": "T", "text": text})).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        let submission = submission(&site);
        assert_eq!(submission.file_name, file_name);
        assert_eq!(&submission.content[..], text.as_bytes());
    }
    let site = accepting(false);
    assert_eq!(site.post("/api/v1/resumes", json!({"text": "#1 in sales"})).await.status, 202);
    assert_eq!((submission(&site).file_name.as_str(), submission(&site).title), ("resume.txt", None));
}

#[tokio::test]
async fn a_duplicate_is_answered_with_200() {
    let answer = accepting(true).post("/api/v1/resumes", json!({"text": "again"})).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.data()["duplicate"], true);
    assert_eq!(answer.header(header::LOCATION), format!("/api/v1/resumes/{ID}"));
}

#[tokio::test]
async fn an_idempotency_key_names_one_operation_per_route() {
    let site = accepting(false);
    let mut operations = Vec::new();
    for (path, key) in [
        ("/api/v1/resumes", Some("a")),
        ("/api/v1/resumes", Some("a")),
        ("/api/v1/resumes", Some("b")),
        ("/api/v1/jobs", Some("a")),
        ("/api/v1/resumes", None),
        ("/api/v1/resumes", None),
    ] {
        let mut request = post_json(path, r#"{"text": "x"}"#);
        if let Some(key) = key {
            request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        }
        assert_eq!(site.send(request).await.status, 202);
        operations.push(submission(&site).operation);
    }
    assert_eq!(operations[0], operations[1]);
    operations.remove(0);
    let count = operations.len();
    operations.sort();
    operations.dedup();
    assert_eq!(operations.len(), count);
    let mut broken = post_json("/api/v1/jobs", r#"{"text": "x"}"#);
    broken.headers_mut().insert("idempotency-key", "two words".parse().unwrap());
    assert!(site.send(broken).await.problem(400, "VALIDATION_ERROR").contains("Idempotency-Key"));
}

#[tokio::test]
async fn forms_are_refused_with_the_field_that_is_wrong() {
    let site = Site::silent();
    let file: (&str, Option<&str>, &[u8]) = ("file", Some("a.txt"), b"x");
    let long = "x".repeat(301);
    let cases = [
        (vec![("title", None, &b"T"[..])], "no field `file`"),
        (vec![file, file], "`file` is given twice"),
        (vec![file, ("color", None, b"red")], "unknown field `color`"),
        (vec![file, ("two words", None, b"red")], "unknown field: expected"),
        (vec![file, ("title", None, b"two\nlines")], "field `title`"),
        (vec![file, ("title", None, long.as_bytes())], "field `title`"),
    ];
    for (parts, expected) in cases {
        let answer = site.send(form("/api/v1/resumes", &parts)).await;
        let detail = answer.problem(400, "VALIDATION_ERROR");
        assert!(detail.contains(expected), "{detail}");
    }
    let cut = HttpRequest::post("/api/v1/resumes")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge")
        .body(Body::from("--edge\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nhalf"))
        .unwrap();
    assert!(site.send(cut).await.problem(400, "VALIDATION_ERROR").contains("form"));
    let no_boundary = HttpRequest::post("/api/v1/resumes")
        .header(header::CONTENT_TYPE, "multipart/form-data")
        .body(Body::empty())
        .unwrap();
    assert!(site.send(no_boundary).await.problem(400, "VALIDATION_ERROR").contains("boundary"));
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let site = Site::new(|request| match request {
        Request::ListDocuments(list) => Act::Reply(Reply::ListDocuments(DocumentPage {
            documents: vec![document(list.kind, DocumentState::Indexed)],
            next: list.after.is_none().then(|| document_id(0)),
        })),
        other => panic!("asked {}", other.name()),
    });
    for route in ["resumes", "jobs"] {
        let first = site.get(&format!("/api/v1/{route}?limit=1")).await.data();
        assert_eq!(first["items"][0]["status"], "complete");
        let cursor = first["next_cursor"].as_str().unwrap();
        let last = site.get(&format!("/api/v1/{route}?limit=1&cursor={cursor}")).await.data();
        assert_eq!(last["next_cursor"], Value::Null);
    }
    let Some(Request::ListDocuments(asked)) = site.asked().pop() else { panic!("nothing asked") };
    assert_eq!((asked.kind, asked.after, asked.limit), (DocumentKind::Job, Some(document_id(0)), 1));
}

#[tokio::test]
async fn queries_that_do_not_fit_are_refused_by_name() {
    let site = Site::silent();
    for (query, expected) in [
        ("limit=0", "`limit`"),
        ("limit=1001", "`limit`"),
        ("limit=ten", "`limit`"),
        ("cursor=here", "`cursor`"),
        ("limt=5", "unknown query parameter `limt`"),
        ("limit=1&limit=2", "twice"),
    ] {
        let detail = site.get(&format!("/api/v1/jobs?{query}")).await.problem(400, "VALIDATION_ERROR");
        assert!(detail.contains(expected), "{detail}");
    }
    let detail = site.get(&format!("/api/v1/jobs/{ID}?include=all")).await.problem(400, "VALIDATION_ERROR");
    assert!(detail.contains("`include`"), "{detail}");
}

fn showing(state: DocumentState) -> Site {
    Site::new(move |request| match request {
        Request::GetDocument(get) => Act::Reply(Reply::GetDocument(DocumentDetail {
            document: document(get.kind, state.clone()),
            parsed: (state != DocumentState::Queued).then(|| parsed(get.kind)),
        })),
        Request::ListMatches(_) => {
            Act::Reply(Reply::ListMatches(MatchPage { matches: Vec::new(), next: None }))
        }
        other => panic!("asked {}", other.name()),
    })
}

#[tokio::test]
async fn each_state_has_a_status() {
    let failure = Failure { code: ErrorCode::NoText, reason: "pictures only".to_owned() };
    for (state, status) in [
        (DocumentState::Queued, "queued"),
        (DocumentState::Parsed, "processing"),
        (DocumentState::Embedded, "processing"),
        (DocumentState::Indexed, "complete"),
        (DocumentState::Failed(failure), "failed"),
    ] {
        let data = showing(state.clone()).get(&format!("/api/v1/resumes/{ID}")).await.data();
        assert_eq!((data["status"].as_str(), data["stage"].as_str()), (Some(status), Some(state.name())));
        assert_eq!(data["failure"]["code"] == "NO_TEXT", status == "failed");
        assert_eq!(data["parsed"].is_null(), status == "queued");
    }
}

#[tokio::test]
async fn what_was_read_is_shown_with_names() {
    let site = showing(DocumentState::Indexed);
    let job = site.get(&format!("/api/v1/jobs/{OTHER_ID}")).await;
    let parsed = &job.data()["parsed"];
    assert_eq!(parsed["skills"][0]["id"], "rust");
    assert_eq!(parsed["skills"][0]["name"], "Rust");
    assert_eq!(parsed["profile"]["basics"]["name"]["value"], "Ada Sample");
    assert_eq!(parsed["profile"]["months_by_skill"]["rust"], 30);
    assert_eq!(parsed["profile"]["requirements"]["skills"][0]["any_of"][0]["name"], "Rust");
    assert_eq!(parsed["profile"]["requirements"]["skills"][0]["level"], "must");
    assert_eq!(parsed["findings"][0]["kind"], "hidden_text");
    assert_eq!(parsed.get("text"), None);
    assert!(!job.text().contains("resumes/secret.txt"), "the object key is internal");
    let with_text = site.get(&format!("/api/v1/jobs/{OTHER_ID}?include=text")).await.data();
    assert_eq!(with_text["parsed"]["text"], "Rust and more");
}
