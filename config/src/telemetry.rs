//! Where a node tells how it works, besides its log and its metrics.

use std::time::Duration;

use serde::Deserialize;
use url::Url;

use crate::node_config::NodeConfig;

section! {
    /// What is told of the node's work.
    Telemetry {
        /// Export of spans.
        otlp: Otlp,
    }
}
section! {
    /// Export of spans to a collector.
    Otlp {
        /// A URL; empty = none.
        endpoint: String,
        /// 0..=10000.
        sample: u32,
        /// 1..=1048576.
        queue: usize,
        /// Seconds, 1..=60.
        timeout_s: u64,
    }
}

impl Otlp {
    /// Of so many traces [`Otlp::sample`] are exported.
    pub const OF: u32 = 10_000;

    /// How long the collector may take for a batch.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s)
    }
}

impl NodeConfig {
    /// The first key of the export that does not fit, and why.
    pub(crate) fn check_telemetry(&self) -> Result<(), (&'static str, String)> {
        let otlp = &self.telemetry.otlp;
        if !otlp.endpoint.is_empty() && !is_collector(&otlp.endpoint) {
            let reason = "expected an address such as http://localhost:4318/v1/traces, without a password";
            return Err(("telemetry.otlp.endpoint", reason.to_owned()));
        }
        let ranges = [
            ("telemetry.otlp.sample", u64::from(otlp.sample), 0, u64::from(Otlp::OF)),
            ("telemetry.otlp.queue", otlp.queue as u64, 1, 1 << 20),
            ("telemetry.otlp.timeout_s", otlp.timeout_s, 1, 60),
        ];
        match ranges.into_iter().find(|(_, value, low, high)| !(*low..=*high).contains(value)) {
            Some((key, value, low, high)) => Err((key, format!("{value} is not in {low}..={high}"))),
            None => Ok(()),
        }
    }
}

fn is_collector(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| {
        let anonymous = url.username().is_empty() && url.password().is_none();
        anonymous && url.has_host() && ["http", "https"].contains(&url.scheme())
    })
}

#[cfg(test)]
mod tests;
