//! Lines out of a body: each in memory as a whole, none longer than its limit.

use std::io;

use tokio::io::AsyncBufReadExt;

use crate::decode::Reader;

/// A line that was read, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Whole(Vec<u8>),
    /// Longer than the limit; it was passed over.
    TooLong,
}

/// Reads lines.
pub(crate) struct Lines {
    reader: Reader,
    limit: usize,
    /// Bytes that may still come.
    left: u64,
}

/// Why there is no line.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinesError {
    /// The sender went away, or what it sent cannot be decoded.
    #[error("the body ended early or cannot be decoded")]
    Broken(#[from] io::Error),
    /// All lines together are more than the limit.
    #[error("the body is larger than its limit")]
    TooLarge,
}

impl Lines {
    /// The lines of a body of at most `total` bytes, each of at most `limit`.
    pub(crate) fn new(reader: Reader, limit: usize, total: u64) -> Self {
        Self { reader, limit, left: total }
    }

    /// The next line; `None` behind the last one.
    pub(crate) async fn next(&mut self) -> Result<Option<Line>, LinesError> {
        let (mut line, mut begun, mut too_long) = (Vec::new(), false, false);
        loop {
            let chunk = self.reader.fill_buf().await?;
            if chunk.is_empty() {
                return Ok(begun.then(|| whole(line, too_long)));
            }
            begun = true;
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
            let used = part.len() + usize::from(end.is_some());
            self.left = self.left.checked_sub(used as u64).ok_or(LinesError::TooLarge)?;
            too_long |= line.len() + part.len() > self.limit;
            if too_long {
                line = Vec::new();
            } else {
                line.extend_from_slice(part);
            }
            self.reader.consume(used);
            if end.is_some() {
                return Ok(Some(whole(line, too_long)));
            }
        }
    }
}

fn whole(line: Vec<u8>, too_long: bool) -> Line {
    if too_long { Line::TooLong } else { Line::Whole(line) }
}
