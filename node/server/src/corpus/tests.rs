use super::*;

fn corpus(id: u128, shards: u16) -> Corpus {
    Corpus { id: Uuid::from_u128(id), shards }
}

#[test]
fn a_node_that_fits_goes_by_the_corpus_that_is_there() {
    assert_eq!(corpus(8, 16).must_fit(corpus(7, 16)).unwrap().id, Uuid::from_u128(7));
}

#[test]
fn a_node_that_does_not_fit_is_told_what_to_set() {
    let text = corpus(8, 16).must_fit(corpus(7, 8)).unwrap_err().to_string();
    assert!(text.contains("index.shards is 16 here and 8 there"), "{text}");
}

#[test]
fn a_corpus_that_was_described_with_its_model_is_understood() {
    let before =
        r#"{"id":"00000000-0000-0000-0000-000000000007","model":{"id":"m"},"window":256,"shards":16}"#;
    assert_eq!(serde_json::from_str::<Corpus>(before).unwrap(), corpus(7, 16));
}
