use toml::Value;

use crate::{ConfigError, NodeConfig};

fn resolve(key: &str, value: Value) -> Result<NodeConfig, String> {
    NodeConfig::resolve(None, std::iter::empty(), &[(key, value)]).map_err(|error| {
        let ConfigError::BadValue { key, .. } = error else { panic!("{error}") };
        key
    })
}

fn text(key: &str, value: &str) -> Result<NodeConfig, String> {
    resolve(key, Value::String(value.to_owned()))
}

#[test]
fn urls_are_good_for_minutes_and_at_most_a_day() {
    for (minutes, fits) in [(0, false), (1, true), (1440, true), (1441, false)] {
        let resolved = resolve("uploads.expires_min", Value::Integer(minutes));
        assert_eq!(resolved.is_ok(), fits, "{minutes}");
    }
    let config = NodeConfig::resolve(None, std::iter::empty(), &[]).unwrap();
    assert_eq!(config.uploads.good_for().as_secs(), 900);
}

#[test]
fn a_key_is_long_or_not_there_and_is_not_shown() {
    for bad in ["short", "0123456789abcdef0123456789abcde", "0123456789abcdef 0123456789abcdef"] {
        assert_eq!(text("uploads.key", bad).unwrap_err(), "uploads.key");
    }
    let key = "0123456789abcdef0123456789abcdef";
    let config = text("uploads.key", key).unwrap();
    assert_eq!(config.uploads.key.reveal(), key);
    assert!(!format!("{config:?}").contains(key));
}

#[test]
fn the_public_address_is_one_that_paths_can_follow() {
    for good in ["https://tandem.example.org", "http://127.0.0.1:8080/", "https://example.org/tandem"] {
        assert!(text("edge.public_url", good).is_ok(), "{good}");
    }
    for bad in
        ["tandem.example.org", "ftp://example.org", "https://a:b@example.org", "https://example.org/?a=1"]
    {
        assert_eq!(text("edge.public_url", bad).unwrap_err(), "edge.public_url", "{bad}");
    }
}
