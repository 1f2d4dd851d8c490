//! What the description says of parameters and events is what requests are held to.

use tandem_domain::run::Progress;
use tandem_messages::runs::RowPage;

use super::samples::{ID, run};
use super::*;

fn description() -> Value {
    serde_json::from_str(crate::openapi::json()).unwrap()
}

/// Each parameter with its method and path.
fn parameters(api: &Value) -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let list = operation["parameters"].as_array().cloned().unwrap_or_default();
            all.extend(list.into_iter().map(|one| (method.clone(), path.clone(), one)));
        }
    }
    all
}

#[test]
fn no_parameter_is_null_and_the_same_name_means_the_same_everywhere() {
    let api = description();
    let mut seen = std::collections::BTreeMap::new();
    for (method, path, parameter) in parameters(&api) {
        let (name, schema) = (parameter["name"].as_str().unwrap(), &parameter["schema"]);
        assert!(schema["type"].is_string(), "{method} {path}: {name} may be {}", schema["type"]);
        let before = seen.entry(name.to_owned()).or_insert_with(|| schema.clone());
        assert_eq!(before, schema, "{method} {path}: {name}");
    }
    for name in ["Idempotency-Key", "limit", "include", "format", "cursor", "Last-Event-ID"] {
        assert!(seen.contains_key(name), "nothing takes {name}");
    }
}

#[tokio::test]
async fn the_bounds_of_a_limit_are_those_that_are_described() {
    let api = description();
    let site = Site::new(|_| Act::Fail(ErrorCode::Conflict, "reached"));
    for (_, path, parameter) in parameters(&api) {
        if parameter["name"] != "limit" {
            continue;
        }
        let (least, most) = (
            parameter["schema"]["minimum"].as_u64().unwrap(),
            parameter["schema"]["maximum"].as_u64().unwrap(),
        );
        let path = path.replace("{id}", ID).replace("{version}", "1");
        for (limit, status) in [(least - 1, 400), (least, 409), (most, 409), (most + 1, 400)] {
            assert_eq!(site.get(&format!("{path}?limit={limit}")).await.status, status, "{path} {limit}");
        }
    }
}

#[tokio::test]
async fn every_described_choice_is_taken_and_no_other() {
    let api = description();
    let site = Site::new(|_| Act::Fail(ErrorCode::Conflict, "reached"));
    for (_, path, parameter) in parameters(&api) {
        let Some(choices) = parameter["schema"]["enum"].as_array() else { continue };
        let (name, path) =
            (parameter["name"].as_str().unwrap(), path.replace("{id}", ID).replace("{version}", "1"));
        for choice in choices.iter().map(|choice| choice.as_str().unwrap()) {
            assert_eq!(site.get(&format!("{path}?{name}={choice}")).await.status, 409, "{path} {choice}");
        }
        for other in ["", "other"] {
            assert_eq!(site.get(&format!("{path}?{name}={other}")).await.status, 400, "{path} {other}");
        }
    }
}

#[tokio::test]
async fn an_idempotency_key_is_held_to_its_description() {
    let api = description();
    let all = parameters(&api);
    let (.., key) = all.iter().find(|(.., one)| one["name"] == "Idempotency-Key").unwrap();
    assert_eq!(key["schema"]["pattern"], "^[!-~]+$");
    let longest = usize::try_from(key["schema"]["maxLength"].as_u64().unwrap()).unwrap();
    let site = Site::new(|_| Act::Fail(ErrorCode::Conflict, "reached"));
    for (text, status) in [
        ("!", 409),
        ("~", 409),
        ("k".repeat(longest).as_str(), 409),
        ("", 400),
        ("two words", 400),
        ("k".repeat(longest + 1).as_str(), 400),
    ] {
        let mut request = post_json("/api/v1/jobs", r#"{"text": "x"}"#);
        request.headers_mut().insert("idempotency-key", text.parse().unwrap());
        assert_eq!(site.send(request).await.status, status, "{text:?}");
    }
}

#[test]
fn streams_are_described_by_their_events() {
    let api = description();
    let mut streams = 0;
    for (path, item) in api["paths"].as_object().unwrap() {
        let content = &item["get"]["responses"]["200"]["content"]["text/event-stream"];
        if content.is_object() {
            streams += 1;
            assert_eq!(content["schema"]["$ref"], "#/components/schemas/ResourceEvent", "{path}");
        }
    }
    assert_eq!(streams, 3);
    let event = &api["components"]["schemas"]["ResourceEvent"];
    assert_eq!(event["required"], json!(["event", "id", "data"]));
    assert_eq!(event["properties"]["data"]["contentMediaType"], "application/json");
    assert_eq!(api["components"]["schemas"]["EventKind"]["enum"], json!(["progress", "settled"]));
}

#[test]
fn no_field_of_a_form_is_null() {
    let api = description();
    let fields = api["components"]["schemas"]["FileForm"]["properties"].as_object().unwrap();
    for (name, schema) in fields {
        assert!(!schema.to_string().contains("null"), "{name}: {schema}");
    }
    assert_eq!(fields["title"]["type"], "string");
}

#[tokio::test]
async fn a_run_without_rows_is_answered_without_a_line_also_when_compressed() {
    for encoding in ["identity", "gzip", "zstd"] {
        let site = Site::new(|request| match request {
            Request::GetRun(_) => {
                let done = Progress { items: 1, done: 1, failed: 0, canceled: 0 };
                Act::Reply(Reply::GetRun(run(done)))
            }
            Request::GetRows(_) => Act::Reply(Reply::GetRows(RowPage { rows: Vec::new(), next: None })),
            other => panic!("asked {}", other.name()),
        });
        let request = HttpRequest::get(format!("/api/v1/match-runs/{ID}/results?format=ndjson"))
            .header(header::ACCEPT_ENCODING, encoding)
            .body(Body::empty())
            .unwrap();
        let response = site.app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert!(encoding != "identity" || body.is_empty());
    }
}
