//! Who the node is and whom it trusts: mutual TLS 1.3 with ring, and the socket below it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use socket2::{SockRef, Socket, TcpKeepalive};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::{MeshError, MeshTls};

/// A quiet connection is asked for a sign of life after this long, and again after each further one.
const KEEPALIVE: Duration = Duration::from_secs(2);

/// Reads the files and makes both sides of them.
pub(super) fn load(tls: &MeshTls) -> Result<(TlsAcceptor, TlsConnector), MeshError> {
    let provider = Arc::new(ring::default_provider());
    let broken = |error: rustls::Error| MeshError::Tls(error.to_string());
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&tls.ca)? {
        roots.add(certificate).map_err(|error| MeshError::file(&tls.ca, &error))?;
    }
    let roots = Arc::new(roots);
    let chain = certificates(&tls.cert)?;
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|error| MeshError::file(&tls.key, &error))?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider))
        .build()
        .map_err(|error| MeshError::file(&tls.ca, &error))?;
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13])
        .map_err(broken)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain.clone(), key.clone_key())
        .map_err(broken)?;
    let client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(broken)?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .map_err(broken)?;
    Ok((TlsAcceptor::from(Arc::new(server)), TlsConnector::from(Arc::new(client))))
}

/// The certificates of a file; at least one.
fn certificates(path: &std::path::Path) -> Result<Vec<CertificateDer<'static>>, MeshError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| MeshError::file(path, &error))?;
    if found.is_empty() { Err(MeshError::file(path, &"it holds no certificate")) } else { Ok(found) }
}

/// Makes a socket notice a peer that is gone, and lends a second handle to close it by.
pub(super) fn tune(tcp: &TcpStream, unconfirmed: Duration) -> io::Result<Socket> {
    let socket = SockRef::from(tcp);
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE))?;
    socket.set_tcp_user_timeout(Some(unconfirmed))?;
    socket.try_clone()
}
