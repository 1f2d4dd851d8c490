//! Sessions over TLS, with a broker whose certificate is of a CA that only the test knows.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use super::*;
use crate::testing::OwnBroker;

/// A CA and a certificate of it for 127.0.0.1, in files of a folder.
struct Certificates {
    folder: TempDir,
}

impl Certificates {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &ca).unwrap();
        let folder = TempDir::new().unwrap();
        let files = [("ca.pem", ca.pem()), ("cert.pem", certificate.pem()), ("key.pem", key.serialize_pem())];
        for (name, pem) in files {
            std::fs::write(folder.path().join(name), pem).unwrap();
        }
        Self { folder }
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn over_tls(url: &str, ca: Option<&Certificates>) -> RabbitOptions {
    let ca_file = ca.map(|ca| ca.folder().join("ca.pem"));
    let limits = Limits { connect: Duration::from_secs(5), ..Limits::default() };
    RabbitOptions { ca_file, limits, ..options(url) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_over_tls_works_and_trusts_only_the_right_broker() {
    if broker().is_none() {
        return;
    }
    let (certificates, strangers) = (Certificates::new(), Certificates::new());
    let broker = OwnBroker::start_with_tls(certificates.folder());
    let url = broker.tls_url("127.0.0.1");
    let queue = RabbitQueue::connect(over_tls(&url, Some(&certificates))).await.unwrap();
    queue.publish(Parse, &key(1), Duration::ZERO).await.unwrap();
    let mut deliveries = subscribe(&queue, 1).await;
    let delivery = take(&mut *deliveries).await;
    assert_eq!(delivery.task, key(1));
    queue.settle(&delivery, Settlement::Dead("seen".to_owned())).await.unwrap();
    reaches(&queue, QueueDepth { dead: 1, ..QueueDepth::default() }).await;

    let plain = broker.url().replace("amqp://", "amqps://");
    let elsewhere = broker.tls_url("localhost");
    let wrong = [
        ("no CA", over_tls(&url, None)),
        ("another CA", over_tls(&url, Some(&strangers))),
        ("another host", over_tls(&elsewhere, Some(&certificates))),
        ("no TLS there", over_tls(&plain, Some(&certificates))),
    ];
    for (name, options) in wrong {
        let connected = timeout(PATIENCE, RabbitQueue::connect(options)).await.expect("bounded");
        let error = connected.err().unwrap_or_else(|| panic!("{name} is accepted"));
        assert!(error.to_string().contains("connecting failed"), "{name}: {error}");
        assert!(error.to_string().contains("broker's certificate"), "{name}: {error}");
    }
    queue.close().await;
}

#[tokio::test]
async fn a_ca_file_that_is_none_is_refused_by_its_name() {
    let folder = TempDir::new().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "nothing").unwrap();
    for (file, reason) in [(folder.path().join("missing.pem"), "cannot be read"), (empty, "no certificate")] {
        let name = file.display().to_string();
        let options =
            RabbitOptions { ca_file: Some(file), ..options("amqps://guest:hunter2@127.0.0.1:9/%2f") };
        let error = RabbitQueue::connect(options).await.err().unwrap();
        assert!(matches!(error, RabbitError::Options(_)), "{error:?}");
        let said = error.to_string();
        assert!(said.contains(&name) && said.contains(reason) && !said.contains("hunter2"), "{said}");
    }
}
