use super::samples::ID;
use super::*;

/// Every route there is. A new one is added here, in the table of `router.rs`, and nowhere else.
const ROUTES: [(&str, &str); 54] = [
    ("get", "/api/v1/account"),
    ("get", "/api/v1/audit"),
    ("post", "/api/v1/callbacks/n8n/job"),
    ("post", "/api/v1/callbacks/n8n/resume"),
    ("get", "/api/v1/health/ping"),
    ("get", "/api/v1/jobs"),
    ("post", "/api/v1/jobs"),
    ("post", "/api/v1/jobs/bulk"),
    ("delete", "/api/v1/jobs/{id}"),
    ("get", "/api/v1/jobs/{id}"),
    ("get", "/api/v1/jobs/{id}/events"),
    ("post", "/api/v1/jobs/{id}/refine"),
    ("get", "/api/v1/jobs/{id}/versions"),
    ("post", "/api/v1/jobs/{id}/versions"),
    ("get", "/api/v1/jobs/{id}/versions/{version}"),
    ("get", "/api/v1/keys"),
    ("post", "/api/v1/keys"),
    ("delete", "/api/v1/keys/{id}"),
    ("post", "/api/v1/match-runs"),
    ("get", "/api/v1/match-runs/{id}"),
    ("post", "/api/v1/match-runs/{id}/cancel"),
    ("get", "/api/v1/match-runs/{id}/events"),
    ("get", "/api/v1/match-runs/{id}/results"),
    ("get", "/api/v1/matches"),
    ("post", "/api/v1/matches"),
    ("get", "/api/v1/matches/{id}"),
    ("get", "/api/v1/quota"),
    ("get", "/api/v1/resumes"),
    ("post", "/api/v1/resumes"),
    ("post", "/api/v1/resumes/bulk"),
    ("post", "/api/v1/resumes/from-text"),
    ("post", "/api/v1/resumes/upload"),
    ("post", "/api/v1/resumes/upload/{upload}/complete"),
    ("delete", "/api/v1/resumes/{id}"),
    ("get", "/api/v1/resumes/{id}"),
    ("get", "/api/v1/resumes/{id}/events"),
    ("get", "/api/v1/resumes/{id}/redacted"),
    ("get", "/api/v1/resumes/{id}/versions"),
    ("post", "/api/v1/resumes/{id}/versions"),
    ("get", "/api/v1/resumes/{id}/versions/{version}"),
    ("put", "/api/v1/uploads/{upload}"),
    ("delete", "/api/v1/users/{owner}"),
    ("get", "/api/v1/users/{owner}/export"),
    ("get", "/docs"),
    ("get", "/healthz"),
    ("get", "/livez"),
    ("get", "/metrics"),
    ("get", "/models"),
    ("post", "/models/end"),
    ("post", "/models/move"),
    ("post", "/models/rollback"),
    ("get", "/openapi.json"),
    ("get", "/readyz"),
    ("get", "/status"),
];

fn description() -> Value {
    serde_json::from_str(crate::openapi::json()).unwrap()
}

#[test]
fn the_openapi_snapshot_holds() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(path, crate::openapi::json()).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    let advice = "the API changed; if it was meant to, run\n\
                  UPDATE_OPENAPI=1 cargo test --release -p tandem-http-edge openapi";
    assert!(kept == crate::openapi::json(), "{advice}");
}

#[tokio::test]
async fn the_openapi_description_is_served() {
    let answer = Site::silent().get("/openapi.json").await;
    assert_eq!(answer.json(), description());
    assert!(answer.json()["openapi"].as_str().unwrap().starts_with("3.1."));
}

#[tokio::test]
async fn openapi_and_routes_are_the_same_set() {
    let api = description();
    let mut documented = Vec::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        documented.extend(item.as_object().unwrap().keys().map(|method| (method.clone(), path.clone())));
    }
    documented.sort_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
    let expected: Vec<_> = ROUTES.map(|(method, path)| (method.to_owned(), path.to_owned())).into();
    assert_eq!(documented, expected);
    assert!(!include_str!("../router.rs").contains(".route("), "a route outside of the description");

    let site = Site::new(|_| Act::Fail(ErrorCode::Conflict, "reached"));
    // Without a token there are no callbacks, on purpose.
    for (method, path) in documented.into_iter().filter(|(_, path)| !path.contains("/callbacks/")) {
        let request = HttpRequest::builder()
            .method(method.to_ascii_uppercase().as_str())
            .uri(path.replace("{id}", ID).replace("{version}", "1"))
            .body(Body::empty())
            .unwrap();
        let answer = site.send(request).await;
        assert!(![404, 405].contains(&answer.status.as_u16()), "{method} {path} has no route");
    }
}

