use super::*;

fn resolve(key: &str, value: &str) -> Result<NodeConfig, String> {
    let variable = (format!("TANDEM_TELEMETRY__OTLP__{key}"), value.to_owned());
    NodeConfig::resolve(None, std::iter::once(variable), &[]).map_err(|error| error.to_string())
}

#[test]
fn nothing_is_exported_unless_somebody_asks_for_it() {
    let config = NodeConfig::resolve(None, std::iter::empty(), &[]).unwrap();
    assert_eq!(config.telemetry.otlp.endpoint, "");
    assert!(config.edge.trust_traceparent);
    for endpoint in ["http://localhost:4318/v1/traces", "https://[::1]/v1/traces"] {
        assert_eq!(resolve("ENDPOINT", endpoint).unwrap().telemetry.otlp.endpoint, endpoint);
    }
}

#[test]
fn what_cannot_be_exported_to_is_refused() {
    for endpoint in ["localhost:4318", "/v1/traces", "ftp://a/", "grpc://a:4317", "http://me:secret@a/"] {
        let error = resolve("ENDPOINT", endpoint).unwrap_err();
        assert!(error.contains("telemetry.otlp.endpoint") && !error.contains("secret"), "{error}");
    }
    for (key, value) in [("SAMPLE", "10001"), ("QUEUE", "0"), ("TIMEOUT_S", "61")] {
        assert!(resolve(key, value).unwrap_err().contains("is not in"), "{key}");
    }
}
