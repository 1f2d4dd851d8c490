//! What an operator sees of the queue.

use prometheus::proto::{Metric, MetricType};

use super::*;

use TaskKind::MatchBulk;

/// The value of a metric with these values of its labels; 0 if there is none yet.
pub(super) fn value(name: &str, labels: &[&str]) -> f64 {
    let families = prometheus::gather();
    let Some(family) = families.iter().find(|family| family.name() == name) else { return 0.0 };
    let is =
        |metric: &&Metric| labels.iter().all(|value| metric.get_label().iter().any(|l| l.value() == *value));
    let Some(metric) = family.get_metric().iter().find(is) else { return 0.0 };
    match family.get_field_type() {
        MetricType::COUNTER => metric.get_counter().get_value(),
        MetricType::GAUGE => metric.get_gauge().get_value(),
        MetricType::HISTOGRAM => metric.get_histogram().get_sample_count() as f64,
        MetricType::SUMMARY | MetricType::UNTYPED => panic!("nobody makes these"),
    }
}

const PUBLISHES: &str = "tandem_queue_publishes_total";
const DELIVERIES: &str = "tandem_queue_deliveries_total";
const SETTLEMENTS: &str = "tandem_queue_settlements_total";

#[tokio::test]
async fn everything_that_passes_is_counted() {
    let Some(url) = broker() else { return };
    let kind = MatchBulk.name();
    let wanted: [(&str, &[&str]); 9] = [
        (PUBLISHES, &[kind, "confirmed"]),
        (DELIVERIES, &[kind, "first"]),
        (DELIVERIES, &[kind, "again"]),
        (SETTLEMENTS, &[kind, "done"]),
        (SETTLEMENTS, &[kind, "put_aside"]),
        (SETTLEMENTS, &[kind, "stale"]),
        ("tandem_queue_replays_total", &[kind]),
        ("tandem_queue_confirm_seconds", &[]),
        ("tandem_queue_session_restarts_total", &[]),
    ];
    let before = wanted.map(|(name, labels)| value(name, labels));
    let queue = connect(&url).await;
    let mut deliveries = queue.subscribe(MatchBulk, NonZeroU16::MIN).await.unwrap();
    queue.publish(MatchBulk, &key(1), Duration::ZERO).await.unwrap();
    let delivery = take(&mut *deliveries).await;
    queue.settle(&delivery, Settlement::Dead("seen".to_owned())).await.unwrap();
    queue.settle(&delivery, Settlement::Ack).await.unwrap();
    assert_eq!(queue.replay(MatchBulk, 1).await, Ok(1));
    let delivery = take(&mut *deliveries).await;
    assert!(value("tandem_queue_session_up", &[]) >= 1.0);

    queue.session().await.unwrap().end("a test ends it");
    drop(deliveries);
    let again = timeout(PATIENCE, async {
        loop {
            let Ok(mut deliveries) = queue.subscribe(MatchBulk, NonZeroU16::MIN).await else { continue };
            let Ok(next) = deliveries.next().await else { continue };
            return (next.unwrap(), deliveries);
        }
    });
    let (again, _deliveries) = again.await.expect("the session comes back");
    assert_eq!((again.task.clone(), again.count), (delivery.task, 2));
    queue.settle(&again, Settlement::Ack).await.unwrap();

    for ((name, labels), before) in wanted.into_iter().zip(before) {
        assert!(value(name, labels) > before, "{name} {labels:?} stays {before}");
    }
    queue.close().await;
    wipe(&url, &queue.shared.topology).await;
}
