//! How the progress of every command looks.

use std::io::IsTerminal;

use indicatif::{ProgressDrawTarget, ProgressStyle};

/// Standard error where it is a terminal; else nothing is drawn.
pub(crate) fn terminal() -> ProgressDrawTarget {
    if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
}

/// A name, a bar and behind it what `numbers` says, in indicatif's words.
pub(crate) fn style(numbers: &str) -> ProgressStyle {
    ProgressStyle::with_template(&format!("{{prefix:>10}} {{bar:32}} {numbers}"))
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━━╌")
}