#[test]
fn openapi_documents_failures_and_resolves_every_reference() {
    let api = description();
    for (method, path) in ROUTES {
        let responses = &api["paths"][path][method]["responses"];
        for status in ["500", "503", "504"] {
            assert!(responses[status]["$ref"].is_string(), "{method} {path} does not document {status}");
        }
        let takes_a_body = api["paths"][path][method]["requestBody"].is_object();
        let expected: &[&str] = match (method, takes_a_body) {
            ("post", true) if path.ends_with("/bulk") => &["200", "400", "413", "415", "429"],
            ("post", true) if path.ends_with("/keys") => &["201", "400", "409", "413", "415", "429"],
            ("post", _) if path.starts_with("/models/") => &["202", "400", "409"],
            ("post", true) => &["202", "400", "409", "413", "415", "429"],
            ("post", false) => &["202", "400", "404"],
            _ => &[],
        };
        for status in expected {
            assert!(responses.get(status).is_some(), "{method} {path} does not document {status}");
        }
    }
    let mut open = vec![&api];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(reference)) = object.get("$ref") {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(api.pointer(pointer).is_some(), "{reference} leads nowhere");
                }
                open.extend(object.values());
            }
            Value::Array(list) => open.extend(list),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

#[test]
fn openapi_says_what_each_operation_asks_of_its_caller() {
    let api = description();
    for (method, path, right) in crate::rights::all() {
        let operation = &api["paths"][path][method.to_ascii_lowercase()];
        let needed = match right {
            crate::rights::Right::Open => None,
            crate::rights::Right::Needs(scope) => Some(format!("needs the scope `{scope}`")),
        };
        let said = operation["description"].as_str().unwrap_or_default();
        assert_eq!(operation["security"].is_array(), needed.is_some(), "{method} {path}");
        let has_a_token = path.contains("/callbacks/");
        let may_refuse = needed.is_some() || has_a_token;
        assert_eq!(operation["responses"]["401"].is_object(), may_refuse, "{method} {path}");
        assert!(needed.is_none_or(|needed| said.contains(&needed)), "{method} {path}: {said}");
    }
    assert_eq!(api["components"]["securitySchemes"]["apiKey"]["name"], "x-api-key");
}

#[test]
fn openapi_shows_an_example_of_every_code() {
    let responses = &description()["components"]["responses"];
    for code in ErrorCode::ALL {
        let status = crate::problem::meaning_of(*code).status.as_u16();
        let content = &responses[format!("Problem{status}")]["content"]["application/problem+json"];
        let example = &content["examples"][code.as_str()]["value"];
        assert_eq!(example["errorCode"], code.as_str());
        assert_eq!(example["status"], status);
    }
}

#[tokio::test]
async fn the_documentation_page_shows_every_route_and_needs_nothing_from_elsewhere() {
    let answer = Site::silent().get("/docs").await;
    assert_eq!(answer.header(header::CONTENT_TYPE), "text/html; charset=utf-8");
    assert!(answer.header("content-security-policy").starts_with("default-src 'none'; style-src"));
    let page = answer.text();
    for (method, path) in ROUTES {
        let shown = format!("<b class=\"{method}\">{}</b> <code>{path}</code>", method.to_uppercase());
        assert!(page.contains(&shown), "{method} {path} is not shown");
    }
    assert!(!page.contains("<script"));
    let addresses = page.match_indices("href=\"").map(|(at, _)| page.get(at + 6..at + 7).unwrap());
    assert!(addresses.into_iter().all(|first| ["/", "#"].contains(&first)), "a link leads elsewhere");
    assert!(!page.contains("src="), "something is loaded");
}
