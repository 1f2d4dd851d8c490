use super::*;
use crate::openapi;

#[test]
fn every_route_is_in_the_table_once_and_nothing_else_is() {
    let api: serde_json::Value = serde_json::from_str(openapi::json()).unwrap();
    let mut routes: Vec<(String, String)> = api["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(|method| (path.clone(), method.to_ascii_uppercase()))
        })
        .collect();
    routes.sort();
    let mut listed: Vec<(String, String)> =
        RIGHTS.iter().map(|(method, path, _)| ((*path).to_owned(), (*method).to_owned())).collect();
    listed.sort();
    assert_eq!(listed, routes);
}

#[test]
fn what_changes_something_needs_more_than_reading() {
    for (method, path, right) in RIGHTS {
        // Callbacks ask for a token of their own, and URLs of uploads are signed.
        if method != "GET" && !path.contains("/callbacks/") && !path.contains("/uploads/") {
            assert!(!matches!(right, Open | Needs(Scope::Read)), "{method} {path}");
        }
    }
    assert_eq!(right_of(&Method::HEAD, "/status"), Some(Needs(Scope::Operate)));
    assert_eq!(right_of(&Method::PUT, "/status"), None);
}
