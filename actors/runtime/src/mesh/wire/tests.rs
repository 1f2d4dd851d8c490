use proptest::prelude::*;
use tandem_domain::trace::{SpanId, TraceId};

use super::*;

fn identity() -> Identity {
    Identity { node: NodeName::new("node-1").unwrap(), boot: Uuid::from_u128(0x0102_0304) }
}

fn beat() -> Beat {
    let known = vec![(NodeName::new("b").unwrap(), "[::1]:2".to_owned())];
    Beat { from: identity(), advertise: "a.example:1".to_owned(), known }
}

fn traced() -> Frame {
    let trace = TraceContext { trace: TraceId::new(7), span: SpanId::new(9), sampled: true };
    Frame::TracedAsk { from: NodeName::new("b").unwrap(), deadline_ms: 300, trace }
}

#[test]
fn heads_come_back_with_what_stands_behind_them() {
    let frames = [
        Frame::Beat(beat()),
        Frame::Leave(identity()),
        Frame::Ask { from: NodeName::new("b").unwrap(), deadline_ms: 1_000 },
        traced(),
    ];
    for frame in frames {
        for body in [&b""[..], b"\0", b"some bytes"] {
            let (head, rest) = decode::<Frame>(encode(&frame, body).into()).unwrap();
            assert_eq!((head, &rest[..]), (frame.clone(), body));
        }
    }
}

/// Nodes of different builds must understand each other.
#[test]
fn the_bytes_of_version_one_never_change() {
    let ask = Frame::Ask { from: NodeName::new("b").unwrap(), deadline_ms: 300 };
    assert_eq!(hex::encode(encode(&ask, b"xy")), "00020162ac027879");
    assert_eq!(hex::encode(encode(&Verdict::Done, b"z")), "00007a");
    assert_eq!(hex::encode(encode(&traced(), b"xy")), "00030162ac020709017879");
    let leave = encode(&Frame::Leave(identity()), b"");
    assert_eq!(hex::encode(leave), "0001066e6f64652d311000000000000000000000000001020304");
}

#[test]
fn what_is_not_understood_is_nothing() {
    assert_eq!(decode::<Frame>(Bytes::new()), None);
    let mut next_version = encode(&Verdict::Done, b"");
    next_version[0] = 1;
    assert_eq!(decode::<Verdict>(next_version.into()), None);
    // A name that is none.
    assert_eq!(decode::<Frame>(Bytes::from_static(b"\x00\x02\x01/\x01")), None);
}

#[test]
fn a_heartbeat_keeps_its_bounds() {
    assert!(beat().is_sound());
    let with = |change: fn(&mut Beat)| {
        let mut beat = beat();
        change(&mut beat);
        beat.is_sound()
    };
    assert!(!with(|beat| beat.advertise = "nowhere".to_owned()));
    assert!(!with(|beat| beat.known[0].1 = "b:0".to_owned()));
    assert!(!with(|beat| beat.known = vec![beat.known[0].clone(); MAX_KNOWN + 1]));
}

#[test]
fn a_deadline_fits() {
    assert_eq!(millis(Duration::from_secs(2)), 2_000);
    assert_eq!(millis(Duration::MAX), u32::MAX);
}

proptest! {
    #[test]
    fn no_bytes_hurt(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let bytes = Bytes::from(bytes);
        if let Some((_, body)) = decode::<Frame>(bytes.clone()) {
            prop_assert!(bytes.ends_with(&body));
        }
        prop_assert!(decode::<Verdict>(bytes).is_none_or(|(_, body)| body.len() < 200));
    }
}
