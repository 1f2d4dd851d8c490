use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::mesh::Cookie;

#[test]
fn files_are_the_owners_alone_and_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let node = NodeName::new("node-1").unwrap();
    assert!(matches!(make_node_cert(dir, &node, &[]), Err(CertsError::File { .. })), "no authority yet");
    make_ca(dir).unwrap();
    let hosts = ["node-1", "10.0.0.7", "[::1]", "node-1.example"].map(str::to_owned);
    let tls = make_node_cert(dir, &node, &hosts).unwrap();
    assert_eq!((tls.ca, tls.cert), (dir.join("ca.pem"), dir.join("node-1.pem")));
    let cookie = make_cookie(dir).unwrap();
    let mut made = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
        made.push((entry.path(), std::fs::read(entry.path()).unwrap()));
    }
    assert_eq!(made.len(), 5);
    assert!(matches!(make_ca(dir), Err(CertsError::Exists(_))));
    assert!(matches!(make_node_cert(dir, &node, &[]), Err(CertsError::Exists(_))));
    assert!(matches!(make_cookie(dir), Err(CertsError::Exists(_))));
    assert!(made.iter().all(|(path, bytes)| std::fs::read(path).unwrap() == *bytes));
    assert!(Cookie::read(&cookie).is_ok());
    let text = std::fs::read_to_string(cookie).unwrap();
    assert_eq!((text.len(), hex::decode(text).unwrap().len()), (64, COOKIE_BYTES));
}

#[test]
fn a_host_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    make_ca(folder.path()).unwrap();
    let node = NodeName::new("a").unwrap();
    let made = make_node_cert(folder.path(), &node, &["not ä host".to_owned()]);
    assert!(matches!(made, Err(CertsError::Certificate(_))), "{made:?}");
}
