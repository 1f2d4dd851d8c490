use axum::body::Body;
use futures::StreamExt;
use tandem_domain::document::{DocumentKind, Failure};
use tandem_domain::run::{Progress, RowKey, RunSpec, Selection};
use tandem_domain::score::Category;
use tandem_messages::runs::{FailedItems, GetRows, RowPage};

use super::samples::{ID, OTHER_ID, document_id, row, run};
use super::*;

const DONE: Progress = Progress { items: 2, done: 2, failed: 0, canceled: 0 };

fn accepting() -> Site {
    Site::new(|request| match request {
        Request::CreateRun(_) => {
            Act::Reply(Reply::CreateRun(run(Progress { items: 2, done: 0, failed: 0, canceled: 0 })))
        }
        other => panic!("asked {}", other.name()),
    })
}

fn spec(site: &Site) -> RunSpec {
    match site.asked().pop() {
        Some(Request::CreateRun(question)) => question.spec,
        other => panic!("asked {other:?}"),
    }
}

#[tokio::test]
async fn a_run_is_accepted_with_defaults() {
    let site = accepting();
    let answer = site.post("/api/v1/match-runs", json!({"query": "job", "queries": [ID]})).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.header(header::LOCATION), format!("/api/v1/match-runs/{ID}"));
    assert_eq!(answer.data()["status"], "queued");
    let spec = spec(&site);
    assert_eq!((spec.query_kind, spec.candidates, spec.top), (DocumentKind::Job, Selection::All, 10));
    assert_eq!((spec.min_score.points(), spec.weights.of(Category::Skills)), (0, 5_000));
}

#[tokio::test]
async fn a_run_is_accepted_with_everything_said() {
    let site = accepting();
    for key in ["min_score", "minScore"] {
        let mut body = json!({
            "query": "resume", "queries": [OTHER_ID], "candidates": [ID], "top": 3,
            "weights": {
                "skills": 10_000, "title": 0, "semantic": 0, "experience": 0, "education": 0, "languages": 0
            },
        });
        body[key] = json!(2_500);
        assert_eq!(site.post("/api/v1/match-runs", body).await.status, 202);
        let spec = spec(&site);
        assert_eq!(spec.query_kind, DocumentKind::Resume);
        assert_eq!(spec.queries, [document_id(1)]);
        assert_eq!(spec.candidates, Selection::Ids(vec![document_id(0)]));
        assert_eq!((spec.top, spec.min_score.points()), (3, 2_500));
        assert_eq!(spec.weights.of(Category::Skills), 10_000);
    }
}

#[tokio::test]
async fn a_run_that_does_not_fit_is_refused_by_field() {
    let site = Site::silent();
    let base = json!({"query": "job", "queries": [ID]});
    for (key, value, expected) in [
        ("query", json!("person"), "field `query`: expected `job` or `resume`"),
        ("queries", json!([]), "at least one query"),
        ("queries", json!([ID, "John Doe"]), "field `queries[1]`: expected a UUID"),
        ("candidates", json!("some"), "field `candidates`: expected \"all\" or a list of UUIDs"),
        ("candidates", json!(5), "field `candidates`: expected \"all\" or a list of UUIDs"),
        ("candidates", json!([5]), "field `candidates[0]`: expected a UUID"),
        ("top", json!(0), "top must lie in 1..=1000"),
        ("top", json!("many"), "field `top`: expected a whole number in range"),
        ("min_score", json!(10_001), "field `min_score`: a score lies in 0..=10000"),
    ] {
        let mut body = base.clone();
        body[key] = value;
        let answer = site.post("/api/v1/match-runs", body).await;
        let detail = answer.problem(400, "VALIDATION_ERROR");
        assert!(detail.contains(expected), "{detail}");
        assert!(!answer.text().contains("John Doe"), "values are never quoted");
    }
}

#[tokio::test]
async fn a_run_shows_progress_and_what_failed() {
    let site = Site::new(|request| match request {
        Request::GetRun(_) => {
            Act::Reply(Reply::GetRun(run(Progress { items: 2, done: 0, failed: 1, canceled: 0 })))
        }
        Request::GetFailedItems(_) => {
            let failure = Failure { code: ErrorCode::NotFound, reason: "no such job".to_owned() };
            Act::Reply(Reply::GetFailedItems(FailedItems { items: vec![(1, failure)] }))
        }
        other => panic!("asked {}", other.name()),
    });
    let data = site.get(&format!("/api/v1/match-runs/{ID}")).await.data();
    assert_eq!(data["status"], "processing");
    assert_eq!(data["progress"], json!({"items": 2, "done": 0, "failed": 1, "cancelled": 0}));
    assert_eq!(
        data["failed_items"],
        json!([{
            "item": 1, "query_id": document_id(2).to_string(),
            "failure": {"code": "NOT_FOUND", "reason": "no such job"},
        }])
    );
}

#[tokio::test]
async fn a_run_is_canceled_and_shown() {
    let site = Site::new(|request| match request {
        Request::CancelRun(_) => {
            Act::Reply(Reply::CancelRun(run(Progress { items: 2, done: 1, failed: 0, canceled: 0 })))
        }
        Request::GetRun(_) => {
            Act::Reply(Reply::GetRun(run(Progress { items: 2, done: 1, failed: 0, canceled: 1 })))
        }
        other => panic!("asked {}", other.name()),
    });
    let path = format!("/api/v1/match-runs/{ID}");
    let empty = || HttpRequest::post(format!("{path}/cancel")).body(Body::empty()).unwrap();
    let answer = site.send(empty()).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.header(header::LOCATION), path);
    assert_eq!(answer.data()["status"], "processing", "as it stood");
    match site.asked().pop() {
        Some(Request::CancelRun(question)) => assert_eq!(question.id.to_string(), ID),
        other => panic!("asked {other:?}"),
    }
    let shown = site.get(&path).await.data();
    assert_eq!(shown["status"], "cancelled");
    assert_eq!(shown["progress"], json!({"items": 2, "done": 1, "failed": 0, "cancelled": 1}));
}

