//! What two nodes say to each other between the handshake and ractor: who they are, and whether the one that was dialed
//! wants the connection. Each message is two bytes of length and then postcard.

use std::io;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::shared::Refusal;
use super::wire::Identity;

#[cfg(test)]
mod tests;

/// The most bytes of a message.
const MOST: u16 = 1_024;

/// What the one that dials says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Hello {
    V1(Identity),
}

/// What the one that was dialed says to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Welcome {
    V1 { from: Identity, refusal: Option<Refusal> },
}

/// Sends a message.
pub(super) async fn say<T: Serialize>(io: &mut (impl AsyncWrite + Unpin), message: &T) -> io::Result<()> {
    let bytes = postcard::to_stdvec(message).map_err(io::Error::other)?;
    let length = u16::try_from(bytes.len()).ok().filter(|length| *length <= MOST).ok_or_else(too_long)?;
    io.write_all(&length.to_be_bytes()).await?;
    io.write_all(&bytes).await?;
    io.flush().await
}

/// Takes a message. The caller limits the time.
pub(super) async fn hear<T: DeserializeOwned>(io: &mut (impl AsyncRead + Unpin)) -> io::Result<T> {
    let length = io.read_u16().await?;
    if length > MOST {
        return Err(too_long());
    }
    let mut bytes = vec![0; length.into()];
    io.read_exact(&mut bytes).await?;
    postcard::from_bytes(&bytes).map_err(io::Error::other)
}

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the hello is too long")
}
