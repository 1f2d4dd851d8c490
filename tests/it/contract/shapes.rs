//! What holds for answers of all kinds.

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::client::Client;

/// No document has this id.
const NOBODY: &str = "0190b6a2-9a51-7c3e-8f6d-0d2f6c1a7b10";

pub(super) fn s1_every_answer_is_in_the_envelope(client: &Client) {
    let lists = ["resumes", "jobs", "matches"].map(|name| format!("/api/v1/{name}?limit=1"));
    for path in lists.iter().map(String::as_str).chain(["/api/v1/quota", "/livez", "/readyz", "/status"]) {
        assert!(client.get(path).data().is_object(), "{path}");
    }
    let ping = client.get("/api/v1/health/ping").json();
    assert_eq!((&ping["data"]["message"], ping.get("error")), (&json!("pong"), Some(&Value::Null)));

    let request = |method, path: &str| client.request(method, path);
    let typed = |path: &str, media: &str, body: &str| {
        request(Method::POST, path).header("content-type", media).body(body.to_owned())
    };
    let one = format!("/api/v1/resumes/{NOBODY}");
    let failures = [
        (request(Method::GET, "/api/v1/nowhere"), 404, "NOT_FOUND"),
        (request(Method::GET, &one), 404, "NOT_FOUND"),
        (request(Method::GET, &format!("{one}/redacted")), 404, "NOT_FOUND"),
        (request(Method::PATCH, "/api/v1/jobs"), 405, "METHOD_NOT_ALLOWED"),
        (request(Method::GET, "/api/v1/jobs?limit=0"), 400, "VALIDATION_ERROR"),
        (typed("/api/v1/jobs", "application/json", "{"), 400, "VALIDATION_ERROR"),
        (typed("/api/v1/jobs", "application/json", "{\"text\": \"\"}"), 422, "EMPTY_DOCUMENT"),
        (typed("/api/v1/jobs", "application/ld+json", "{\"@type\": \"Recipe\"}"), 400, "VALIDATION_ERROR"),
        (typed("/api/v1/jobs", "text/plain", "x"), 415, "UNSUPPORTED_TYPE"),
        (typed("/api/v1/resumes/upload", "application/json", "{}"), 400, "VALIDATION_ERROR"),
        (typed("/api/v1/resumes/upload", "application/pdf", "%PDF"), 415, "UNSUPPORTED_TYPE"),
    ];
    for (request, status, code) in failures {
        let answer = client.send(request).unwrap();
        assert_eq!((answer.status, answer.error_code().as_str()), (status, code), "{}", answer.text);
    }
    let large = client.post("/api/v1/jobs", &json!({ "text": "x".repeat(2 << 20) }));
    assert_eq!((large.status, large.error_code().as_str()), (413, "PAYLOAD_TOO_LARGE"));
}

pub(super) fn r7_probes_answer_as_the_documents_say(client: &Client) {
    let healthz = client.get("/healthz");
    assert_eq!((healthz.status, &healthz.json()["status"]), (200, &json!("ok")));
    let ping = client.get("/api/v1/health/ping");
    assert_eq!((ping.status, &ping.json()["message"]), (200, &json!("pong")));
    let ready = client.get("/readyz").data();
    assert!(ready["checks"].as_array().unwrap().iter().any(|check| check["name"] == "store"), "{ready}");
}
