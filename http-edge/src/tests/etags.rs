use tandem_domain::document::DocumentState;
use tandem_domain::run::Progress;
use tandem_messages::documents::DocumentDetail;
use tandem_messages::matches::{MatchPage, MatchView};
use tandem_messages::runs::RowPage;

use super::samples::{ID, document, pair, parsed, row, run};
use super::*;

fn everything(rows: u32) -> Site {
    let progress = Progress { items: 2, done: 2, failed: 0, canceled: 0 };
    Site::new(move |request| match request {
        Request::GetDocument(get) => Act::Reply(Reply::GetDocument(DocumentDetail {
            document: document(get.kind, DocumentState::Indexed),
            parsed: Some(parsed(get.kind)),
        })),
        Request::ListMatches(_) => {
            Act::Reply(Reply::ListMatches(MatchPage { matches: Vec::new(), next: None }))
        }
        Request::GetMatch(_) => Act::Reply(Reply::GetMatch(MatchView { pair: pair(None) })),
        Request::GetRun(_) => Act::Reply(Reply::GetRun(run(progress))),
        Request::GetRows(_) => {
            let rows = (1..=rows).map(|rank| row(0, rank)).collect();
            Act::Reply(Reply::GetRows(RowPage { rows, next: None }))
        }
        other => panic!("asked {}", other.name()),
    })
}

async fn ask(site: &Site, path: &str, known: &str) -> Answer {
    let request = HttpRequest::get(path).header(header::IF_NONE_MATCH, known).body(Body::empty()).unwrap();
    site.send(request).await
}

#[tokio::test]
async fn what_a_reader_has_already_is_not_sent_again() {
    let site = everything(2);
    for resource in ["resumes", "jobs", "matches", "match-runs", "match-runs/results"] {
        let path = match resource.split_once('/') {
            Some((resource, rest)) => format!("/api/v1/{resource}/{ID}/{rest}"),
            None => format!("/api/v1/{resource}/{ID}"),
        };
        let first = site.get(&path).await;
        let tag = first.header(header::ETAG).to_owned();
        assert!(tag.starts_with("W/\""), "{path} has the tag {tag:?}");
        assert_eq!(first.header(header::CACHE_CONTROL), "private, no-cache");
        for known in [tag.clone(), format!("\"other\", {tag}"), tag.replace("W/", ""), "*".to_owned()] {
            let again = ask(&site, &path, &known).await;
            assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{known}");
            assert_eq!(again.header(header::ETAG), tag);
        }
        assert_eq!(ask(&site, &path, "\"other\"").await.body, first.body);
    }
}

#[tokio::test]
async fn what_has_changed_is_sent() {
    let path = format!("/api/v1/match-runs/{ID}/results");
    let tag = everything(1).get(&path).await.header(header::ETAG).to_owned();
    let more = ask(&everything(2), &path, &tag).await;
    assert_eq!(more.status, StatusCode::OK);
    assert_ne!(more.header(header::ETAG), tag);
    let lines = everything(1).get(&format!("{path}?format=ndjson")).await;
    assert_eq!((lines.status, lines.header(header::ETAG)), (StatusCode::OK, ""), "streams have no tag");
}
