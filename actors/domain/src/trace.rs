//! To which request a piece of work belongs, however far from it: W3C Trace Context, level 1
//! (<https://www.w3.org/TR/trace-context-1/>).

use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[cfg(test)]
mod tests;

/// The target of the log events by which a finished span is told to whoever exports it. They are no log lines.
pub const SPANS: &str = "tandem_spans";

/// The name of the header, in HTTP and in messages.
pub const TRACEPARENT: &str = "traceparent";

/// The length of a header of version 00, in bytes: `00-<trace, 32>-<span, 16>-<flags, 2>`.
pub const TRACEPARENT_LEN: usize = 55;

/// Where the hyphens stand.
const HYPHENS: [usize; 3] = [2, 35, 52];
/// The version that there is never.
const NO_VERSION: u128 = 0xff;
/// The flag of what is to be recorded.
const SAMPLED: u128 = 1;

/// A request with all that follows from it, on every node. Shown as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TraceId(NonZeroU128);

impl TraceId {
    /// The id of this number; 0 counts as 1.
    #[must_use]
    pub const fn new(number: u128) -> Self {
        Self(match NonZeroU128::new(number) {
            Some(number) => number,
            None => NonZeroU128::MIN,
        })
    }

    /// The id of work that nobody asked for by a request: the same for all of it.
    #[must_use]
    pub const fn of(work: Uuid) -> Self {
        Self::new(work.as_u128())
    }

    /// Its 16 bytes as a number.
    #[must_use]
    pub const fn get(self) -> u128 {
        self.0.get()
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// One piece of work in a trace. Shown as 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SpanId(NonZeroU64);

impl SpanId {
    /// The id of this number; 0 counts as 1.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(match NonZeroU64::new(number) {
            Some(number) => number,
            None => NonZeroU64::MIN,
        })
    }

    /// Its 8 bytes as a number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What travels with work: its trace, and the span that it is a part of. Shown as the header `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TraceContext {
    /// Which trace.
    pub trace: TraceId,
    /// Which span of it.
    pub span: SpanId,
    /// Whether its spans are to be recorded.
    pub sampled: bool,
}

impl TraceContext {
    /// What a header `traceparent` says (section 3.2); `None` = it is none, and is to be taken as if it were not there. Of
    /// a version that is not known yet, what version 00 says is read.
    #[must_use]
    pub fn parse(header: &[u8]) -> Option<Self> {
        let (known, rest) = header.split_first_chunk::<TRACEPARENT_LEN>()?;
        if HYPHENS.iter().any(|at| known[*at] != b'-') {
            return None;
        }
        let version = number(&known[..2])?;
        let is_whole = match rest.first() {
            None => true,
            Some(next) => version > 0 && *next == b'-',
        };
        if version == NO_VERSION || !is_whole {
            return None;
        }
        let trace = NonZeroU128::new(number(&known[3..35])?)?;
        let span = NonZeroU64::new(u64::try_from(number(&known[36..52])?).ok()?)?;
        let sampled = number(&known[53..])? & SAMPLED == SAMPLED;
        Some(Self { trace: TraceId(trace), span: SpanId(span), sampled })
    }

    /// The same trace at another span of it.
    #[must_use]
    pub const fn at(self, span: SpanId) -> Self {
        Self { span, ..self }
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

/// The number of hexadecimal digits, which are never capitals here; at most 32 of them.
fn number(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number: u128, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(digit))
    })
}
