//! Servers that prove who they are, or do not.

use std::path::Path;
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use super::*;
use crate::s3::testing::canned_over_tls;

/// Names the folder of the certificates in the process that trusts their CA.
const FOLDER: &str = "TANDEM_TEST_TLS_FOLDER";

/// A CA and a certificate of it for 127.0.0.1, in files.
fn certificates() -> TempDir {
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
    folder
}

#[tokio::test]
async fn a_server_that_proves_nothing_is_not_spoken_to() {
    let folder = certificates();
    let objects = open(S3Options { retries: 0, ..canned_over_tls(&[("200 OK", "whole")], folder.path()) });
    let error = objects.get(KEY).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(said) if said.contains("certificate")), "{error:?}");
}

#[tokio::test]
async fn a_server_is_trusted_as_soon_as_the_machine_knows_its_ca() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let objects = open(canned_over_tls(&[("200 OK", "whole")], Path::new(&folder)));
        assert_eq!(objects.get(KEY).await, Ok(Some(Bytes::from_static(b"whole"))));
        return;
    }
    // What a machine trusts is settled when its process begins: here in a process of its own.
    let folder = certificates();
    let name = "s3::tests::tls::a_server_is_trusted_as_soon_as_the_machine_knows_its_ca";
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", name])
        .env(FOLDER, folder.path())
        .env("SSL_CERT_FILE", folder.path().join("ca.pem"));
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
