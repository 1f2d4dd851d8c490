use tandem_domain::plan::Measure;
use tandem_domain::time::Timestamp;
use tandem_messages::quota::{MeasureView, QuotaView};

use super::samples::ID;
use super::*;

fn match_body() -> Value {
    json!({ "resumeId": ID, "jobId": ID })
}

#[tokio::test]
async fn l8_the_402_carries_the_documented_members() {
    let message = "Annual free match limit reached. Upgrade to Pro for unlimited matches.";
    let site = Site::new(move |_| Act::Fail(ErrorCode::UpgradeRequired, message));
    let answer = site.post("/api/v1/matches", match_body()).await;
    assert_eq!(answer.status, StatusCode::PAYMENT_REQUIRED);
    let body = answer.json();
    assert_eq!((&body["error"], &body["message"]), (&json!("upgrade_required"), &json!(message)));
    assert_eq!((&body["errorCode"], &body["retryable"]), (&json!("UPGRADE_REQUIRED"), &json!(false)));
}

#[tokio::test]
async fn l11_the_402_says_which_limit_is_reached() {
    let site = Site::new(|_| Act::Fail(ErrorCode::UpgradeRequired, "Your plan allows 3 job descriptions."));
    let answer = site.post("/api/v1/jobs", json!({ "title": "Cook", "text": "A cook." })).await;
    assert_eq!(answer.status, StatusCode::PAYMENT_REQUIRED);
    assert_eq!(answer.json()["message"], "Your plan allows 3 job descriptions.");
}

#[tokio::test]
async fn l8_the_quota_shows_the_documented_fields_and_every_measure() {
    let (begun, ends) =
        (Timestamp::from_millis(1_793_534_400_000), Timestamp::from_millis(1_825_070_400_000));
    let site = Site::new(move |_| {
        let view =
            |measure, limit, used| MeasureView { measure, limit, used, started_at: None, resets_at: None };
        let matches = MeasureView {
            started_at: Some(begun),
            resets_at: Some(ends),
            ..view(Measure::Matches, Some(100), 42)
        };
        let measures = vec![matches, view(Measure::StoredBytes, None, 0)];
        Act::Reply(Reply::GetQuota(QuotaView { plan: Some("free".to_owned()), measures }))
    });
    let data = site.get("/api/v1/quota").await.json()["data"].clone();
    let expected = json!({
        "plan": "free",
        "annual_limit": 100,
        "annual_usage_count": 42,
        "annual_period_start": begun.to_string(),
        "measures": [
            { "measure": "matches", "limit": 100, "used": 42, "remaining": 58, "resets_at": ends.to_string() },
            { "measure": "stored_bytes", "limit": null, "used": 0, "remaining": null, "resets_at": null },
        ],
    });
    assert_eq!(data, expected);
    assert_eq!(site.get("/api/v1/quota?of=bob").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn l10_the_header_of_pro_members_is_passed_on() {
    let site = Site::new(|_| Act::Fail(ErrorCode::NotFound, "no such match"));
    for value in ["1", "0", "yes"] {
        let mut request = post_json("/api/v1/matches", match_body().to_string());
        request.headers_mut().insert("x-pro-member", value.parse().unwrap());
        site.send(request).await;
    }
    site.post("/api/v1/matches", match_body()).await;
    let said: Vec<bool> = site.contexts().iter().map(|context| context.pro_member).collect();
    assert_eq!(said, [true, false, false, false]);
}
