use tandem_domain::trace::{SpanId, TraceId};

use super::*;

#[tokio::test]
async fn work_knows_the_trace_that_it_is_a_part_of() {
    let trace =
        |number| Some(TraceContext { trace: TraceId::new(number), span: SpanId::new(1), sampled: true });
    assert_eq!(current(), None);
    let work = async {
        tokio::task::yield_now().await;
        let inner = within(trace(2), async { current() }).await;
        let none = within(None, async { current() }).await;
        (current(), inner, none)
    };
    let (one, other) = tokio::join!(within(trace(1), work), within(trace(3), async { current() }));
    assert_eq!(one, (trace(1), trace(2), None));
    assert_eq!((other, current()), (trace(3), None));
}
