//! Where a request comes from when proxies stand before the node.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::rates::Peer;

#[cfg(test)]
mod tests;

/// The addresses that a request has passed, each written by the one behind it.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Takes the address from the header where the connection comes from a proxy that is trusted. Anybody can send the
/// header, so from everybody else it is not listened to.
pub(crate) fn locate(request: &mut Request, proxies: &[IpNet]) {
    if let Some(Peer(peer)) = request.extensions().get().copied()
        && !proxies.is_empty()
    {
        let client = client(peer, request.headers(), proxies);
        request.extensions_mut().insert(Peer(client));
    }
}

/// The last address that no trusted proxy has.
fn client(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let is_proxy = |address: IpAddr| proxies.iter().any(|net| net.contains(&address.to_canonical()));
    let passed = headers.get_all(X_FORWARDED_FOR).iter().rev();
    let passed = passed.flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
    let mut client = peer;
    for text in passed {
        if !is_proxy(client) {
            break;
        }
        let Some(address) = address(text.trim()) else { break };
        client = address;
    }
    client
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
}
