//! Who may ask what, on a node with accounts.

use tandem_domain::account::{Account, ApiKey, KeyText, Role, Scope, Scopes, User};
use tandem_domain::ids::{KeyDigest, KeyId, OwnerId};
use tandem_domain::time::Timestamp;
use tandem_messages::accounts::{AccountView, KeyAccess, KeyView};
use tandem_messages::health::Health;

use super::samples::{ID, pair};
use super::*;

fn user(owner: &str, role: Role) -> User {
    User {
        tenant: "acme".parse().unwrap(),
        owner: owner.parse().unwrap(),
        role,
        plan: Some("pro".to_owned()),
        disabled: false,
        created_at: Timestamp::from_millis(0),
    }
}

fn key_of(number: u8) -> KeyText {
    KeyText::from_random(&[number; 32])
}

/// Knows one key for each role, numbered as the roles are, with every scope of its role.
fn site() -> Site {
    Site::with_accounts(|request| match request {
        Request::IdentifyKey(asked) => {
            let role = (1..).zip(Role::ALL).find(|(number, _)| key_of(*number).digest() == asked.digest);
            match role {
                Some((_, role)) => {
                    let user = user(role.as_str(), *role);
                    Act::Reply(Reply::IdentifyKey(KeyAccess {
                        user,
                        scopes: role.scopes(),
                        key: ID.parse().unwrap(),
                    }))
                }
                None => Act::Fail(ErrorCode::AuthRequired, "there is no such key"),
            }
        }
        Request::GetHealth(_) => Act::Reply(Reply::GetHealth(Health { ready: true, checks: Vec::new() })),
        Request::GetMatch(_) => {
            Act::Reply(Reply::GetMatch(tandem_messages::matches::MatchView { pair: pair(None) }))
        }
        _ => Act::Fail(ErrorCode::NotFound, "nothing of that id is yours"),
    })
}

fn with_key(method: &str, path: &str, number: u8) -> HttpRequest<Body> {
    let body = if method == "post" { "{}" } else { "" };
    HttpRequest::builder()
        .method(method.to_ascii_uppercase().as_str())
        .uri(path.replace("{id}", ID))
        .header("x-api-key", key_of(number).as_str())
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.into())
        .unwrap()
}

#[tokio::test]
async fn s10_without_credentials_nobody_is_let_in() {
    let answer = site().get("/api/v1/resumes").await;
    assert_eq!(answer.problem(401, "AUTH_REQUIRED").split_once(':').unwrap().0, "say who asks");
    assert_eq!(answer.header(header::WWW_AUTHENTICATE), "Bearer realm=\"tandem\"");
    assert_eq!(answer.json()["message"], "Please log in to continue.");
    for open in ["/healthz", "/livez", "/readyz", "/openapi.json", "/docs", "/api/v1/health/ping"] {
        assert_eq!(site().get(open).await.status, StatusCode::OK, "{open}");
    }
    for closed in ["/metrics", "/models", "/status"] {
        site().get(closed).await.problem(401, "AUTH_REQUIRED");
    }
}

#[tokio::test]
async fn every_role_gets_what_the_table_says_and_nothing_more() {
    let site = site();
    for (method, path, right) in crate::rights::all() {
        let crate::rights::Right::Needs(scope) = right else { continue };
        for (number, role) in (1..).zip(Role::ALL) {
            let answer = site.send(with_key(&method.to_ascii_lowercase(), path, number)).await;
            let allowed = role.scopes().has(scope);
            assert_eq!(answer.status == StatusCode::FORBIDDEN, !allowed, "{method} {path} as {role}");
            assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path} as {role}");
        }
    }
}

#[tokio::test]
async fn the_owner_of_the_key_is_asked_for_with_its_plan() {
    let site = site();
    let path = format!("/api/v1/matches/{ID}");
    assert_eq!(site.send(with_key("get", &path, 2)).await.status, StatusCode::OK);
    let Some(Request::GetMatch(asked)) = site.asked().pop() else { panic!("nothing was asked") };
    assert_eq!(asked.owner.as_str(), "employer");
    assert_eq!(site.contexts().pop().unwrap().plan.as_deref(), Some("pro"));
}

#[tokio::test]
async fn a_key_may_stand_in_either_header_but_in_one() {
    let site = site();
    let bearer = |text: &str| {
        HttpRequest::get("/api/v1/account").header(header::AUTHORIZATION, text).body(Body::empty()).unwrap()
    };
    let key = key_of(1);
    let answer = site.send(bearer(&format!("bEARER  {}", key.as_str()))).await;
    let expected = json!({
        "owner": "user", "tenant": "acme", "role": "user", "scopes": ["read", "write", "match", "admin"],
    });
    assert_eq!(answer.data(), expected);
    let wrong =
        [format!("Basic {}", key.as_str()), "Bearer".to_owned(), "Bearer x.y.z".to_owned(), "é".to_owned()];
    for text in wrong {
        site.send(bearer(&text)).await.problem(401, "AUTH_REQUIRED");
    }
    let mut both = bearer(&format!("Bearer {}", key.as_str()));
    both.headers_mut().insert("x-api-key", key.as_str().parse().unwrap());
    site.send(both).await.problem(401, "AUTH_REQUIRED");
}

