use super::*;

fn phones(text: &str) -> Vec<&str> {
    phones_in(text).filter_map(|range| text.get(range)).collect()
}

#[test]
fn numbers_to_call_are_told_from_other_figures() {
    assert_eq!(phones("call 303-555-0113 | x"), ["303-555-0113"]);
    assert_eq!(phones("(916) 555-0142"), ["(916) 555-0142"]);
    assert_eq!(phones("+49 30 555-0134, berlin"), ["+49 30 555-0134"]);
    assert_eq!(phones("0117 555 0102"), ["0117 555 0102"]);
    assert_eq!(phones("هاتف: 06 555 0117"), ["06 555 0117"]);
    for text in [
        "2015 - 2018",
        "03/2019 - 05/2021",
        "1 500 000 units",
        "$780,000",
        "2019-03-01 2020-04-01",
        "iso 9001",
    ] {
        assert!(phones(text).is_empty(), "{text}");
    }
}

#[test]
fn addresses_are_found_with_inner_spaces_and_names_of_products_are_none() {
    let found = |text: &str| {
        addresses_in(text).filter_map(|range| text.get(range)).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(found("mail: jane.doe @ example.com").contains(&"jane.doe @ example.com".to_owned()));
    assert!(found("see github.com/jane-doe now").contains(&"github.com/jane-doe".to_owned()));
    assert!(is_contact("www.example.org") && !is_contact("node.js and asp.net core"));
}

#[test]
fn patterns_of_the_module_compile() {
    assert!(EMAIL.is_match("a.b@example.com") && URL.is_match("https://example.com/x"));
}
