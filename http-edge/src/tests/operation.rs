use tandem_domain::chunk::ModelIdentity;
use tandem_domain::models::{ModelPlace, SecondStage};
use tandem_messages::health::{Health, HealthCheck};
use tandem_messages::models::{ChangeModels, ModelsView, MoveTo, SecondView};
use tandem_messages::status::{QueueStatus, ShardOwner, ShardStatus, Status};

use super::samples::ID;
use super::*;

fn reporting(ready: bool, ok: bool) -> Site {
    Site::new(move |request| match request {
        Request::GetHealth(_) => {
            let check = HealthCheck { name: "store".to_owned(), ok, note: "12 ms".to_owned() };
            Act::Reply(Reply::GetHealth(Health { ready, checks: vec![check] }))
        }
        other => panic!("asked {}", other.name()),
    })
}

#[tokio::test]
async fn probes_say_how_the_node_is() {
    let well = reporting(true, true);
    assert_eq!(well.get("/healthz").await.json()["status"], "ok");
    assert_eq!(well.get("/readyz").await.data()["checks"][0]["name"], "store");
    let draining = reporting(false, true);
    assert_eq!(draining.get("/healthz").await.status, StatusCode::OK);
    draining.get("/readyz").await.problem(503, "UNAVAILABLE");
    let ill = reporting(false, false);
    for path in ["/healthz", "/readyz"] {
        let answer = ill.get(path).await;
        answer.problem(503, "UNAVAILABLE");
        assert_eq!(answer.json()["checks"], json!([{"name": "store", "ok": false, "note": "12 ms"}]));
    }
}

#[tokio::test]
async fn an_operator_sees_nodes_shards_and_queues() {
    let site = Site::new(|request| match request {
        Request::GetStatus(_) => {
            let owner = ShardOwner { node: "a".to_owned(), caught_up: true, lag: 2, documents: 7 };
            let queue = QueueStatus { kind: "parse".to_owned(), waiting: 3, in_flight: 1, dead: 0 };
            Act::Reply(Reply::GetStatus(Status {
                node: "a".to_owned(),
                log_head: Some(9),
                nodes: Vec::new(),
                shards: vec![ShardStatus { shard: 0, owners: vec![owner] }],
                queues: vec![queue],
                problems: Vec::new(),
            }))
        }
        other => panic!("asked {}", other.name()),
    });
    let seen = site.get("/status").await.data();
    assert_eq!((&seen["node"], &seen["logHead"]), (&json!("a"), &json!(9)));
    let owner = json!({"node": "a", "caughtUp": true, "lag": 2, "documents": 7});
    assert_eq!(seen["shards"], json!([{"shard": 0, "owners": [owner]}]));
    assert_eq!(seen["queues"], json!([{"kind": "parse", "waiting": 3, "inFlight": 1, "dead": 0}]));
}

#[tokio::test]
async fn an_operator_moves_the_corpus_to_another_model() {
    let model = |precision: &str| ModelPlace {
        identity: ModelIdentity {
            id: format!("native-{precision}"),
            weights_digest: "00".to_owned(),
            tokenizer_digest: "11".to_owned(),
            dimensions: 384,
        },
        engine: "native".to_owned(),
        folder: "/models/m".to_owned(),
        precision: precision.to_owned(),
        max_tokens: 256,
    };
    let site = Site::new(move |request| match request {
        Request::ChangeModels(change) => {
            let to =
                MoveTo { folder: None, engine: None, precision: Some("f32".to_owned()), max_tokens: None };
            assert_eq!(*change, ChangeModels::Move(to));
            let (place, stage) = (model("f32"), SecondStage::Moving);
            let second = SecondView { place, stage, shards: 4, caught_up: 1, changes: 40, seen: 10 };
            let (second, problems) = (Some(second), vec!["the folder is empty".to_owned()]);
            let view = ModelsView { serving: model("int8"), second, removing: false, problems };
            Act::Reply(Reply::ChangeModels(view))
        }
        other => panic!("asked {}", other.name()),
    });
    let seen = site.post("/models/move", json!({"precision": "f32"})).await.data();
    assert_eq!((&seen["serving"]["id"], &seen["serving"]["maxTokens"]), (&json!("native-int8"), &json!(256)));
    let second = &seen["second"];
    assert_eq!((&second["model"]["precision"], &second["stage"]), (&json!("f32"), &json!("moving")));
    assert_eq!((&second["caughtUp"], &second["shards"]), (&json!(1), &json!(4)));
    assert_eq!(seen["problems"], json!(["the folder is empty"]));
    site.post("/models/move", json!({"model": "f32"})).await.problem(400, "VALIDATION_ERROR");
}

