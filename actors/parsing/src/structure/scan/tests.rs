use super::super::fold::{fold, plain};
use super::*;

fn skills(text: &str) -> Vec<&'static str> {
    let plain = plain(&fold(text), |_| false);
    scan(&plain).iter().filter_map(|hit| hit.meaning().skill()).map(|id| id.slug()).collect()
}

#[test]
fn names_with_signs_are_told_apart() {
    assert_eq!(skills("C++, C# and TypeScript"), ["c-plus-plus", "c-sharp", "typescript"]);
    assert!(!skills("research & development (R&D)").contains(&"r"));
    assert_eq!(skills("Node.js"), ["node-js"]);
}

#[test]
fn words_inside_words_are_no_names() {
    assert!(skills("javascripts are not pythonic golang-ish rusty").iter().all(|slug| *slug != "python"));
    assert!(skills("write to me@python.org").is_empty());
}

#[test]
fn versions_and_plurals_count() {
    assert_eq!(skills("Python 3.11"), ["python"]);
    assert_eq!(skills("Python3"), ["python"]);
    assert!(skills("Canvas, SAP2000").iter().all(|slug| *slug != "canva" && *slug != "sap-erp"));
    assert_eq!(skills("REST APIs"), ["rest-apis"]);
}

#[test]
fn arabic_particles_are_no_part_of_the_name() {
    let with = skills("خبرة في المحاسبة");
    assert!(with.contains(&"accounting"), "{with:?}");
    assert!(skills("خبرة بالمحاسبة").contains(&"accounting"));
}

#[test]
fn the_longest_name_wins_and_a_broken_longer_one_does_not_hide_it() {
    assert!(skills("React Native").contains(&"react-native"));
    assert_eq!(skills("Java services"), ["java"]);
}
