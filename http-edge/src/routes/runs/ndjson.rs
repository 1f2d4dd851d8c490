//! The rows of a run as lines of JSON, page by page: one page is in memory at a time.

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use serde::Serialize;
use tandem_domain::error::ErrorCode;
use tandem_domain::run::{MatchRun, RowKey};
use tandem_messages::runs::GetRows;
use tokio::time::Instant;

use crate::caller::Call;
use crate::dto::problem::ProblemBody;
use crate::dto::runs::Row;
use crate::limits::Place;
use crate::problem::Problem;

/// The media type.
pub(crate) const MEDIA_TYPE: &str = "application/x-ndjson";
/// Rows that are read and sent at once.
pub(crate) const PAGE: u32 = 200;
/// How long a stream may go on. Each page has the deadline of a request besides.
const MAX_DURATION: Duration = Duration::from_secs(15 * 60);

/// The line that ends a stream that cannot go on.
#[derive(Serialize)]
pub(crate) struct ErrorLine {
    pub(crate) error: ProblemBody,
}

struct Rows {
    call: Call,
    run: MatchRun,
    end: Instant,
    next: Next,
    /// Held until the last line is sent or the reader goes away.
    _place: Place,
}

enum Next {
    Page(Option<RowKey>),
    CutOff,
    Nothing,
}

/// Streams the rows behind `after`, as many as there are when they are reached.
pub(crate) fn stream(call: Call, place: Place, run: MatchRun, after: Option<RowKey>) -> Response {
    let end = Instant::now() + MAX_DURATION;
    let rows = Rows { call, run, end, next: Next::Page(after), _place: place };
    // Whoever compresses an answer asks again behind its end, which an unfolding does not bear.
    let rows = stream::unfold(rows, step).fuse();
    let mut response = Response::new(Body::from_stream(rows));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    response
}

async fn step(mut rows: Rows) -> Option<(io::Result<Bytes>, Rows)> {
    let after = match rows.next {
        Next::Page(after) => after,
        Next::CutOff => {
            rows.next = Next::Nothing;
            return Some((Err(io::Error::other("the rows could not be read to their end")), rows));
        }
        Next::Nothing => return None,
    };
    match rows.page(after).await {
        Ok((lines, next)) => {
            rows.next = next.map_or(Next::Nothing, |key| Next::Page(Some(key)));
            Some((Ok(lines), rows))
        }
        Err(problem) => {
            rows.next = Next::CutOff;
            let instance = format!("/api/v1/match-runs/{}/results", rows.run.id);
            let error = problem.into_body(rows.call.request_id(), &instance);
            Some((lines_of([ErrorLine { error }]).map_err(io::Error::other), rows))
        }
    }
}

impl Rows {
    /// The lines of the page behind `after`, and where the next one begins.
    async fn page(&mut self, after: Option<RowKey>) -> Result<(Bytes, Option<RowKey>), Problem> {
        if Instant::now() >= self.end {
            return Err(Problem::plain(ErrorCode::Timeout));
        }
        self.call.renew();
        let question = GetRows { owner: self.call.owner(), id: self.run.id, after, limit: PAGE };
        let page = self.call.ask(question).await?;
        let lines = lines_of(page.rows.into_iter().map(|row| Row::new(&self.run, row)));
        Ok((lines.map_err(|_| Problem::plain(ErrorCode::Internal))?, page.next))
    }
}

/// Each value in a line of its own.
pub(crate) fn lines_of<T: Serialize>(values: impl IntoIterator<Item = T>) -> serde_json::Result<Bytes> {
    let mut lines = Vec::new();
    for value in values {
        serde_json::to_writer(&mut lines, &value)?;
        lines.push(b'\n');
    }
    Ok(lines.into())
}
