use std::iter::once;

use serde_json::json;
use tandem_config::NodeConfig;
use tokio::task::JoinSet;

use super::*;
use crate::auth::keys::keys_of;
use crate::auth::testing::{Answer, Issuer, Signer, encoded, jwks};

mod hostile;

/// The time of every test, in seconds: 2026-11-01T12:00:00Z.
const NOW: i64 = 1_793_534_400;
const ISSUER: &str = "https://tandem-example.eu.auth0.com/";
const AUDIENCE: &str = "https://tandem.example.org";
const SECRET: &str = "a-secret-of-tests-that-is-long-enough-for-HS256";

/// Tokens under these settings of `auth.jwt`, and what keeps their keys.
struct Believed {
    tokens: Arc<Tokens>,
    _keeper: JoinSet<()>,
}

impl Believed {
    fn new(settings: &[(&str, &str)]) -> Self {
        let tokens = Arc::new(tokens(settings).expect("an issuer is configured"));
        let (kept, mut keeper) = (Arc::clone(&tokens), JoinSet::new());
        keeper.spawn(async move { kept.keep().await });
        Self { tokens, _keeper: keeper }
    }

    /// With a shared secret.
    fn shared() -> Self {
        Self::new(&[("secret", SECRET)])
    }

    async fn verify(&self, token: &str) -> Result<Claims, Refusal> {
        self.tokens.verify(token).await
    }
}

/// Our issuer and audience, but for these settings.
fn tokens(settings: &[(&str, &str)]) -> Option<Tokens> {
    let defaults = [("issuer", ISSUER), ("audience", AUDIENCE)];
    let named =
        |(key, value): (&str, &str)| (format!("TANDEM_AUTH__JWT__{}", key.to_uppercase()), value.to_owned());
    let env = defaults.into_iter().chain(settings.iter().copied()).map(named);
    let mut env: Vec<(String, String)> = env.collect();
    // The later one of two counts.
    env.reverse();
    env.sort_by(|a, b| a.0.cmp(&b.0));
    env.dedup_by(|a, b| a.0 == b.0);
    let enabled = once(("TANDEM_AUTH__ENABLED".to_owned(), "true".to_owned()));
    let config = NodeConfig::resolve(None, env.into_iter().chain(enabled), &[]).unwrap();
    Tokens::new(&config.auth, Arc::new(|| Timestamp::from_millis(NOW * 1000))).unwrap()
}

/// Claims that open the door, with one changed; `null` = without it.
fn claims(name: &str, to: Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "auth0|64a1f0c2d9e8b7a6c5d4e3f2",
        "iat": NOW - 60, "exp": NOW + 3600,
    });
    let members = claims.as_object_mut().unwrap();
    if to.is_null() {
        members.remove(name)
    } else {
        members.insert(name.to_owned(), to)
    };
    claims
}

fn secret() -> Signer {
    Signer::hs256(SECRET.as_bytes())
}

/// What becomes of a token with one claim changed.
async fn with(name: &str, to: Value) -> Result<Claims, Refusal> {
    Believed::shared().verify(&secret().token(&claims(name, to))).await
}

#[test]
fn no_tokens_are_believed_without_an_issuer_or_without_accounts() {
    let now = || Arc::new(|| Timestamp::from_millis(0));
    let config = NodeConfig::resolve(None, once(("TANDEM_AUTH__ENABLED".to_owned(), "true".to_owned())), &[]);
    assert!(Tokens::new(&config.unwrap().auth, now()).unwrap().is_none());
    let env = [("ISSUER", ISSUER), ("AUDIENCE", AUDIENCE)];
    let env = env.map(|(key, value)| (format!("TANDEM_AUTH__JWT__{key}"), value.to_owned()));
    let off = NodeConfig::resolve(None, env.into_iter(), &[]).unwrap();
    assert!(Tokens::new(&off.auth, now()).unwrap().is_none());
    assert!(tokens(&[]).is_some());
}

/// A token as Auth0 makes them for an API, with roles by an action, and its keys as it gives them.
#[tokio::test]
async fn a_token_of_auth0_says_who_asks() {
    let signer = Signer::rs256("NjVBRjY5MDlCMUIwNzU4RTA2QzZFMDQ4QzQ2MDAy");
    let mut jwk = signer.jwk();
    jwk["x5t"] = json!("NjVBRjY5MDlCMUIwNzU4RTA2QzZFMDQ4QzQ2MDAy");
    jwk["x5c"] = json!(["MIIDBzCCAe+gAwIBAgIJ"]);
    let answer = Answer::Text(axum::http::StatusCode::OK, json!({ "keys": [jwk] }).to_string());
    let issuer = Issuer::start(answer).await;
    let believed = Believed::new(&[
        ("jwks_url", &issuer.url),
        ("role_claim", "https://tandem.example.org/roles"),
        ("tenant_claim", "https://tandem.example.org/tenant"),
    ]);
    let token = signer.token(&json!({
        "iss": "https://tandem-example.eu.auth0.com/",
        "sub": "auth0|64a1f0c2d9e8b7a6c5d4e3f2",
        "aud": ["https://tandem.example.org", "https://tandem-example.eu.auth0.com/userinfo"],
        "iat": NOW - 60,
        "exp": NOW + 86_340,
        "scope": "openid profile email",
        "azp": "k3Yx2Vq9LwJ5hTnB7cRmZ4dFgS8pQa1E",
        "permissions": ["read:jobs"],
        "https://tandem.example.org/roles": ["Recruiting EMEA", "employer"],
        "https://tandem.example.org/tenant": "acme",
    }));
    let claims = believed.verify(&token).await.unwrap();
    assert_eq!(claims.owner.as_str(), "auth0|64a1f0c2d9e8b7a6c5d4e3f2");
    assert_eq!((claims.tenant.as_str(), claims.role), ("acme", Role::Employer));
}

