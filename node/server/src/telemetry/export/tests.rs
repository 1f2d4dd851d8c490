use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use toml::Value;

use super::*;

/// Ends a wait in vain.
const PATIENCE: Duration = Duration::from_secs(60);

fn config(endpoint: String, queue: i64) -> NodeConfig {
    let over = [
        ("telemetry.otlp.endpoint", Value::String(endpoint)),
        ("telemetry.otlp.queue", Value::Integer(queue)),
        ("node.name", Value::String("node-7".to_owned())),
    ];
    NodeConfig::resolve(None, std::iter::empty(), &over).unwrap()
}

fn span(number: u64) -> Span {
    Span { span_id: number.to_be_bytes().to_vec(), ..Span::default() }
}

/// A collector that answers with these codes in turn, and then with 200, and hands on what it was sent.
async fn collector(answers: &'static [u16]) -> (String, Receiver<ExportTraceServiceRequest>, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, requests) = channel(1_000);
    let mut running = JoinSet::new();
    running.spawn(async move {
        for number in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut read, mut chunk) = (Vec::new(), [0; 4096]);
            let body = loop {
                let count = stream.read(&mut chunk).await.unwrap();
                read.extend_from_slice(&chunk[..count]);
                let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
                let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
                assert!(head.contains("content-type: application/x-protobuf"), "{head}");
                let (_, length) = head.split_once("content-length: ").unwrap();
                let length: usize = length.lines().next().unwrap().parse().unwrap();
                if read.len() == end + 4 + length {
                    break read[end + 4..].to_vec();
                }
            };
            sender.send(ExportTraceServiceRequest::decode(&body[..]).unwrap()).await.unwrap();
            let status = answers.get(number).copied().unwrap_or(200);
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (format!("http://{address}/v1/traces"), requests, running)
}

async fn next(requests: &mut Receiver<ExportTraceServiceRequest>) -> Vec<u64> {
    let request = timeout(PATIENCE, requests.recv()).await.unwrap().unwrap();
    let [resource] = &request.resource_spans[..] else { panic!("{request:?}") };
    let attributes = format!("{:?}", resource.resource);
    for part in ["service.name", "\"tandem\"", "service.version", "service.instance.id", "\"node-7\""] {
        assert!(attributes.contains(part), "{attributes}");
    }
    let [scope] = &resource.scope_spans[..] else { panic!("{request:?}") };
    let number = |span: &Span| u64::from_be_bytes(span.span_id.as_slice().try_into().unwrap());
    scope.spans.iter().map(number).collect()
}

#[tokio::test]
async fn spans_are_sent_in_batches_and_the_last_ones_at_the_end() {
    let (endpoint, mut requests, _running) = collector(&[]).await;
    let (exporter, spans) = Exporter::new(&config(endpoint, 2_000)).unwrap();
    for number in 0..600 {
        spans.try_send(span(number)).unwrap();
    }
    let exporting = exporter.begin();
    let mut seen = next(&mut requests).await;
    assert_eq!(seen.len(), BATCH);
    while seen.len() < 600 {
        seen.extend(next(&mut requests).await);
    }
    assert_eq!(seen, (0..600).collect::<Vec<_>>());
    spans.try_send(span(600)).unwrap();
    exporting.finish(PATIENCE).await;
    assert_eq!(next(&mut requests).await, [600]);
}

#[tokio::test]
async fn what_may_be_sent_again_is_and_what_is_refused_is_not() {
    let (endpoint, mut requests, _running) = collector(&[503, 429, 400]).await;
    let (exporter, spans) = Exporter::new(&config(endpoint, 10)).unwrap();
    let refused = metrics::spans_of(metrics::REFUSED);
    spans.try_send(span(1)).unwrap();
    let exporting = exporter.begin();
    for _ in 0..3 {
        assert_eq!(next(&mut requests).await, [1]);
    }
    spans.try_send(span(2)).unwrap();
    assert_eq!(next(&mut requests).await, [2], "the first one was refused for good");
    assert!(metrics::spans_of(metrics::REFUSED) > refused);
    exporting.finish(PATIENCE).await;
}

#[tokio::test]
async fn a_collector_that_is_away_holds_up_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    drop(listener);
    let (exporter, spans) = Exporter::new(&config(endpoint, 4)).unwrap();
    let unsent = metrics::spans_of(metrics::UNSENT);
    let exporting = exporter.begin();
    let taken = (0..5_000).filter(|number| spans.try_send(span(*number)).is_ok()).count();
    assert!((4..5_000).contains(&taken), "{taken} found room");
    timeout(PATIENCE, exporting.finish(PATIENCE)).await.unwrap();
    assert!(metrics::spans_of(metrics::UNSENT) > unsent);
}

/// It takes connections and says nothing.
#[tokio::test]
async fn a_collector_that_is_silent_does_not_hold_up_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let (exporter, spans) = Exporter::new(&config(endpoint, 4)).unwrap();
    spans.try_send(span(1)).unwrap();
    let exporting = exporter.begin();
    let (_silent, _) = listener.accept().await.unwrap();
    let ended = timeout(PATIENCE, exporting.finish(Duration::from_millis(10))).await;
    assert!(ended.is_ok());
}
