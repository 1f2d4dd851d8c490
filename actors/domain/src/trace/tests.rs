use proptest::prelude::*;

use super::*;

const SAMPLE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn parse(header: &str) -> Option<TraceContext> {
    TraceContext::parse(header.as_bytes())
}

#[test]
fn the_header_of_the_standard_is_read_and_shown() {
    let found = parse(SAMPLE).unwrap();
    assert_eq!(found.trace.get(), 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
    assert_eq!(found.span.get(), 0xb7ad_6b71_6920_3331);
    assert!(found.sampled);
    assert_eq!(found.to_string(), SAMPLE);
    assert_eq!(SAMPLE.len(), TRACEPARENT_LEN);
    let unsampled = parse(&SAMPLE.replace("-01", "-00")).unwrap();
    assert!(!unsampled.sampled);
    // Other flags are not known, and not passed on.
    assert_eq!(parse(&SAMPLE.replace("-01", "-ff")).unwrap().to_string(), SAMPLE);
}

#[test]
fn what_is_no_header_is_nothing() {
    for wrong in [
        "",
        "00",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
        "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more",
    ] {
        assert_eq!(parse(wrong), None, "{wrong:?}");
    }
}

#[test]
fn a_later_version_is_read_as_far_as_it_is_known() {
    let known = parse(SAMPLE);
    for later in [SAMPLE.replacen("00", "01", 1), format!("{}-what-comes", SAMPLE.replacen("00", "cc", 1))] {
        assert_eq!(parse(&later), known, "{later}");
    }
}

#[test]
fn nothing_has_the_id_zero() {
    assert_eq!(TraceId::new(0).to_string(), format!("{:032x}", 1));
    assert_eq!(SpanId::new(0).to_string(), format!("{:016x}", 1));
    assert_eq!(TraceId::of(Uuid::from_u128(7)).get(), 7);
    let zeros = postcard::to_stdvec(&(0_u128, 1_u64, true)).unwrap();
    assert!(postcard::from_bytes::<TraceContext>(&zeros).is_err(), "no trace");
}

proptest! {
    #[test]
    fn every_context_comes_back(trace: u128, span: u64, sampled: bool) {
        let context = TraceContext { trace: TraceId::new(trace), span: SpanId::new(span), sampled };
        prop_assert_eq!(parse(&context.to_string()), Some(context));
        let bytes = postcard::to_stdvec(&context).unwrap();
        prop_assert_eq!(postcard::from_bytes(&bytes), Ok(context));
        prop_assert_eq!(context.at(SpanId::new(9)).trace, context.trace);
    }

    #[test]
    fn no_header_hurts(header in prop::collection::vec(any::<u8>(), 0..80), at in 0..80_usize) {
        prop_assert!(TraceContext::parse(&header).is_none() || header.len() >= TRACEPARENT_LEN);
        let mut almost = SAMPLE.as_bytes().to_vec();
        if let (Some(place), Some(byte)) = (almost.get_mut(at), header.first()) {
            *place = *byte;
        }
        if let Some(found) = TraceContext::parse(&almost) {
            prop_assert!(found.trace.get() > 0 && found.span.get() > 0);
        }
    }
}
