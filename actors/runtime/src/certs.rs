//! Certificates for the mesh: an authority of the cluster's own, and one certificate per node.
//!
//! They have no end: whoever wants to change them makes a new authority and restarts the nodes. A folder holds
//! `ca.pem` and `ca.key` of the authority, `<node>.pem` and `<node>.key` of each node, and `cookie`. Only its owner can
//! read a file, and none is ever replaced.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};

use crate::mesh::MeshTls;
use crate::placement::NodeName;

#[cfg(test)]
mod tests;

/// The authority's certificate.
pub const CA_CERT: &str = "ca.pem";
/// The authority's key, which no node needs.
pub const CA_KEY: &str = "ca.key";
/// The cookie.
pub const COOKIE: &str = "cookie";
/// The bytes of a cookie; its file has two hexadecimal digits for each.
const COOKIE_BYTES: usize = 32;

/// Why a file was not made.
#[derive(Debug, thiserror::Error)]
pub enum CertsError {
    /// It is there already.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// A file cannot be read or written.
    #[error("{}: {reason}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A host that a certificate cannot name, or a file that is not what it should be.
    #[error("the certificate cannot be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The system gave no randomness.
    #[error("the system gave no randomness")]
    Random,
}

/// Makes an authority in the folder `dir`, which must be there.
///
/// # Errors
/// [`CertsError::Exists`] when it holds one already.
pub fn make_ca(dir: &Path) -> Result<(), CertsError> {
    let key = KeyPair::generate()?;
    let certificate = authority().self_signed(&key)?;
    // The key comes first: who finds the certificate finds its key too.
    write(&dir.join(CA_KEY), &key.serialize_pem())?;
    write(&dir.join(CA_CERT), &certificate.pem())
}

/// Makes the certificate of a node in the folder of its authority, for both sides of a connection. `hosts` are the names
/// and IP addresses under which others reach it, without ports; its own name is among them by itself.
///
/// # Errors
/// [`CertsError::Exists`] when the node has one already; [`CertsError::File`] when there is no authority;
/// [`CertsError::Certificate`] when a host is not one.
pub fn make_node_cert(dir: &Path, node: &NodeName, hosts: &[String]) -> Result<MeshTls, CertsError> {
    let path = dir.join(CA_KEY);
    let signer = KeyPair::from_pem(&std::fs::read_to_string(&path).map_err(|e| broken(&path, &e))?)?;
    let mut names = vec![node.to_string()];
    names.extend(hosts.iter().filter(|host| host.as_str() != node.as_str()).map(|host| plain(host)));
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = named(node.as_str());
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &Issuer::new(authority(), signer))?;
    let tls = MeshTls {
        ca: dir.join(CA_CERT),
        cert: dir.join(format!("{node}.pem")),
        key: dir.join(format!("{node}.key")),
    };
    write(&tls.key, &key.serialize_pem())?;
    write(&tls.cert, &certificate.pem())?;
    Ok(tls)
}

/// Makes a cookie in the folder `dir` and returns its path.
///
/// # Errors
/// [`CertsError::Exists`] when it holds one already.
pub fn make_cookie(dir: &Path) -> Result<PathBuf, CertsError> {
    let mut bytes = [0; COOKIE_BYTES];
    let provider = rustls::crypto::ring::default_provider();
    provider.secure_random.fill(&mut bytes).map_err(|_| CertsError::Random)?;
    let path = dir.join(COOKIE);
    write(&path, &hex::encode(bytes))?;
    Ok(path)
}

/// What the authority's certificate says. It is always the same but for the key: so it need not be read to sign.
fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named("Tandem mesh");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// An IPv6 address may come in brackets, as in a URL.
fn plain(host: &str) -> String {
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    inner.filter(|inner| inner.parse::<IpAddr>().is_ok()).unwrap_or(host).to_owned()
}

fn write(path: &Path, text: &str) -> Result<(), CertsError> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = opened.map_err(|error| {
        let exists = error.kind() == std::io::ErrorKind::AlreadyExists;
        if exists { CertsError::Exists(path.to_owned()) } else { broken(path, &error) }
    })?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| broken(path, &error))
}

fn broken(path: &Path, error: &std::io::Error) -> CertsError {
    CertsError::File { path: path.to_owned(), reason: error.to_string() }
}
