use tandem_domain::trace::{SpanId, TraceId};

use super::*;

#[test]
fn a_header_survives_the_pipe() {
    let limits = Limits { pages: 3, ..Limits::default() };
    let trace = Some(TraceContext { trace: TraceId::new(7), span: SpanId::new(9), sampled: true });
    let bytes = encode_header("cv.pdf", &limits, 12, trace).unwrap();
    let (length, rest) = bytes.split_at(4);
    assert_eq!(header_length(length.try_into().unwrap()).unwrap(), rest.len());
    let header = decode_header(rest).unwrap();
    assert_eq!(header, Header { file_name: "cv.pdf".to_owned(), limits, bytes: 12, trace });
    assert_eq!(body_length(&header).unwrap(), 12);
}

#[test]
fn the_end_of_a_long_name_is_kept() {
    let bytes = encode_header(&format!("{}.pdf", "x".repeat(100_000)), &Limits::default(), 0, None).unwrap();
    let header = decode_header(bytes.get(4..).unwrap()).unwrap();
    assert!(header.file_name.ends_with("x.pdf"));
    assert_eq!(header.file_name.chars().count(), MAX_NAME_CHARS);
}

#[test]
fn lengths_over_the_limit_are_refused_before_anything_is_allocated() {
    assert!(header_length(u32::MAX.to_le_bytes()).is_err());
    assert!(reply_length(u32::MAX.to_le_bytes()).is_err());
    let header = Header { file_name: String::new(), limits: Limits::default(), bytes: u64::MAX, trace: None };
    assert!(body_length(&header).is_err());
}

#[test]
fn errors_survive_the_pipe() {
    let reply = Err(ExtractError::TooLarge { bytes: 2, limit: 1 });
    let bytes = encode_reply(&reply).unwrap();
    assert_eq!(decode_reply(bytes.get(4..).unwrap()).unwrap(), reply);
}
