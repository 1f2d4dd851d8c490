//! How much one caller may ask for in a minute, by class of route.

use serde::Deserialize;

use crate::node_config::NodeConfig;

section! {
    /// Limits of rates.
    Limits {
        /// Callers whose rate is known at a time, for each class; 1..=16777216.
        callers: usize,
        /// Looking at something.
        read: Rate,
        /// Handing in one thing.
        write: Rate,
        /// Handing in or starting many things.
        bulk: Rate,
        /// Opening a stream of events.
        stream: Rate,
        /// Feedback on a résumé.
        resume_feedback: Rate,
        /// Feedback on a LinkedIn text.
        linkedin_feedback: Rate,
        /// Beginning to pay.
        checkout: Rate,
        /// Exports as PDF.
        export_pdf: Rate,
        /// Events for analytics.
        analytics: Rate,
        /// Credentials that were refused, by address.
        login_failure: Rate,
    }
}
section! {
    /// A rate.
    #[derive(Copy)]
    Rate {
        /// Requests that are given back in a minute; 0 = no limit.
        per_minute: u32,
        /// Requests that may come at once; 1..=1000000.
        burst: u32,
    }
}

/// The most requests in a minute and at once.
const MAX_RATE: u32 = 1_000_000;

impl Limits {
    /// Each rate with its name.
    #[must_use]
    pub const fn rates(&self) -> [(&'static str, Rate); 10] {
        [
            ("read", self.read),
            ("write", self.write),
            ("bulk", self.bulk),
            ("stream", self.stream),
            ("resume_feedback", self.resume_feedback),
            ("linkedin_feedback", self.linkedin_feedback),
            ("checkout", self.checkout),
            ("export_pdf", self.export_pdf),
            ("analytics", self.analytics),
            ("login_failure", self.login_failure),
        ]
    }
}

impl NodeConfig {
    /// The first key of the limits that does not fit, and why.
    pub(crate) fn check_limits(&self) -> Result<(), (&'static str, String)> {
        let callers = self.limits.callers;
        if !(1..=1 << 24).contains(&callers) {
            return Err(("limits.callers", format!("{callers} is not in 1..=16777216")));
        }
        for (name, Rate { per_minute, burst }) in self.limits.rates() {
            if per_minute > MAX_RATE {
                let reason = format!("`{name}.per_minute`: {per_minute} is not in 0..={MAX_RATE}");
                return Err(("limits", reason));
            }
            if !(1..=MAX_RATE).contains(&burst) {
                return Err(("limits", format!("`{name}.burst`: {burst} is not in 1..={MAX_RATE}")));
            }
        }
        Ok(())
    }

    /// The first key of the edge that does not fit, and why.
    pub(crate) fn check_edge(&self) -> Result<(), (&'static str, String)> {
        let origins = &self.edge.allowed_origins;
        let rule = if !origins.iter().all(|origin| is_origin(origin)) {
            "expected origins such as https://app.example.org, without a path, or \"*\""
        } else if origins.len() > 1 && origins.iter().any(|origin| origin == "*") {
            "\"*\" stands alone or not at all"
        } else {
            return Ok(());
        };
        Err(("edge.allowed_origins", rule.to_owned()))
    }
}

/// Whether a text is `*` or `scheme://host[:port]` (RFC 6454, section 6.2).
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    text == "*"
        || host.is_some_and(|h| {
            !h.is_empty() && h.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b))
        })
}