#[tokio::test]
async fn a_typo_in_a_key_is_told_without_asking_anybody() {
    let site = site();
    let typo = key_of(1).as_str().replace('1', "2");
    let request =
        HttpRequest::get("/api/v1/quota").header("x-api-key", typo.as_str()).body(Body::empty()).unwrap();
    let detail = site.send(request).await.problem(401, "AUTH_REQUIRED");
    assert!(!detail.contains(typo.trim_start_matches("tdm_")), "{detail}");
    assert!(site.asked().is_empty());
}

#[tokio::test]
async fn a_method_that_a_route_does_not_have_is_answered_as_ever() {
    let mut request = with_key("get", "/api/v1/quota", 1);
    *request.method_mut() = axum::http::Method::PUT;
    let answer = site().send(request).await;
    answer.problem(405, "METHOD_NOT_ALLOWED");
    assert_eq!(answer.header(header::ALLOW), "GET,HEAD");
    site().get("/api/v1/nothing").await.problem(404, "NOT_FOUND");
}

fn kept(scopes: Scopes) -> ApiKey {
    ApiKey {
        id: KeyId::from_uuid(ID.parse().unwrap()),
        digest: KeyDigest::of(b"kept"),
        label: "nightly".to_owned(),
        scopes,
        created_at: Timestamp::from_millis(0),
        expires_at: None,
        revoked_at: None,
    }
}

#[tokio::test]
async fn a_new_key_is_shown_once_and_its_digest_is_what_is_kept() {
    let site = Site::new(|request| match request {
        Request::CreateKey(asked) => Act::Reply(Reply::CreateKey(KeyView {
            key: ApiKey { digest: asked.digest, ..kept(asked.scopes.clone()) },
        })),
        _ => Act::Panic,
    });
    let body = json!({ "label": "nightly", "scopes": ["read", "bulk"], "expires_in_days": 2 });
    let answer = site.post("/api/v1/keys", body).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let Some(Request::CreateKey(asked)) = site.asked().pop() else { panic!("nothing was asked") };
    assert_eq!(answer.header(header::LOCATION), format!("/api/v1/keys/{}", asked.id));
    assert_eq!((asked.owner, asked.lives.unwrap().as_secs()), (OwnerId::local(), 172_800));
    let text: KeyText = answer.data()["key"].as_str().unwrap().parse().unwrap();
    assert_eq!(text.digest(), asked.digest);
    assert_eq!(answer.data()["scopes"], json!(["read", "bulk"]));
    let again = site.post("/api/v1/keys", json!({ "label": "nightly" })).await;
    assert_ne!(again.data()["key"].as_str().unwrap(), text.as_str());
    for wrong in [
        json!({}),
        json!({ "label": "x", "expires_in_days": 0 }),
        json!({ "label": "x", "scopes": ["root"] }),
    ] {
        site.post("/api/v1/keys", wrong).await.problem(400, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn nobody_makes_a_key_that_can_do_more_than_they() {
    let request = {
        let mut request = with_key("post", "/api/v1/keys", 1);
        *request.body_mut() = json!({ "label": "x", "scopes": ["read", "bulk"] }).to_string().into();
        request
    };
    let site = site();
    let detail = site.send(request).await.problem(403, "FORBIDDEN");
    assert!(detail.contains("`bulk`"), "{detail}");
    assert!(!site.asked().iter().any(|asked| matches!(asked, Request::CreateKey(_))));
}

#[tokio::test]
async fn keys_are_listed_newest_first_and_revoked_by_their_owner() {
    let site = Site::new(|request| match request {
        Request::GetAccount(_) => {
            let older = ApiKey { label: "older".to_owned(), ..kept([Scope::Read].into_iter().collect()) };
            let keys = vec![older, kept([Scope::Read].into_iter().collect())];
            let account = Account { rev: 3, user: user("local", Role::Admin), keys };
            Act::Reply(Reply::GetAccount(AccountView { account: Some(account) }))
        }
        Request::RevokeKey(_) => {
            let revoked_at = Some(Timestamp::from_millis(7));
            let key = ApiKey { revoked_at, ..kept(Scopes::default()) };
            Act::Reply(Reply::RevokeKey(KeyView { key }))
        }
        _ => Act::Panic,
    });
    let items = site.get("/api/v1/keys").await.data()["items"].clone();
    assert_eq!((&items[0]["label"], &items[1]["label"]), (&json!("nightly"), &json!("older")));
    assert_eq!(items[0].get("digest"), None);
    let request = HttpRequest::delete(format!("/api/v1/keys/{ID}")).body(Body::empty()).unwrap();
    assert_eq!(site.send(request).await.data()["revoked_at"], Timestamp::from_millis(7).to_string());
}
