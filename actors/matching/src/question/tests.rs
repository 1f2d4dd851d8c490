use tandem_ports::testsuite::samples::{Seeded, document_id, features, owner};

use super::*;

#[test]
fn questions_and_answers_survive_their_way() {
    let features = Arc::new(features(DocumentKind::Job, 1, Seeded::new(1).vector()));
    let question = TotalsQuestion {
        owner: owner("local"),
        kind: DocumentKind::Job,
        features: Arc::clone(&features),
        weights: Weights::default(),
        pool: vec![document_id(1), document_id(2)],
    };
    let question = Question::Totals(Arc::new(question));
    let request = ShardRequest {
        model: tandem_ports::testsuite::samples::model().key(),
        shards: vec![0, 15],
        at: LogPosition(7),
        question,
    };
    assert_eq!(decode::<ShardRequest>(&encode(request.clone()).unwrap()).unwrap(), request);
    let answer = Ok(Answer::Features { found: vec![(document_id(1), features)], more: true });
    let bytes = encode::<Result<Answer, Failure>>(answer.clone()).unwrap();
    assert_eq!(decode::<Result<Answer, Failure>>(&bytes).unwrap(), answer);
}

#[test]
fn foreign_bytes_are_a_failure() {
    for bytes in [&b""[..], b"\xff", b"\x01\x00\x00", &[0u8; 40][..]] {
        let refused = decode::<ShardRequest>(bytes);
        assert!(refused.is_err() || bytes.len() == 40, "{bytes:?}");
    }
}
