use super::*;

fn client_of(peer: &str, passed: &[&str]) -> String {
    let proxies = ["10.0.0.0/8", "2001:db8::/32"].map(|net| net.parse().unwrap());
    let mut headers = HeaderMap::new();
    for value in passed {
        headers.append(X_FORWARDED_FOR, value.parse().unwrap());
    }
    client(peer.parse().unwrap(), &headers, &proxies).to_string()
}

#[test]
fn a_stranger_is_where_its_connection_comes_from() {
    assert_eq!(client_of("192.0.2.7", &["198.51.100.1"]), "192.0.2.7");
    assert_eq!(client_of("10.1.2.3", &[]), "10.1.2.3");
}

#[test]
fn a_trusted_proxy_says_who_is_behind_it() {
    assert_eq!(client_of("10.1.2.3", &["198.51.100.1"]), "198.51.100.1");
    assert_eq!(client_of("::ffff:10.1.2.3", &["198.51.100.1:4711"]), "198.51.100.1");
    assert_eq!(client_of("2001:db8::1", &["[2001:4860::8]:443"]), "2001:4860::8");
    assert_eq!(client_of("10.1.2.3", &["198.51.100.1, 10.9.9.9"]), "198.51.100.1");
    assert_eq!(client_of("10.1.2.3", &["198.51.100.1", "10.9.9.9"]), "198.51.100.1");
}

#[test]
fn what_a_client_writes_itself_is_not_believed() {
    assert_eq!(client_of("10.1.2.3", &["203.0.113.9, 198.51.100.1"]), "198.51.100.1");
    assert_eq!(client_of("10.1.2.3", &["unknown"]), "10.1.2.3");
    assert_eq!(client_of("10.1.2.3", &["203.0.113.9, nonsense, 10.9.9.9"]), "10.9.9.9");
}
