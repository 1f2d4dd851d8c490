use std::net::IpAddr;

use tandem_config::{Limits, Rate};

use super::samples::ID;
use super::*;
use crate::rates::Peer;

fn limited(change: impl FnOnce(&mut Limits)) -> Site {
    let script: Box<Script> = Box::new(|_| Act::Fail(ErrorCode::NotFound, "nothing"));
    let fake = Arc::new(Fake { script, asked: Mutex::default() });
    let mut state = state(8, fake.clone());
    change(&mut state.limits);
    Site { app: app(state), fake }
}

fn from(address: &str, path: &str) -> HttpRequest<Body> {
    let mut request = HttpRequest::get(path).body(Body::empty()).unwrap();
    request.extensions_mut().insert(Peer(address.parse::<IpAddr>().unwrap()));
    request
}

#[tokio::test(start_paused = true)]
async fn a4_rates_are_limited_per_caller_and_class() {
    let site = limited(|limits| limits.read = Rate { per_minute: 30, burst: 2 });
    let path = format!("/api/v1/resumes/{ID}");
    for left in [1, 0] {
        let answer = site.send(from("192.0.2.1", &path)).await;
        answer.problem(404, "NOT_FOUND");
        assert_eq!(answer.header("ratelimit-policy"), "\"read\";q=30;w=60;burst=2");
        assert!(answer.header("ratelimit").starts_with(&format!("\"read\";r={left};t=")));
    }
    let answer = site.send(from("192.0.2.1", &path)).await;
    answer.problem(429, "RATE_LIMITED");
    assert_eq!(answer.json()["message"], "You're moving fast! Try again in a moment.");
    assert_eq!(answer.json()["retryable"], true);
    assert_eq!(answer.header(header::RETRY_AFTER), "2");
    assert_eq!(answer.header("ratelimit"), "\"read\";r=0;t=2");
    site.send(from("192.0.2.2", &path)).await.problem(404, "NOT_FOUND");
    let other_class = site.post("/api/v1/match-runs", json!({"query": "job", "queries": [ID]})).await;
    other_class.problem(404, "NOT_FOUND");
    assert_eq!(site.send(from("192.0.2.1", "/livez")).await.status, 200, "probes have no rate");
    tokio::time::advance(std::time::Duration::from_secs(2)).await;
    site.send(from("192.0.2.1", &path)).await.problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_rate_of_zero_is_no_limit() {
    let site = limited(|limits| limits.read = Rate { per_minute: 0, burst: 1 });
    for _ in 0..100 {
        let answer = site.send(from("192.0.2.1", &format!("/api/v1/resumes/{ID}"))).await;
        answer.problem(404, "NOT_FOUND");
        assert_eq!(answer.header("ratelimit"), "");
    }
}
