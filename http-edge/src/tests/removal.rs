use tandem_domain::document::DocumentKind;
use tandem_domain::error::ErrorCode;
use tandem_domain::time::Timestamp;
use tandem_messages::documents::RemovedDocument;
use tandem_messages::users::{ErasedParts, ErasedUser, ExportPage, ExportPlace};

use super::samples::{ID, document_id};
use super::*;

fn removing(log_position: Option<u64>) -> Site {
    Site::new(move |request| match request {
        Request::RemoveDocument(remove) => Act::Reply(Reply::RemoveDocument(RemovedDocument {
            kind: remove.kind,
            id: remove.id,
            versions: 2,
            removed_at: Timestamp::from_millis(0),
            log_position,
        })),
        other => panic!("asked {}", other.name()),
    })
}

async fn delete(site: &Site, path: &str) -> Answer {
    site.send(HttpRequest::delete(path).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_removal_is_answered_with_a_receipt() {
    for (route, kind, word) in
        [("resumes", DocumentKind::Resume, "resume"), ("jobs", DocumentKind::Job, "job")]
    {
        let site = removing(Some(7));
        let answer = delete(&site, &format!("/api/v1/{route}/{ID}")).await;
        assert_eq!(answer.status, StatusCode::OK);
        let expected = json!({
            "id": ID, "kind": word, "removed_at": "1970-01-01T00:00:00.000Z", "complete": true,
            "removed": {"originals": 2, "versions": 2}, "log_position": 7,
        });
        assert_eq!(answer.data(), expected);
        let Some(Request::RemoveDocument(asked)) = site.asked().pop() else { panic!("nothing was asked") };
        assert_eq!((asked.kind, asked.id), (kind, document_id(0)));
    }
}

#[tokio::test]
async fn a_removal_that_is_not_complete_is_accepted() {
    let answer = delete(&removing(None), &format!("/api/v1/jobs/{ID}")).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!((&answer.data()["complete"], &answer.data()["log_position"]), (&json!(false), &json!(null)));
}

#[tokio::test]
async fn what_is_not_there_cannot_be_removed() {
    let site = Site::new(|_| Act::Fail(ErrorCode::NotFound, "there is no such job"));
    delete(&site, &format!("/api/v1/jobs/{ID}")).await.problem(404, "NOT_FOUND");
    delete(&site, "/api/v1/jobs/7").await.problem(400, "VALIDATION_ERROR");
}

/// Everybody but the gateway knows the owner of the site: without accounts it is `local`.
fn people() -> Site {
    Site::new(|request| match request {
        Request::EraseUser(erase) if erase.person.is_asker => Act::Reply(Reply::EraseUser(ErasedUser {
            owner: erase.person.owner.clone(),
            erased_at: Timestamp::from_millis(0),
            removed: ErasedParts { keys: 1, documents: 2, versions: 3, matches: 4, runs: 5 },
            log_position: Some(7),
        })),
        Request::ExportUser(export) => Act::Reply(Reply::ExportUser(match export.place {
            ExportPlace::Account => ExportPage { items: Vec::new(), next: Some(ExportPlace::Audit(0)) },
            _ => ExportPage { items: Vec::new(), next: None },
        })),
        _ => Act::Fail(ErrorCode::NotFound, "there is no such user"),
    })
}

#[tokio::test]
async fn an_erasure_is_answered_with_a_receipt() {
    let answer = delete(&people(), "/api/v1/users/local").await;
    assert_eq!(answer.status, StatusCode::OK);
    let expected = json!({
        "owner": "local", "erased_at": "1970-01-01T00:00:00.000Z", "complete": true,
        "removed": {"keys": 1, "documents": 2, "versions": 3, "matches": 4, "runs": 5}, "log_position": 7,
    });
    assert_eq!(answer.data(), expected);
    delete(&people(), "/api/v1/users/somebody").await.problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn an_export_goes_on_to_its_end_and_says_so() {
    let answer = people().get("/api/v1/users/local/export").await;
    assert_eq!(
        (answer.status, answer.header(header::CONTENT_TYPE)),
        (StatusCode::OK, "application/x-ndjson")
    );
    assert_eq!(answer.json(), json!({"kind": "end", "data": {"lines": 0}}));
    let site = Site::new(|_| Act::Fail(ErrorCode::NotFound, "there is no such user"));
    site.get("/api/v1/users/somebody/export").await.problem(404, "NOT_FOUND");
}