/// A token as Supabase makes them for a user who is logged in.
fn of_supabase() -> Value {
    json!({
        "iss": "https://abcdefghijklmnopqrst.supabase.co/auth/v1",
        "sub": "8f14e45f-ceea-467f-a0e6-3d2a4c5b6d7e",
        "aud": "authenticated",
        "exp": NOW + 3600,
        "iat": NOW,
        "email": "robin.sample@example.org",
        "phone": "",
        "app_metadata": { "provider": "email", "providers": ["email"], "role": "employer", "tenant": "acme" },
        "user_metadata": { "role": "operator", "email_verified": true },
        "role": "authenticated",
        "aal": "aal1",
        "amr": [{ "method": "password", "timestamp": NOW }],
        "session_id": "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
        "is_anonymous": false,
    })
}

#[tokio::test]
async fn a_token_of_supabase_says_who_asks() {
    let signer = Signer::es256("b6f3f2a0-6a1e-4a0c-9b1e-0e5f0d6c7a11");
    let issuer = Issuer::start(jwks(&[&signer])).await;
    let supabase = ("issuer", "https://abcdefghijklmnopqrst.supabase.co/auth/v1");
    let keys = ("jwks_url", issuer.url.as_str());
    let audience = ("audience", "authenticated");
    let token = signer.token(&of_supabase());
    // Its role is one of its database, not one of ours.
    let claims = Believed::new(&[supabase, keys, audience]).verify(&token).await.unwrap();
    assert_eq!((claims.owner.as_str(), claims.role), ("8f14e45f-ceea-467f-a0e6-3d2a4c5b6d7e", Role::User));
    assert_eq!(claims.tenant.as_str(), claims.owner.as_str());
    let paths = [("role_claim", "app_metadata,role"), ("tenant_claim", "app_metadata,tenant")];
    let settings = [&[supabase, keys, audience][..], &paths].concat();
    let claims = Believed::new(&settings).verify(&token).await.unwrap();
    assert_eq!((claims.tenant.as_str(), claims.role), ("acme", Role::Employer));
    // A project with the older, shared secret.
    let settings = [&[supabase, ("secret", SECRET), audience][..], &paths].concat();
    let claims = Believed::new(&settings).verify(&secret().token(&of_supabase())).await.unwrap();
    assert_eq!(claims.role, Role::Employer);
    // Its key for everybody is no user's token.
    let anon = json!({ "iss": "supabase", "ref": "abcdefghijklmnopqrst", "role": "anon", "iat": NOW, "exp": NOW + 9 });
    assert_eq!(Believed::new(&settings).verify(&secret().token(&anon)).await, Err(Refusal::Issuer));
}

#[tokio::test]
async fn a_token_lives_from_its_beginning_to_its_end_give_or_take_a_minute() {
    for (end, expected) in [(-61, false), (-60, false), (-59, true), (0, true), (1, true)] {
        let seen = with("exp", json!(NOW + end)).await;
        assert_eq!(seen.err(), (!expected).then_some(Refusal::Expired), "exp {end}");
    }
    for name in ["nbf", "iat"] {
        for (begin, expected) in [(0, true), (60, true), (61, false), (1_000_000, false)] {
            let seen = with(name, json!(NOW + begin)).await;
            assert_eq!(seen.err(), (!expected).then_some(Refusal::NotYet), "{name} {begin}");
        }
        assert!(with(name, Value::Null).await.is_ok());
        assert_eq!(with(name, json!("soon")).await, Err(Refusal::Claim(name)));
    }
    assert!(with("exp", json!(NOW as f64 - 59.5)).await.is_ok());
    assert_eq!(with("exp", json!(NOW as f64 - 60.5)).await, Err(Refusal::Expired));
    assert!(with("exp", json!(1e300)).await.is_ok());
    for past in [json!(-1e300), json!(0), json!(i64::MIN)] {
        assert_eq!(with("exp", past).await, Err(Refusal::Expired));
    }
    for bad in [Value::Null, json!("9999999999"), json!(true), json!([NOW + 1]), json!({})] {
        assert_eq!(with("exp", bad).await, Err(Refusal::Claim("exp")));
    }
}

