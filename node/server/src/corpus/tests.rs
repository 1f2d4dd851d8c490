use tandem_ports::testsuite::samples;

use super::*;

fn corpus(shards: u16, window: usize) -> Corpus {
    Corpus { id: Uuid::from_u128(7), model: samples::model(), window, shards }
}

#[test]
fn a_node_that_fits_goes_by_the_corpus_that_is_there() {
    let mine = Corpus { id: Uuid::from_u128(8), ..corpus(16, 256) };
    assert_eq!(mine.must_fit(corpus(16, 256)).unwrap().id, Uuid::from_u128(7));
}

#[test]
fn a_node_that_does_not_fit_is_told_what_to_set() {
    let text = corpus(16, 256).must_fit(corpus(8, 128)).unwrap_err().to_string();
    assert!(text.contains("index.shards is 16 here and 8 there"), "{text}");
    assert!(text.contains("embedding.max_tokens is 256 here and 128 there"), "{text}");
}

#[test]
fn vectors_of_two_models_never_meet() {
    let mut other = corpus(16, 256);
    other.model.weights_digest = "0123456789abcdef".to_owned();
    let text = corpus(16, 256).must_fit(other).unwrap_err().to_string();
    assert!(text.contains("the model here is") && text.contains("(0123456789ab)"), "{text}");
}
