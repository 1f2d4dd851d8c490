use tandem_domain::document::{Document, DocumentKind, DocumentState, DocumentVersion, Notes, Version};
use tandem_domain::ids::ContentDigest;
use tandem_messages::documents::{DocumentDetail, SubmittedDocument};

use super::samples::{ID, document, parsed};
use super::*;

/// A document whose first version is searched and whose second one waits.
fn two(kind: DocumentKind) -> Document {
    let first = document(kind, DocumentState::Indexed);
    let second = DocumentVersion {
        version: Version(2),
        file_name: "second.txt".to_owned(),
        title: Some("Second".to_owned()),
        media: first.media,
        digest: ContentDigest::of(b"second"),
        size: 6,
        object_key: "resumes/secret-2.txt".to_owned(),
        state: DocumentState::Queued,
        created_at: first.created_at,
        notes: Notes { custom_instructions: Some("Mind the team.".to_owned()), ..Notes::default() },
    };
    first.with_version(second).unwrap()
}

fn site() -> Site {
    Site::new(|request| match request {
        Request::SubmitVersion(q) => Act::Reply(Reply::SubmitVersion(SubmittedDocument {
            document: two(q.submission.kind),
            version: Version(2),
            duplicate: &q.submission.content[..] == b"there",
        })),
        Request::RefineJob(_) => Act::Reply(Reply::RefineJob(SubmittedDocument {
            document: two(DocumentKind::Job),
            version: Version(2),
            duplicate: false,
        })),
        Request::GetDocument(q) => {
            match q.version.map_or(Some(two(q.kind)), |version| two(q.kind).at(version)) {
                Some(document) => {
                    let parsed = (document.version == Version::FIRST).then(|| parsed(q.kind));
                    Act::Reply(Reply::GetDocument(DocumentDetail { document, parsed }))
                }
                None => Act::Fail(ErrorCode::NotFound, "there is no such version"),
            }
        }
        other => panic!("asked {}", other.name()),
    })
}

#[tokio::test]
async fn a_version_is_handed_in_as_a_document_is() {
    for (route, kind) in [("resumes", DocumentKind::Resume), ("jobs", DocumentKind::Job)] {
        let site = site();
        let path = format!("/api/v1/{route}/{ID}/versions");
        let answer = site.send(form(&path, &[("file", Some("cv.pdf"), b"%PDF-1.7")])).await;
        assert_eq!(
            (answer.status, answer.header(header::LOCATION)),
            (StatusCode::ACCEPTED, &*format!("{path}/2"))
        );
        let data = answer.data();
        assert_eq!(
            (&data["submitted_version"], &data["latest_version"], &data["version"]),
            (&json!(2), &json!(2), &json!(1))
        );
        assert_eq!((&data["status"], &data["embedding_status"]), (&json!("queued"), &json!("indexed")));
        let known = site.post(&path, json!({"text": "there"})).await;
        assert_eq!((known.status, &known.data()["duplicate"]), (StatusCode::OK, &json!(true)));
        let asked = site.asked();
        let Request::SubmitVersion(first) = &asked[0] else { panic!("asked {asked:?}") };
        assert_eq!((first.id.to_string().as_str(), first.submission.kind), (ID, kind));
        assert_eq!(first.submission.file_name, "cv.pdf");
    }
    Site::silent()
        .post("/api/v1/resumes/x/versions", json!({"text": "x"}))
        .await
        .problem(400, "VALIDATION_ERROR");
}

#[tokio::test]
async fn versions_are_listed_newest_first_and_shown_one_by_one() {
    let site = site();
    let path = format!("/api/v1/resumes/{ID}/versions");
    let list = site.get(&path).await.data();
    let shown: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|v| (&v["version"], &v["active"])).collect();
    assert_eq!(shown, [(&json!(2), &json!(false)), (&json!(1), &json!(true))]);
    assert_eq!(list["items"][0]["embedding_status"], "pending");
    assert_eq!(list["items"][1]["embedding_status"], "indexed");
    let first = site.get(&format!("{path}/1?include=text")).await;
    assert!(first.data()["parsed"]["text"].is_string(), "{}", first.text());
    let second = site.get(&format!("{path}/2")).await.data();
    assert_eq!((&second["title"], &second["parsed"]), (&json!("Second"), &Value::Null));
    assert_eq!(second["custom_instructions"], "Mind the team.");
    assert!(!site.get(&format!("{path}/2")).await.text().contains("secret"), "keys of objects are nobody's");
    site.get(&format!("{path}/3")).await.problem(404, "NOT_FOUND");
    for bad in ["0", "-1", "x", "99999999999"] {
        site.get(&format!("{path}/{bad}")).await.problem(400, "VALIDATION_ERROR");
    }
    site.get(&format!("{path}?x=1")).await.problem(400, "VALIDATION_ERROR");
}

