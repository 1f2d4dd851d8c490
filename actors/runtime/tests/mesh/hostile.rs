//! Whoever is not of the cluster: the others notice nothing of it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tandem_runtime::certs;
use uuid::Uuid;

use crate::cluster::{Cluster, Node, PATIENCE, authority, until, until_they_see};
use crate::sockets::ports_of;

type Tls = StreamOwned<ClientConnection, TcpStream>;

fn address(node: &Node) -> SocketAddr {
    ([127, 0, 0, 1], node.settings.port).into()
}

fn connect(node: &Node) -> TcpStream {
    let tcp = TcpStream::connect(address(node)).unwrap();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    tcp.set_write_timeout(Some(PATIENCE)).unwrap();
    tcp
}

/// A client that trusts the cluster, with the certificate of `name` from `own`, or with none.
fn tls(node: &Node, own: Option<(&Path, &str)>) -> Tls {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(node.settings.authority.join(certs::CA_CERT)).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots);
    let config = match own {
        Some((folder, name)) => {
            let chain = CertificateDer::from_pem_file(folder.join(format!("{name}.pem"))).unwrap();
            let key = PrivateKeyDer::from_pem_file(folder.join(format!("{name}.key"))).unwrap();
            builder.with_client_auth_cert(vec![chain], key).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    let name = ServerName::try_from("127.0.0.1").unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), connect(node))
}

/// Reads until the other side ends it; what is read does not matter.
fn is_closed(stream: &mut impl Read) -> bool {
    let mut buffer = [0; 4_096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return true,
            Ok(_) => {}
            // A read time-out is the one error that means it is open still.
            Err(error) => {
                return !matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                );
            }
        }
    }
}

/// The hello of a node, as it stands on the wire.
fn hello(name: &str) -> Vec<u8> {
    let mut text = vec![0, u8::try_from(name.len()).unwrap()];
    text.extend_from_slice(name.as_bytes());
    text.push(16);
    text.extend_from_slice(Uuid::now_v7().as_bytes());
    let mut bytes = u16::try_from(text.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend(text);
    bytes
}

/// Says hello with a true certificate and takes the welcome.
fn greeted(node: &Node, folder: &Path, name: &str) -> Tls {
    let mut tls = tls(node, Some((folder, name)));
    tls.write_all(&hello(name)).unwrap();
    let mut length = [0; 2];
    tls.read_exact(&mut length).unwrap();
    let mut welcome = vec![0; u16::from_be_bytes(length).into()];
    tls.read_exact(&mut welcome).unwrap();
    assert_eq!(welcome.last(), Some(&0), "it is not refused");
    tls
}

#[test]
fn strangers_change_nothing_for_the_others() {
    let cluster = Cluster::new(&["a", "b", "x"]);
    let a = cluster.start("a", None);
    let b = cluster.start("b", Some(&a));
    until_they_see([&a, &b], &["a", "b"], PATIENCE);
    let before = (a.members(), b.members());
    let silent: Vec<TcpStream> = (0..301).map(|_| connect(&a)).collect();

    another_authority_is_refused(&cluster, &a);
    assert!(refused(tls(&a, None)), "no certificate");
    another_cookie_is_refused(&cluster, &a);
    a_frame_of_64_mib_ends_its_connection(&cluster, &a);
    a_guest_without_a_cookie_is_shown_out(&cluster, &a);
    the_door_of_ractor_is_shut(&a);
    a_late_comer_gets_in_past_the_silent(&cluster, &a, &b);

    until("the silent are closed", PATIENCE, || {
        silent.iter().all(|tcp| {
            tcp.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
            is_closed(&mut &*tcp)
        })
    });
    until_they_see([&a, &b], &["a", "b"], PATIENCE);
    assert_eq!((a.members(), b.members()), before, "the session lived through it all");
    assert_eq!((a.echo("b", 200 * 1024), b.echo("a", 1)), ("ok 204800".to_owned(), "ok 1".to_owned()));
}

/// Whether the server ends the connection after the handshake; in TLS 1.3 the client is done before it is judged.
fn refused(mut tls: Tls) -> bool {
    drop(tls.write_all(&hello("x")));
    is_closed(&mut tls)
}

fn another_authority_is_refused(cluster: &Cluster, a: &Node) {
    let other = authority(&cluster.path().join("other"), &["x"]);
    assert!(refused(tls(a, Some((&other, "x")))), "a certificate of another authority");
    let mut settings = cluster.settings("x", Some(a));
    settings.authority = other;
    let x = Node::start(settings);
    // By then a true node is in, as the last of these tests shows.
    never("a node of another authority joins", Duration::from_secs(2), || {
        x.sees() != ["x"] || a.sees() != ["a", "b"]
    });
}

fn another_cookie_is_refused(cluster: &Cluster, a: &Node) {
    let folder = cluster.path().join("cookie-of-others");
    std::fs::create_dir_all(&folder).unwrap();
    let mut settings = cluster.settings("x", Some(a));
    settings.cookie = certs::make_cookie(&folder).unwrap();
    let x = Node::start(settings);
    never("a node with another cookie joins", Duration::from_secs(2), || {
        x.sees() != ["x"] || a.sees() != ["a", "b"]
    });
}

fn never(what: &str, span: Duration, happens: impl Fn() -> bool) {
    let end = Instant::now() + span;
    while Instant::now() < end {
        assert!(!happens(), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Without TLS, and inside of it.
fn a_frame_of_64_mib_ends_its_connection(cluster: &Cluster, a: &Node) {
    const SIZE: usize = 64 << 20;
    let chunk = vec![7; 1 << 16];
    let pour = |stream: &mut dyn Write| {
        let mut written = 0;
        while written < SIZE && stream.write_all(&chunk).is_ok() {
            written += chunk.len();
        }
        written
    };
    let mut raw = connect(a);
    raw.write_all(&(SIZE as u64).to_be_bytes()).unwrap();
    assert!(pour(&mut raw) < SIZE, "raw");
    let mut inside = greeted(a, cluster.path(), "x");
    inside.write_all(&(SIZE as u64).to_be_bytes()).unwrap();
    assert!(pour(&mut inside) < SIZE, "inside of TLS");
}

/// It holds a true certificate and then says nothing.
fn a_guest_without_a_cookie_is_shown_out(cluster: &Cluster, a: &Node) {
    let mut guest = greeted(a, cluster.path(), "x");
    assert!(is_closed(&mut guest));
}

/// ractor listens too, without TLS: it cannot be told not to.
fn the_door_of_ractor_is_shut(a: &Node) {
    let doors: Vec<u16> = ports_of(a.process()).into_iter().filter(|port| *port != a.settings.port).collect();
    assert_eq!(doors.len(), 1, "{doors:?}");
    let mut tcp = TcpStream::connect(("127.0.0.1", doors[0])).unwrap();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    assert!(is_closed(&mut tcp));
}

fn a_late_comer_gets_in_past_the_silent(cluster: &Cluster, a: &Node, b: &Node) {
    let crowd: Vec<TcpStream> = (0..300).map(|_| connect(a)).collect();
    let x = cluster.start("x", Some(a));
    until_they_see([a, b, &x], &["a", "b", "x"], Duration::from_secs(5));
    assert_eq!(x.echo("a", 1), "ok 1");
    drop((crowd, x));
    until_they_see([a, b], &["a", "b"], Duration::from_secs(3));
}
