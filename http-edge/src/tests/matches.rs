use tandem_domain::document::Failure;
use tandem_domain::run::PairOutcome;
use tandem_domain::score::Category;
use tandem_messages::matches::{CreateMatch, MatchPage, MatchView};

use super::samples::{ID, OTHER_ID, document_id, pair, scored};
use super::*;

fn accepting() -> Site {
    Site::new(|request| match request {
        Request::CreateMatch(_) => Act::Reply(Reply::CreateMatch(MatchView { pair: pair(None) })),
        other => panic!("asked {}", other.name()),
    })
}

fn created(site: &Site) -> CreateMatch {
    match site.asked().pop() {
        Some(Request::CreateMatch(question)) => question,
        other => panic!("asked {other:?}"),
    }
}

#[tokio::test]
async fn a_match_is_accepted_in_either_case() {
    for body in [json!({"resumeId": ID, "jobId": OTHER_ID}), json!({"resume_id": ID, "job_id": OTHER_ID})] {
        let site = accepting();
        let answer = site.post("/api/v1/matches", body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        assert_eq!(answer.header(header::LOCATION), format!("/api/v1/matches/{OTHER_ID}"));
        assert_eq!(answer.data(), json!({"id": OTHER_ID, "status": "queued"}));
        let question = created(&site);
        assert_eq!((question.resume, question.job), (document_id(0), document_id(1)));
        assert_eq!(question.weights.of(Category::Skills), 5_000, "the node's own weights");
    }
}

#[tokio::test]
async fn weights_are_taken_and_checked() {
    let weights = |skills: i64| json!({"skills": skills, "title": 0, "semantic": 0, "experience": 0, "education": 0, "languages": 0});
    let body = |weights| json!({"resumeId": ID, "jobId": OTHER_ID, "weights": weights});
    let site = accepting();
    assert_eq!(site.post("/api/v1/matches", body(weights(10_000))).await.status, 202);
    assert_eq!(created(&site).weights.of(Category::Skills), 10_000);
    for (weights, expected) in [
        (weights(9_999), "field `weights`: weights must sum to 10000, these sum to 9999"),
        (weights(-1), "field `weights.skills`: expected a whole number in range"),
        (json!({"skills": 10_000}), "field `weights`: missing field `title`"),
        (json!({"skill": 10_000}), "unknown field `skill`: expected one of `skills`, `title`"),
        (json!("high"), "field `weights`: expected an object of six weights"),
    ] {
        let detail = site.post("/api/v1/matches", body(weights)).await.problem(400, "VALIDATION_ERROR");
        assert!(detail.contains(expected), "{detail}");
    }
}

#[tokio::test]
async fn a_match_is_shown_with_its_reasons() {
    let site = Site::new(|request| match request {
        Request::GetMatch(_) => {
            let pair = pair(Some(PairOutcome::Scored(Box::new(scored()))));
            Act::Reply(Reply::GetMatch(MatchView { pair }))
        }
        other => panic!("asked {}", other.name()),
    });
    let data = site.get(&format!("/api/v1/matches/{OTHER_ID}")).await.data();
    assert_eq!((&data["status"], &data["score"]), (&json!("complete"), &json!(8_725)));
    assert_eq!((&data["resume_id"], &data["job_id"]), (&data["resumeId"], &data["jobId"]));
    let summary = &data["summary"];
    assert_eq!((&summary["percent"], &summary["confidence"]), (&json!(87.25), &json!(6_000)));
    assert_eq!(
        summary["categories"][0],
        json!({
            "category": "skills", "state": "known", "score": 9_000, "weight": 100
        })
    );
    assert_eq!(summary["categories"][1]["state"], "not_asked");
    assert_eq!(summary["categories"][4]["state"], "unknown");
    assert_eq!(summary["found_skills"][0]["by"], json!({"id": "rust", "name": "Rust"}));
    assert_eq!(summary["missing_skills"][0]["any_of"][0]["name"], "Docker");
    assert_eq!(summary["missing_skills"][0]["score_if_met"], 9_300);
    assert_eq!(summary["receipt"]["model"]["dimensions"], 384);
    assert_eq!(summary["receipt"]["weights"]["skills"], 3_800);
}

#[tokio::test]
async fn a_failed_match_says_why_and_lists_show_every_status() {
    let failure = Failure { code: ErrorCode::NotReady, reason: "the job is not parsed".to_owned() };
    let failed = PairOutcome::Failed(failure);
    let site = Site::new(move |request| match request {
        Request::GetMatch(_) => Act::Reply(Reply::GetMatch(MatchView { pair: pair(Some(failed.clone())) })),
        Request::ListMatches(list) => Act::Reply(Reply::ListMatches(MatchPage {
            matches: vec![pair(None), pair(Some(failed.clone()))],
            next: list.after.is_none().then(|| pair(None).id),
        })),
        other => panic!("asked {}", other.name()),
    });
    let data = site.get(&format!("/api/v1/matches/{ID}")).await.data();
    assert_eq!(data["failure"], json!({"code": "NOT_READY", "reason": "the job is not parsed"}));
    assert_eq!(data["summary"], Value::Null);
    let list = site.get("/api/v1/matches").await.data();
    assert_eq!(
        (&list["items"][0]["status"], &list["items"][1]["status"]),
        (&json!("queued"), &json!("failed"))
    );
    let next = list["next_cursor"].as_str().unwrap();
    assert_eq!(site.get(&format!("/api/v1/matches?cursor={next}")).await.data()["next_cursor"], Value::Null);
}

#[tokio::test]
async fn a_key_with_another_body_is_refused() {
    let reused = "this key was used for another match";
    let site = Site::new(move |_| Act::Fail(ErrorCode::KeyReused, reused));
    let mut request = post_json("/api/v1/matches", json!({"resumeId": ID, "jobId": OTHER_ID}).to_string());
    request.headers_mut().insert("idempotency-key", "a".parse().unwrap());
    assert_eq!(site.send(request).await.problem(422, "IDEMPOTENCY_KEY_REUSED"), reused);
}
