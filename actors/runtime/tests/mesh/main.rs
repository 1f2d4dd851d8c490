//! The mesh over real processes: names and groups of actors are global in a process, so this binary starts itself once
//! more for every node.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "this is a test, with processes and real time"
)]

mod cluster;
mod faults;
mod hostile;
mod node;
mod sockets;
mod talk;

/// Not a test by itself: a node of the other tests, which start this binary again for it.
#[test]
#[ignore = "started by the other tests, as a node"]
fn a_node() {
    node::run();
}
