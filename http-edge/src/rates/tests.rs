use std::net::{Ipv4Addr, Ipv6Addr};

use tandem_config::NodeConfig;

use super::*;

fn class(per_minute: u32, burst: u32, most: usize) -> ClassLimit {
    ClassLimit::new("read", Rate { per_minute, burst }, most).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_rate_recovers_with_time() {
    let limit = class(60, 2, 8);
    let asked = |caller: &str| {
        let left = limit.take(CallerKey::Owner(caller));
        (left.remaining, left.wait.as_millis())
    };
    assert_eq!([asked("a"), asked("a"), asked("a")], [(1, 0), (0, 0), (0, 1_000)]);
    assert_eq!(asked("b"), (1, 0), "another caller has a rate of its own");
    tokio::time::advance(Duration::from_millis(1_500)).await;
    assert_eq!([asked("a"), asked("a")], [(0, 0), (0, 500)]);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_callers_costs_constant_memory_and_leaves_the_known_alone() {
    const MOST: usize = 1_024;
    let limit = class(60, 5, MOST);
    limit.take(CallerKey::Owner("old friend"));
    let refused =
        (0..1_000_000).filter(|number| !limit.take(CallerKey::Prefix(*number)).wait.is_zero()).count();
    assert_eq!(limit.limiter.len(), MOST);
    assert_eq!(refused, 1_000_000 - (MOST - 1) - 5, "strangers share one rate");
    assert_eq!(limit.take(CallerKey::Owner("old friend")).remaining, 3);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(limit.take(CallerKey::Nobody).remaining, 4);
    assert_eq!(limit.limiter.len(), 1, "rates that have recovered are forgotten");
}

#[test]
fn classes_follow_from_method_and_template() {
    for (method, template, class) in [
        (Method::GET, "/api/v1/resumes", Class::Read),
        (Method::HEAD, "/api/v1/match-runs", Class::Read),
        (Method::POST, "/api/v1/resumes", Class::Write),
        (Method::DELETE, "/api/v1/resumes/{id}", Class::Write),
        (Method::POST, "/api/v1/match-runs", Class::Bulk),
        (Method::POST, "/api/v1/jobs/bulk", Class::Bulk),
        (Method::GET, "/api/v1/match-runs/{id}/events", Class::Stream),
        (Method::POST, "/api/v1/resume-feedback-stream", Class::ResumeFeedback),
        (Method::POST, "/api/v1/linkedin-feedback-stream", Class::LinkedinFeedback),
        (Method::POST, "/api/v1/checkout", Class::Checkout),
        (Method::POST, "/api/v1/export-pdf", Class::ExportPdf),
        (Method::POST, "/api/v1/analytics", Class::Analytics),
    ] {
        assert_eq!(Class::of(&method, template), class, "{method} {template}");
    }
}

#[test]
fn addresses_of_one_subscriber_are_one_caller() {
    let v6 = |text: &str| CallerKey::at(Some(Peer(text.parse::<Ipv6Addr>().unwrap().into())));
    assert_eq!(v6("2001:db8::1"), v6("2001:db8::ffff:1"));
    assert_ne!(v6("2001:db8::1"), v6("2001:db8:0:1::1"));
    let v4 = CallerKey::at(Some(Peer(Ipv4Addr::new(192, 0, 2, 1).into())));
    assert_eq!(v6("::ffff:192.0.2.1"), v4);
}

#[test]
fn headers_say_the_rate_and_what_is_left() {
    let limit = class(60, 5, 8);
    let told = |left: Left| {
        let mut headers = HeaderMap::new();
        limit.tell(left, &mut headers);
        [RATE_LIMIT_POLICY, RATE_LIMIT].map(|name| headers[name].to_str().unwrap().to_owned())
    };
    let left = Left { remaining: 2, wait: Duration::ZERO };
    assert_eq!(told(left), ["\"read\";q=60;w=60;burst=5", "\"read\";r=2;t=3"]);
    let none = Left { remaining: 0, wait: Duration::from_millis(1_200) };
    assert_eq!(told(none)[1], "\"read\";r=0;t=2");
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_limited_by_address() {
    let rates = Rates::new(&NodeConfig::resolve(None, std::iter::empty(), &[]).unwrap().limits);
    let address = |last: u8| Some(Peer(IpAddr::from([192, 0, 2, last])));
    for _ in 0..10 {
        assert!(rates.failed_login(address(1)).is_ok());
    }
    assert!(rates.failed_login(address(1)).is_err());
    assert!(rates.failed_login(address(2)).is_ok());
    tokio::time::advance(Duration::from_secs(6)).await;
    assert!(rates.failed_login(address(1)).is_ok());
}
