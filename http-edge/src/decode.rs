//! Bodies of requests that come compressed (RFC 9110, section 8.4): gzip (RFC 1952) and zstd (RFC 8878).
//!
//! Nothing is decoded before it is asked for, and whoever asks has a limit of its own, so that a small body which unfolds
//! into a large one is cut off like any other that is too large.

use std::io;
use std::pin::Pin;

use async_compression::tokio::bufread::{GzipDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header;
use futures::TryStreamExt;
use tandem_domain::error::ErrorCode;
use tokio::io::{AsyncBufRead, AsyncRead, BufReader};
use tokio_util::io::{ReaderStream, StreamReader};

use crate::problem::Problem;

/// The largest window of zstd, as a power of two: 8 MiB, which decoders are to support (RFC 8878, section 3.1.1.1.2).
/// The decoder takes as much memory as a frame's head asks for.
const MAX_WINDOW_LOG: u32 = 23;

/// A body as bytes to read.
pub(crate) type Reader = Pin<Box<dyn AsyncBufRead + Send>>;

/// Puts the decoded body in the place of a compressed one.
pub(crate) fn decode(request: &mut Request) -> Result<(), Problem> {
    let Some(encoding) = request.headers().get(header::CONTENT_ENCODING) else { return Ok(()) };
    let name = encoding.to_str().unwrap_or_default().trim().to_ascii_lowercase();
    let body = std::mem::take(request.body_mut());
    let decoder: Pin<Box<dyn AsyncRead + Send>> = match name.as_str() {
        "identity" | "" => Box::pin(reader(body)),
        "gzip" | "x-gzip" => {
            let mut decoder = GzipDecoder::new(reader(body));
            decoder.multiple_members(true);
            Box::pin(decoder)
        }
        "zstd" => {
            let mut decoder =
                ZstdDecoder::with_params(reader(body), &[DParameter::window_log_max(MAX_WINDOW_LOG)]);
            decoder.multiple_members(true);
            Box::pin(decoder)
        }
        _ => {
            let detail = "send the body with `Content-Encoding: gzip` or `zstd`, or as it is";
            return Err(Problem::new(ErrorCode::UnsupportedType, detail));
        }
    };
    *request.body_mut() = Body::from_stream(ReaderStream::new(decoder));
    request.headers_mut().remove(header::CONTENT_ENCODING);
    request.headers_mut().remove(header::CONTENT_LENGTH);
    Ok(())
}

/// The bytes of a body.
pub(crate) fn reader(body: Body) -> Reader {
    let chunks = body.into_data_stream().map_err(io::Error::other);
    Box::pin(BufReader::new(StreamReader::new(chunks)))
}
