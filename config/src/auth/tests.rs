use toml::Value;

use super::*;
use crate::ConfigError;

/// These settings over the defaults; what is wrong with them is the key and the reason.
fn resolve(settings: &[(&str, &str)]) -> Result<NodeConfig, (String, String)> {
    let typed =
        |text: &str| text.parse::<bool>().map_or_else(|_| Value::String(text.to_owned()), Value::Boolean);
    let settings: Vec<(&str, Value)> = settings.iter().map(|(key, text)| (*key, typed(text))).collect();
    NodeConfig::resolve(None, std::iter::empty(), &settings).map_err(|error| {
        let ConfigError::BadValue { key, reason, .. } = error else { panic!("{error}") };
        (key, reason)
    })
}

/// The key that is refused.
fn refused(settings: &[(&str, &str)]) -> String {
    resolve(settings).unwrap_err().0
}

const ISSUER: (&str, &str) = ("auth.jwt.issuer", "https://example.eu.auth0.com/");
const AUDIENCE: (&str, &str) = ("auth.jwt.audience", "https://tandem.example.org");
const SECRET: (&str, &str) = ("auth.jwt.secret", "0123456789abcdef0123456789abcdef");

#[test]
fn accounts_are_off_and_no_token_is_believed_unless_somebody_says_so() {
    let auth = resolve(&[]).unwrap().auth;
    assert!(!auth.enabled && auth.jwt.issuer.is_empty() && auth.jwt.secret.reveal().is_empty());
    assert_eq!((auth.jwt.default_role, auth.jwt.leeway_s), (Role::User, 60));
    assert_eq!(
        (auth.jwt.role_claim, auth.jwt.tenant_claim),
        (vec!["role".to_owned()], vec!["tenant".to_owned()])
    );
}

#[test]
fn only_with_accounts_the_edge_listens_for_others() {
    let listen = ("edge.listen", "0.0.0.0:8080");
    assert_eq!(refused(&[listen]), "edge.listen");
    assert_eq!(refused(&[listen, ISSUER, AUDIENCE]), "edge.listen");
    // API keys are enough.
    assert!(resolve(&[listen, ("auth.enabled", "true")]).is_ok());
}

#[test]
fn keys_are_found_where_the_issuer_or_the_configuration_says() {
    let config = resolve(&[ISSUER, AUDIENCE]).unwrap();
    assert_eq!(config.auth.jwt.keys_url(), "https://example.eu.auth0.com/.well-known/jwks.json");
    let elsewhere = ("auth.jwt.jwks_url", "http://127.0.0.1:9999/keys");
    assert_eq!(resolve(&[ISSUER, AUDIENCE, elsewhere]).unwrap().auth.jwt.keys_url(), elsewhere.1);
}

#[test]
fn addresses_that_somebody_on_the_way_could_answer_are_refused() {
    for bad in [
        "http://example.org/keys",
        "http://localhost.example.org/keys",
        "http://127.0.0.1@example.org/keys",
        "https://user:password@example.org/keys",
        "ftp://127.0.0.1/keys",
        "file:///keys",
        "example.org/keys",
        "https://",
    ] {
        assert_eq!(refused(&[ISSUER, AUDIENCE, ("auth.jwt.jwks_url", bad)]), "auth.jwt.jwks_url", "{bad}");
    }
    for good in ["https://example.org/keys", "http://localhost:1/", "http://[::1]:1/", "http://127.1.2.3/"] {
        assert!(resolve(&[ISSUER, AUDIENCE, ("auth.jwt.jwks_url", good)]).is_ok(), "{good}");
    }
    assert_eq!(refused(&[("auth.jwt.issuer", "supabase"), AUDIENCE]), "auth.jwt.issuer");
    assert!(resolve(&[("auth.jwt.issuer", "supabase"), AUDIENCE, SECRET]).is_ok());
}

#[test]
fn half_a_setting_is_refused() {
    assert_eq!(refused(&[ISSUER]), "auth.jwt.audience");
    assert_eq!(refused(&[AUDIENCE]), "auth.jwt.issuer");
    assert_eq!(refused(&[SECRET]), "auth.jwt.issuer");
    let keys = ("auth.jwt.jwks_url", "https://example.org/keys");
    assert_eq!(refused(&[keys]), "auth.jwt.issuer");
    assert_eq!(refused(&[ISSUER, AUDIENCE, SECRET, keys]), "auth.jwt.secret");
}

#[test]
fn a_short_secret_is_refused_and_no_secret_is_shown() {
    let short = ("auth.jwt.secret", "0123456789abcdef0123456789abcde");
    let (key, reason) = resolve(&[ISSUER, AUDIENCE, short]).unwrap_err();
    assert_eq!(key, "auth.jwt.secret");
    assert!(!reason.contains("0123456789"), "{reason}");
    let config = resolve(&[ISSUER, AUDIENCE, SECRET]).unwrap();
    assert_eq!(config.auth.jwt.secret.reveal(), SECRET.1);
    assert!(!format!("{config:?}").contains("0123456789"));
}

#[test]
fn the_token_of_a_workflow_is_long_or_not_there() {
    for bad in ["short", "0123456789abcdef0123456789abcde", "0123456789abcdef 0123456789abcdef"] {
        assert_eq!(refused(&[("edge.workflow_token", bad)]), "edge.workflow_token");
    }
    let token = "0123456789abcdef0123456789abcdef";
    let config = resolve(&[("edge.workflow_token", token)]).unwrap();
    assert_eq!(config.edge.workflow_token.reveal(), token);
    assert!(!format!("{config:?}").contains(token));
}

#[test]
fn a_claim_is_a_path_of_names_and_a_role_is_one_of_ours() {
    let env = |value: &str| {
        let variable = ("TANDEM_AUTH__JWT__ROLE_CLAIM".to_owned(), value.to_owned());
        NodeConfig::resolve(None, std::iter::once(variable), &[]).map(|config| config.auth.jwt.role_claim)
    };
    assert_eq!(env("app_metadata, role").unwrap(), ["app_metadata", "role"]);
    assert_eq!(env("https://tandem.example.org/role").unwrap(), ["https://tandem.example.org/role"]);
    assert!(env("").is_err() && env("a,b,c,d,e,f,g,h,i").is_err() && env("[\"\"]").is_err());
    assert_eq!(
        resolve(&[("auth.jwt.default_role", "employer")]).unwrap().auth.jwt.default_role,
        Role::Employer
    );
    assert!(refused(&[("auth.jwt.default_role", "king")]).starts_with("auth.jwt"));
}

#[test]
fn clocks_may_differ_by_minutes_at_most() {
    let leeway = |seconds| {
        NodeConfig::resolve(None, std::iter::empty(), &[("auth.jwt.leeway_s", Value::Integer(seconds))])
    };
    assert_eq!(leeway(300).unwrap().auth.jwt.leeway_s, 300);
    assert!(leeway(301).is_err() && leeway(-1).is_err());
}