#[tokio::test]
async fn a_cancel_of_what_is_not_there_is_not_found() {
    let site = Site::new(|_| Act::Fail(ErrorCode::NotFound, "there is no such run"));
    site.post(&format!("/api/v1/match-runs/{ID}/cancel"), json!({})).await.problem(404, "NOT_FOUND");
    let silent = Site::silent();
    let strange = format!("/api/v1/match-runs/{ID}/cancel?force=yes");
    silent.post(&strange, json!({})).await.problem(400, "VALIDATION_ERROR");
    silent.post("/api/v1/match-runs/1/cancel", json!({})).await.problem(400, "VALIDATION_ERROR");
}

/// Serves `total` rows of item 1 in pages as large as asked for, but at most of `page`.
fn serving(places: usize, total: u32, page: u32) -> Site {
    Site::with_places(places, move |request| match request {
        Request::GetRun(_) => Act::Reply(Reply::GetRun(run(DONE))),
        Request::GetRows(GetRows { after, limit, .. }) => {
            let first = after.map_or(1, |key| key.rank + 1);
            let last = total.min(first + page.min(*limit) - 1);
            let rows = (first..=last).map(|rank| row(1, rank)).collect();
            let next = (last < total).then_some(RowKey { item: 1, rank: last });
            Act::Reply(Reply::GetRows(RowPage { rows, next }))
        }
        Request::ListMatches(_) => Act::Fail(ErrorCode::NotFound, "nothing"),
        other => panic!("asked {}", other.name()),
    })
}

#[tokio::test]
async fn results_are_read_page_by_page() {
    let site = serving(8, 3, 2);
    let path = format!("/api/v1/match-runs/{ID}/results");
    let first = site.get(&format!("{path}?limit=2")).await.data();
    assert_eq!((&first["status"], &first["next_cursor"]), (&json!("complete"), &json!("1.2")));
    assert_eq!(first["items"][1]["rank"], 2);
    assert_eq!(first["items"][1]["query_id"], document_id(2).to_string());
    assert_eq!(first["items"][1]["candidate_id"], document_id(2).to_string());
    assert_eq!(first["items"][1]["score"], 8_725);
    let last = site.get(&format!("{path}?cursor=1.2&format=json")).await.data();
    assert_eq!((&last["items"][0]["rank"], &last["next_cursor"]), (&json!(3), &Value::Null));
    assert!(
        site.get(&format!("{path}?cursor=1")).await.problem(400, "VALIDATION_ERROR").contains("`cursor`")
    );
    assert!(
        site.get(&format!("{path}?format=xml")).await.problem(400, "VALIDATION_ERROR").contains("`format`")
    );
}

#[tokio::test]
async fn lines_are_streamed_over_several_pages() {
    let path = format!("/api/v1/match-runs/{ID}/results");
    let by_accept = HttpRequest::get(&path).header(header::ACCEPT, "text/plain, application/x-ndjson;q=0.9");
    let by_query = HttpRequest::get(format!("{path}?format=ndjson"));
    for request in [by_accept, by_query] {
        let site = serving(8, 7, 3);
        let answer = site.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header(header::CONTENT_TYPE), "application/x-ndjson");
        let text = answer.text();
        let ranks: Vec<u64> = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["rank"].as_u64().unwrap())
            .collect();
        assert_eq!(ranks, [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(site.asked().len(), 1 + 3, "the run, then three pages");
    }
}

#[tokio::test]
async fn a_stream_that_cannot_go_on_says_so_and_is_cut_off() {
    let site = Site::new(|request| match request {
        Request::GetRun(_) => Act::Reply(Reply::GetRun(run(DONE))),
        Request::GetRows(GetRows { after: None, .. }) => {
            let next = Some(RowKey { item: 1, rank: 1 });
            Act::Reply(Reply::GetRows(RowPage { rows: vec![row(1, 1)], next }))
        }
        _ => Act::Fail(ErrorCode::Unavailable, "disk 7 is on fire"),
    });
    let request = HttpRequest::get(format!("/api/v1/match-runs/{ID}/results?format=ndjson"));
    let response = site.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let chunks: Vec<_> = response.into_body().into_data_stream().collect().await;
    assert_eq!(chunks.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false]);
    let line: Value = serde_json::from_slice(chunks[1].as_ref().unwrap()).unwrap();
    assert_eq!(
        (&line["error"]["errorCode"], &line["error"]["retryable"]),
        (&json!("UNAVAILABLE"), &json!(true))
    );
    assert!(!line.to_string().contains("on fire"));
}

#[tokio::test]
async fn a_stream_keeps_its_place_until_it_ends() {
    let site = serving(1, 2, 1);
    let request = HttpRequest::get(format!("/api/v1/match-runs/{ID}/results?format=ndjson"));
    let response = site.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    site.get("/api/v1/matches").await.problem(503, "OVERLOADED");
    drop(response);
    site.get("/api/v1/matches").await.problem(404, "NOT_FOUND");
}
