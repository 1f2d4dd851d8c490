use super::*;

fn allowing(origins: &[&str]) -> Site {
    let site = Site::new(|_| Act::Fail(ErrorCode::NotFound, "nothing"));
    let mut state = state(8, site.fake.clone());
    state.config.allowed_origins = origins.iter().map(|origin| (*origin).to_owned()).collect();
    Site { app: app(state), fake: site.fake }
}

async fn preflight(site: &Site, origin: &str) -> HeaderMap {
    let request = HttpRequest::options("/api/v1/resumes")
        .header(header::ORIGIN, origin)
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization,idempotency-key")
        .body(Body::empty())
        .unwrap();
    site.app.clone().oneshot(request).await.unwrap().headers().clone()
}

#[tokio::test]
async fn r8_pages_of_allowed_origins_may_call_and_others_may_not() {
    let ours = "https://app.example.org";
    let site = allowing(&[ours]);
    let allowed = preflight(&site, ours).await;
    assert_eq!(allowed[header::ACCESS_CONTROL_ALLOW_ORIGIN], ours);
    assert!(allowed[header::ACCESS_CONTROL_ALLOW_METHODS].to_str().unwrap().contains("POST"));
    assert!(allowed[header::ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap().contains("idempotency-key"));
    assert_eq!(preflight(&site, "https://evil.example").await.get(header::ACCESS_CONTROL_ALLOW_ORIGIN), None);
    let request = HttpRequest::get("/api/v1/resumes").header(header::ORIGIN, ours);
    let failed = site.send(request.body(Body::empty()).unwrap()).await;
    failed.problem(404, "NOT_FOUND");
    assert_eq!(failed.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), ours, "also on failures");
    assert!(failed.header(header::ACCESS_CONTROL_EXPOSE_HEADERS).contains("x-request-id"));
    assert_eq!(preflight(&allowing(&["*"]), "https://any.example").await["access-control-allow-origin"], "*");
    let none = preflight(&allowing(&[]), ours).await;
    assert_eq!(none.get(header::ACCESS_CONTROL_ALLOW_ORIGIN), None);
}

#[tokio::test]
async fn every_answer_tells_browsers_to_be_careful() {
    let site = allowing(&[]);
    for path in ["/livez", "/api/v1/resumes", "/nowhere"] {
        let answer = site.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
        assert!(answer.header("content-security-policy").contains("default-src 'none'"));
    }
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_say_so() {
    let site = allowing(&[]);
    for (accept, expected) in [("gzip", "gzip"), ("zstd", "zstd"), ("identity", ""), ("br", "")] {
        let request = HttpRequest::get("/openapi.json").header(header::ACCEPT_ENCODING, accept);
        let request = request.body(Body::empty()).unwrap();
        let response = site.app.clone().oneshot(request).await.unwrap();
        let encoding = response.headers().get(header::CONTENT_ENCODING).map_or("", |v| v.to_str().unwrap());
        assert_eq!(encoding, expected);
        let size = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().len();
        let whole = crate::openapi::json().len();
        assert_eq!(size < whole / 2, !expected.is_empty(), "{accept}: {size} of {whole} bytes");
    }
}