#[tokio::test]
async fn tokens_of_others_and_for_others_are_refused() {
    for other in [json!("https://evil.example/"), json!(ISSUER.trim_end_matches('/')), json!(""), Value::Null]
    {
        assert_eq!(with("iss", other).await, Err(Refusal::Issuer));
    }
    assert_eq!(with("iss", json!([ISSUER])).await, Err(Refusal::Claim("iss")));
    let others = json!(["https://tandem.example.org/", "authenticated", 7, null, [AUDIENCE]]);
    for other in [json!("https://other.example"), json!([]), others, json!({ "0": AUDIENCE }), Value::Null] {
        assert_eq!(with("aud", other).await, Err(Refusal::Audience));
    }
    assert!(with("aud", json!(["https://other.example", AUDIENCE])).await.is_ok());
}

#[tokio::test]
async fn a_subject_becomes_an_owner_unless_its_name_has_a_meaning_here() {
    for name in ["local", "nobody", "", "with a space", "Ærøskøbing", &"x".repeat(129)] {
        assert_eq!(with("sub", json!(name)).await, Err(Refusal::Subject), "{name}");
    }
    for bad in [Value::Null, json!(7), json!(["a"])] {
        assert_eq!(with("sub", bad).await, Err(Refusal::Claim("sub")));
    }
    for good in ["Local", "google-oauth2|103547991597142817347", "client@clients", &"x".repeat(128)] {
        assert_eq!(with("sub", json!(good)).await.unwrap().owner.as_str(), good);
    }
}

#[tokio::test]
async fn the_organization_is_the_claims_or_the_subjects_own() {
    assert_eq!(with("tenant", json!("acme")).await.unwrap().tenant.as_str(), "acme");
    assert_eq!(with("tenant", Value::Null).await.unwrap().tenant.as_str(), "auth0|64a1f0c2d9e8b7a6c5d4e3f2");
    for bad in [json!(""), json!(7), json!(["acme"]), json!("a b")] {
        assert_eq!(with("tenant", bad).await, Err(Refusal::Claim("tenant")));
    }
}

#[tokio::test]
async fn of_several_roles_the_one_that_comes_last_counts() {
    for role in Role::ALL {
        assert_eq!(with("role", json!(role.as_str())).await.unwrap().role, *role);
    }
    for (claim, expected) in [
        (json!(["user", "reviewer", "employer"]), Role::Reviewer),
        (json!(["operator", "admin"]), Role::Operator),
        (json!(["king", 7, null, "employer"]), Role::Employer),
        (json!(["king"]), Role::User),
        (json!([]), Role::User),
        (json!("Admin"), Role::User),
        (json!("admin,operator"), Role::User),
        (json!({ "admin": true }), Role::User),
        (Value::Null, Role::User),
    ] {
        assert_eq!(with("role", claim.clone()).await.unwrap().role, expected, "{claim}");
    }
    let reviewers =
        Believed::new(&[("secret", SECRET), ("default_role", "reviewer"), ("role_claim", "a,b,c")]);
    for (claim, expected) in [
        (json!({ "b": { "c": "employer" } }), Role::Employer),
        (json!({ "b": "employer" }), Role::Reviewer),
        (json!("employer"), Role::Reviewer),
    ] {
        let token = secret().token(&claims("a", claim));
        assert_eq!(reviewers.verify(&token).await.unwrap().role, expected);
    }
}

#[tokio::test]
async fn a_signature_is_checked_once_for_each_key_and_the_claims_each_time() {
    let (first, second) = (Signer::es256("one"), Signer::es256("one"));
    let issuer = Issuer::start(jwks(&[&first])).await;
    let believed = Believed::new(&[("jwks_url", &issuer.url)]);
    let token = first.token(&claims("sub", json!("ann")));
    for _ in 0..2 {
        assert!(believed.verify(&token).await.is_ok());
    }
    let known = || believed.tokens.genuine.0.lock().unwrap().len();
    assert_eq!(known(), 1);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    let other = encoded(claims("sub", json!("eve")).to_string());
    let forged = format!("{header}.{other}.{signature}");
    assert_eq!(believed.verify(&forged).await, Err(Refusal::Signature));
    let expired = first.token(&claims("exp", json!(NOW - 3_600)));
    for _ in 0..2 {
        assert_eq!(believed.verify(&expired).await, Err(Refusal::Expired));
    }
    assert_eq!(known(), 2, "its signature is right");

    let [first, second] = [first, second].map(|signer| {
        let keys = keys_of(&serde_json::to_vec(&json!({ "keys": [signer.jwk()] })).unwrap()).unwrap();
        Arc::new(keys.into_iter().next().unwrap())
    });
    let genuine = Genuine::default();
    assert!(genuine.is("a", &first, || true));
    assert!(genuine.is("a", &first, || panic!("it is known")));
    assert!(!genuine.is("a", &second, || false), "another key of the same name");
    assert!(!genuine.is("b", &first, || false) && !genuine.is("b", &first, || false));
    for number in 0..2 * MOST_GENUINE {
        assert!(genuine.is(&number.to_string(), &first, || true));
    }
    assert!(genuine.0.lock().unwrap().len() <= MOST_GENUINE);
}
