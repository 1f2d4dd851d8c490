//! Serving over TCP.

use std::future::Future;
use std::io;

use tokio::net::TcpListener;

use crate::router::{EdgeState, app};

/// Serves the edge on `listener` until `stop` is over; then takes no further connections, finishes the requests in hand
/// and returns.
///
/// # Errors
/// When accepting connections fails for good.
pub async fn serve(
    listener: TcpListener,
    state: EdgeState,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, app(state)).with_graceful_shutdown(stop).await
}
