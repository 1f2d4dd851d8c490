//! The interface of tokio-rustls over futures-rustls, with ring as the only provider.

#![deny(unsafe_code)]

use std::io;
use std::sync::Arc;

use futures_rustls::rustls::pki_types::ServerName;
use futures_rustls::rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::compat::{FuturesAsyncReadCompatExt, TokioAsyncReadCompatExt};

pub use futures_rustls::rustls;

/// A stream of one side: what goes in and out of it is plain, what goes over `IO` is not.
macro_rules! tls_stream {
    ($side:ident, $connection:ident) => {
        /// Streams of this side.
        pub mod $side {
            use std::io;
            use std::pin::Pin;
            use std::task::{Context, Poll};

            use futures_rustls::rustls::$connection;
            use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
            use tokio_util::compat::Compat;

            /// A stream after its handshake.
            #[derive(Debug)]
            pub struct TlsStream<IO>(pub(crate) Compat<futures_rustls::$side::TlsStream<Compat<IO>>>);

            impl<IO> TlsStream<IO> {
                /// What lies below, and the state of the session.
                pub fn get_ref(&self) -> (&IO, &$connection) {
                    let (io, connection) = self.0.get_ref().get_ref();
                    (io.get_ref(), connection)
                }
            }

            impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<IO> {
                fn poll_read(
                    mut self: Pin<&mut Self>,
                    cx: &mut Context<'_>,
                    buf: &mut ReadBuf<'_>,
                ) -> Poll<io::Result<()>> {
                    Pin::new(&mut self.0).poll_read(cx, buf)
                }
            }

            impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<IO> {
                fn poll_write(
                    mut self: Pin<&mut Self>,
                    cx: &mut Context<'_>,
                    bytes: &[u8],
                ) -> Poll<io::Result<usize>> {
                    Pin::new(&mut self.0).poll_write(cx, bytes)
                }

                fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                    Pin::new(&mut self.0).poll_flush(cx)
                }

                fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                    Pin::new(&mut self.0).poll_shutdown(cx)
                }
            }
        }
    };
}

tls_stream!(client, ClientConnection);
tls_stream!(server, ServerConnection);

/// Begins sessions as the client.
#[derive(Clone)]
pub struct TlsConnector(Arc<ClientConfig>);

impl From<Arc<ClientConfig>> for TlsConnector {
    fn from(config: Arc<ClientConfig>) -> Self {
        Self(config)
    }
}

impl TlsConnector {
    /// Shakes hands over `io` with the server that proves to be `domain`. The caller limits the time.
    ///
    /// # Errors
    /// When either side refuses the other, or `io` fails.
    pub async fn connect<IO>(&self, domain: ServerName<'static>, io: IO) -> io::Result<client::TlsStream<IO>>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let connector = futures_rustls::TlsConnector::from(Arc::clone(&self.0));
        Ok(client::TlsStream(connector.connect(domain, io.compat()).await?.compat()))
    }

    /// How it begins them.
    #[must_use]
    pub const fn config(&self) -> &Arc<ClientConfig> {
        &self.0
    }
}

/// Begins sessions as the server.
#[derive(Clone)]
pub struct TlsAcceptor(Arc<ServerConfig>);

impl From<Arc<ServerConfig>> for TlsAcceptor {
    fn from(config: Arc<ServerConfig>) -> Self {
        Self(config)
    }
}

impl TlsAcceptor {
    /// Shakes hands over `io`. The caller limits the time.
    ///
    /// # Errors
    /// When either side refuses the other, or `io` fails.
    pub async fn accept<IO>(&self, io: IO) -> io::Result<server::TlsStream<IO>>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let acceptor = futures_rustls::TlsAcceptor::from(Arc::clone(&self.0));
        Ok(server::TlsStream(acceptor.accept(io.compat()).await?.compat()))
    }

    /// How it begins them.
    #[must_use]
    pub const fn config(&self) -> &Arc<ServerConfig> {
        &self.0
    }
}