#[tokio::test]
async fn a_node_without_the_role_of_an_edge_answers_probes_alone() {
    let fake = Arc::new(Fake { script: Box::new(|_| Act::Panic), asked: Mutex::default() });
    let app = app(EdgeState { api: false, ..state(8, fake.clone()) });
    let site = Site { app, fake };
    assert_eq!(site.get("/livez").await.status, StatusCode::OK);
    site.get("/api/v1/resumes").await.problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn some_probes_ask_nobody() {
    let site = Site::silent();
    assert_eq!(site.get("/livez").await.data(), json!({"status": "live", "version": "1.2.3"}));
    let pong = site.get("/api/v1/health/ping").await.json();
    assert_eq!(pong, json!({"message": "pong", "data": {"message": "pong"}, "error": null}));
}

#[tokio::test]
async fn a_fit_request_id_is_honored_and_another_replaced() {
    let longest = "x".repeat(128);
    let with_id = |id: &[u8]| {
        HttpRequest::get("/api/v1/resumes")
            .header("x-request-id", axum::http::HeaderValue::from_bytes(id).unwrap())
            .body(Body::empty())
            .unwrap()
    };
    for id in ["a", "trace 17/b", longest.as_str()] {
        let site = Site::new(|_| Act::Fail(ErrorCode::NotFound, "nothing"));
        assert_eq!(site.send(with_id(id.as_bytes())).await.header("x-request-id"), id);
        assert_eq!(site.contexts()[0].request_id, id);
    }
    let overlong = "x".repeat(129);
    for id in [overlong.as_bytes(), b"", b"a\tb", "é".as_bytes()] {
        let site = Site::new(|_| Act::Fail(ErrorCode::NotFound, "nothing"));
        let answer = site.send(with_id(id)).await;
        let made: uuid::Uuid = answer.header("x-request-id").parse().unwrap();
        assert_eq!(made.get_version_num(), 7);
        assert_eq!(site.contexts()[0].request_id, made.to_string());
    }
}

#[tokio::test]
async fn metrics_count_templates_and_hold_no_ids() {
    let site = Site::new(|_| Act::Fail(ErrorCode::NotFound, "nothing"));
    site.get(&format!("/api/v1/resumes/{ID}")).await.problem(404, "NOT_FOUND");
    site.get(&format!("/nowhere/{ID}")).await.problem(404, "NOT_FOUND");
    let odd = HttpRequest::builder().method("BREW").uri("/livez").body(Body::empty()).unwrap();
    site.send(odd).await.problem(405, "METHOD_NOT_ALLOWED");
    let text = site.get("/metrics").await.text();
    for line in [
        "tandem_http_requests_total{method=\"GET\",route=\"/api/v1/resumes/{id}\",status=\"404\"}",
        "tandem_http_requests_total{method=\"GET\",route=\"none\",status=\"404\"}",
        "tandem_http_requests_total{method=\"other\",route=\"/livez\",status=\"405\"}",
        "tandem_http_seconds_count{route=\"/api/v1/resumes/{id}\"}",
        "tandem_http_in_flight ",
    ] {
        assert!(text.contains(line), "no {line} in\n{text}");
    }
    assert!(!text.contains(ID) && !text.contains("BREW") && !text.contains("nowhere"));
}

#[tokio::test]
async fn an_answer_without_a_body_of_ours_gets_one() {
    use axum::response::IntoResponse;
    for (status, code) in
        [(404, "NOT_FOUND"), (413, "PAYLOAD_TOO_LARGE"), (422, "VALIDATION_ERROR"), (502, "INTERNAL")]
    {
        let bare = (StatusCode::from_u16(status).unwrap(), "plain text").into_response();
        let body = crate::problem::rendered(bare, "r", "/p").into_body();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["errorCode"], code);
    }
}