#[tokio::test]
async fn a_job_is_refined_with_other_words() {
    let site = site();
    let path = format!("/api/v1/jobs/{ID}/refine");
    let answer = site.post(&path, json!({"customInstructions": " Mind. ", "desiredOutputLang": "ar"})).await;
    assert_eq!(
        (answer.status, answer.header(header::LOCATION)),
        (StatusCode::ACCEPTED, &*format!("/api/v1/jobs/{ID}"))
    );
    assert_eq!(answer.data()["status"], "queued");
    let asked = site.asked();
    let Request::RefineJob(asked) = &asked[0] else { panic!("asked {asked:?}") };
    assert_eq!((asked.named, asked.notes.custom_instructions.as_deref()), (false, Some("Mind.")));
    assert_eq!(asked.notes.desired_output_lang, Some(tandem_domain::profile::LanguageCode::ARABIC));
    for bad in [json!({"jd_lang": "de"}), json!({"instructions": "x".repeat(4_001)}), json!({"text": "x"})] {
        site.post(&path, bad).await.problem(400, "VALIDATION_ERROR");
    }
}

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn with_token(token: &str) -> Site {
    let mut site = site();
    let mut state = state(8, site.fake.clone());
    state.accounts = true;
    state.limits.login_failure.per_minute = 0;
    state.config.workflow_token = serde_json::from_value(json!(token)).unwrap();
    site.app = app(state);
    site
}

fn callback(kind: &str, token: Option<&str>, body: &Value) -> HttpRequest<Body> {
    let mut request = post_json(&format!("/api/v1/callbacks/n8n/{kind}"), body.to_string());
    if let Some(token) = token {
        request.headers_mut().insert("x-workflow-token", token.parse().unwrap());
    }
    request
}

#[tokio::test]
async fn a_workflow_shows_its_token_before_anything_of_it_is_read() {
    let report = json!({"resume_id": ID, "user_id": "alice", "raw_text": "text", "parsed_json": {"a": [1]}});
    let closed = with_token("");
    for token in [None, Some(""), Some(TOKEN)] {
        closed.send(callback("resume", token, &report)).await.problem(404, "NOT_FOUND");
    }
    let site = with_token(TOKEN);
    for token in [None, Some(""), Some("x"), Some("0123456789abcdef0123456789abcdeF"), Some(&TOKEN.repeat(2))]
    {
        site.send(callback("resume", token, &json!(["broken"]))).await.problem(401, "AUTH_REQUIRED");
    }
    assert!(site.asked().is_empty() && closed.asked().is_empty());
    let answer = site.send(callback("resume", Some(TOKEN), &report)).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    assert_eq!(answer.header(header::LOCATION), format!("/api/v1/resumes/{ID}/versions/2"));
}

#[tokio::test]
async fn a_report_is_a_version_of_whose_document_it_says() {
    let site = with_token(TOKEN);
    let job = json!({"jobId": ID, "job_description": "Rust engineer", "company": "Sample Works", "title": "Engineer"});
    assert_eq!(site.send(callback("job", Some(TOKEN), &job)).await.status, StatusCode::ACCEPTED);
    let resume = json!({"resumeId": ID, "userId": "alice", "rawText": "there"});
    assert_eq!(site.send(callback("resume", Some(TOKEN), &resume)).await.status, StatusCode::OK);
    let asked = site.asked();
    let [Request::SubmitVersion(job), Request::SubmitVersion(resume)] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!((job.submission.owner.as_str(), job.submission.kind), ("local", DocumentKind::Job));
    assert_eq!(job.submission.notes.company.as_deref(), Some("Sample Works"));
    assert_eq!((resume.submission.owner.as_str(), &resume.submission.content[..]), ("alice", &b"there"[..]));
    for bad in [
        json!({"resume_id": ID}),
        json!({"resume_id": "x", "raw_text": "x"}),
        json!({"resume_id": ID, "raw_text": "x", "user_id": "a b"}),
        json!({"resume_id": ID, "raw_text": "x", "z": 1}),
    ] {
        site.send(callback("resume", Some(TOKEN), &bad)).await.problem(400, "VALIDATION_ERROR");
    }
}
