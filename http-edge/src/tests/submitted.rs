use tandem_domain::document::{DocumentKind, DocumentState, Notes};
use tandem_domain::profile::LanguageCode;
use tandem_domain::run::PairOutcome;
use tandem_messages::documents::{
    DocumentDetail, RedactedDocument, RedactedVersion, SubmitDocument, SubmittedDocument,
};
use tandem_messages::matches::MatchPage;

use super::samples::{OTHER_ID, document, document_id, pair, parsed, scored};
use super::*;

/// Keeps what it is handed and answers with it.
fn keeping() -> Site {
    Site::new(|request| match request {
        Request::SubmitDocument(submit) => {
            let mut document = document(submit.kind, DocumentState::Queued);
            (document.title, document.notes) = (submit.title.clone(), submit.notes.clone());
            Act::Reply(Reply::SubmitDocument(SubmittedDocument {
                version: document.version,
                document,
                duplicate: false,
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

fn said() -> Notes {
    Notes {
        headline: None,
        company: Some("Sample Works".to_owned()),
        resume_lang: Some(LanguageCode::ENGLISH),
        jd_lang: Some(LanguageCode::ARABIC),
        desired_output_lang: Some(LanguageCode::ENGLISH),
        custom_instructions: Some("Mind the gap.\nBe brief.".to_owned()),
    }
}

#[tokio::test]
async fn what_is_said_beside_a_job_is_kept_in_either_spelling() {
    let snake = json!({
        "title": "T", "text": "Text", "company": " Sample Works ", "resume_lang": "en", "jd_lang": "ar",
        "desired_output_lang": "en", "custom_instructions": "Mind the gap.\nBe brief.",
    });
    let camel = json!({
        "title": "T", "jobDescription": "Text", "company": "Sample Works", "resumeLang": "en", "jdLang": "ar",
        "desiredOutputLang": "en", "customInstructions": "Mind the gap.\nBe brief.",
    });
    for body in [snake, camel] {
        let site = keeping();
        let shown = site.post("/api/v1/jobs", body).await.data();
        assert_eq!((&shown["company"], &shown["jd_lang"]), (&json!("Sample Works"), &json!("ar")));
        assert_eq!((&shown["title"], &shown["embedding_status"]), (&json!("T"), &json!("pending")));
        let submission = submission(&site);
        assert_eq!(submission.notes, Notes { headline: Some("Text".to_owned()), ..said() });
        assert!(!submission.named);
    }
    let site = keeping();
    let parts: [(&str, Option<&str>, &[u8]); 7] = [
        ("company", None, b"Sample Works"),
        ("resumeLang", None, b"en"),
        ("language", None, b"ar"),
        ("desired_output_lang", None, b"en"),
        ("customInstructions", None, b"Mind the gap.\nBe brief."),
        ("title", None, b"T"),
        ("file", Some("job.txt"), b"Text"),
    ];
    assert_eq!(site.send(form("/api/v1/jobs", &parts)).await.status, 202);
    assert_eq!(submission(&site).notes, said());
}

#[tokio::test]
async fn a_job_without_a_title_is_called_by_its_first_heading_or_line() {
    let long = "x".repeat(200);
    for (text, title) in [
        ("\n  Night nurse \nWe seek", json!("Night nurse")),
        ("Hospital\n\n## Night nurse\n\n# Other", json!("Night nurse")),
        ("ممرضة ليلية\nنبحث", json!("ممرضة ليلية")),
        (long.as_str(), json!("x".repeat(80))),
    ] {
        let shown = keeping().post("/api/v1/jobs", json!({"description": text})).await.data();
        assert_eq!(shown["title"], title);
    }
    let site = keeping();
    assert_eq!(site.post("/api/v1/resumes", json!({"text": "Jane"})).await.data()["title"], Value::Null);
    assert_eq!(submission(&site).notes, Notes::default(), "a person's first line is their name");
}

#[tokio::test]
async fn resumes_come_on_the_paths_of_the_documents() {
    let site = keeping();
    let body = json!({"title": "Mine", "raw_text": "Jane", "language": "ar"});
    let answer = site.post("/api/v1/resumes/from-text", body).await;
    assert_eq!((answer.status, &answer.data()["resume_lang"]), (StatusCode::ACCEPTED, &json!("ar")));
    assert_eq!(&submission(&site).content[..], b"Jane");
    let file: [(&str, Option<&str>, &[u8]); 2] =
        [("file", Some("cv.pdf"), b"%PDF"), ("title", None, b"Mine")];
    let mut upload = form("/api/v1/resumes/upload", &file);
    upload.headers_mut().insert("idempotency-key", "once".parse().unwrap());
    assert_eq!(site.send(upload).await.status, 202);
    let submission = submission(&site);
    assert_eq!((submission.kind, submission.named), (DocumentKind::Resume, true));
    assert_eq!((submission.file_name.as_str(), submission.title.as_deref()), ("cv.pdf", Some("Mine")));
    let silent = Site::silent();
    silent.post("/api/v1/resumes/upload", json!({"text": "x"})).await.problem(400, "VALIDATION_ERROR");
    silent.send(form("/api/v1/resumes/from-text", &file)).await.problem(415, "UNSUPPORTED_TYPE");
}

#[tokio::test]
async fn what_does_not_fit_beside_a_document_is_refused_by_name() {
    let (long, longer) = ("x".repeat(301), "x".repeat(4_001));
    for (name, value) in
        [("jd_lang", "de"), ("company", long.as_str()), ("company", "a\nb"), ("custom_instructions", &longer)]
    {
        let mut body = json!({"text": "x"});
        body[name] = json!(value);
        let large = Site::silent().post("/api/v1/jobs", body).await;
        if large.status == StatusCode::PAYLOAD_TOO_LARGE {
            continue;
        }
        let detail = large.problem(400, "VALIDATION_ERROR");
        assert!(detail.contains(&format!("`{name}`")), "{detail}");
        let parts: [(&str, Option<&str>, &[u8]); 2] = [("file", None, b"x"), (name, None, value.as_bytes())];
        let detail = Site::silent().send(form("/api/v1/jobs", &parts)).await.problem(400, "VALIDATION_ERROR");
        assert!(detail.contains(&format!("`{name}`")), "{detail}");
    }
    let twice: [(&str, Option<&str>, &[u8]); 3] =
        [("file", None, b"x"), ("jd_lang", None, b"en"), ("jdLang", None, b"en")];
    let detail = Site::silent().send(form("/api/v1/jobs", &twice)).await.problem(400, "VALIDATION_ERROR");
    assert!(detail.contains("given twice"), "{detail}");
}

fn posted(body: &Value) -> HttpRequest<Body> {
    let mut request = post_json("/api/v1/jobs", body.to_string());
    request.headers_mut().insert(header::CONTENT_TYPE, "application/ld+json".parse().unwrap());
    request
}

#[tokio::test]
async fn a_posting_of_schema_org_is_a_job() {
    let posting = json!({
        "@context": "https://schema.org", "@type": "JobPosting", "title": "Rust  engineer ",
        "description": "<p>Write </script> Rust</p>",
        "hiringOrganization": {"@type": "Organization", "name": "Sample Works"},
    });
    for body in [posting.clone(), json!({"@graph": [{"@type": "Organization"}, posting]})] {
        let site = keeping();
        assert_eq!(site.send(posted(&body)).await.status, 202);
        let submission = submission(&site);
        assert_eq!(submission.title.as_deref(), Some("Rust  engineer"));
        assert_eq!(submission.notes.company.as_deref(), Some("Sample Works"));
        let page = String::from_utf8(submission.content.to_vec()).unwrap();
        assert_eq!(page.matches("</script>").count(), 1, "{page}");
        assert_eq!(submission.file_name, "job.html");
    }
    for body in [json!({"@type": "Recipe"}), json!({"title": "x"}), json!([1])] {
        Site::silent().send(posted(&body)).await.problem(400, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn a_job_shows_its_latest_result_and_what_was_asked_for() {
    let site = Site::new(|request| match request {
        Request::GetDocument(get) => {
            let mut document = document(get.kind, DocumentState::Indexed);
            document.notes = said();
            Act::Reply(Reply::GetDocument(DocumentDetail { document, parsed: Some(parsed(get.kind)) }))
        }
        Request::ListMatches(_) => {
            let (waits, done) = (pair(None), pair(Some(PairOutcome::Scored(Box::new(scored())))));
            Act::Reply(Reply::ListMatches(MatchPage { matches: vec![waits, done], next: None }))
        }
        other => panic!("asked {}", other.name()),
    });
    let job = site.get(&format!("/api/v1/jobs/{}", document_id(1))).await.data();
    assert_eq!((&job["result"]["status"], &job["result"]["score"]), (&json!("complete"), &json!(8725)));
    assert_eq!(job["custom_instructions"], "Mind the gap.\nBe brief.");
    let other = site.get(&format!("/api/v1/jobs/{}", document_id(7))).await.data();
    assert_eq!(other.get("result"), Some(&Value::Null));
    let resume = site.get(&format!("/api/v1/resumes/{OTHER_ID}")).await.data();
    assert_eq!(resume.get("result"), None);
}

#[tokio::test]
async fn a_redacted_resume_shows_no_row() {
    let site = Site::new(|request| match request {
        Request::GetRedacted(get) => {
            let parsed = parsed(DocumentKind::Resume);
            let (profile, text) = (parsed.profile, parsed.ranked_text);
            let redacted = Some(RedactedVersion { profile, text, parser: parsed.parser });
            let document = document(DocumentKind::Resume, DocumentState::Indexed);
            let (version, state) = (document.version, document.state);
            Act::Reply(Reply::GetRedacted(RedactedDocument { id: get.id, version, state, redacted }))
        }
        other => panic!("asked {}", other.name()),
    });
    let path = format!("/api/v1/resumes/{OTHER_ID}/redacted");
    let shown = site.get(&path).await.data();
    assert_eq!((&shown["id"], &shown["status"]), (&json!(OTHER_ID), &json!("complete")));
    assert_eq!((&shown["skills"][0]["id"], &shown["parser"]), (&json!("rust"), &json!("1")));
    for hidden in ["file_name", "title", "sha256", "text"] {
        assert_eq!(shown.get(hidden), None, "{hidden}");
    }
    assert_eq!(site.get(&format!("{path}?include=text")).await.data()["text"], "Rust and more");
}
