//! Chance that can be repeated.

use rand::SeedableRng;
use rand::rngs::StdRng;

/// The variable that repeats a run with its seed.
pub const SEED: &str = "TANDEM_TEST_SEED";

/// A source of random numbers. Its seed is new in every run, or that of `TANDEM_TEST_SEED`, and is printed with what a
/// failed test has said.
///
/// # Panics
/// When the variable holds no number.
#[must_use]
#[allow(clippy::print_stderr, reason = "the seed belongs to the report of a failed test")]
pub fn rng(test: &str) -> StdRng {
    let seed = match std::env::var(SEED) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{SEED} is not a number: {text}")),
        Err(_) => rand::random::<u64>(),
    };
    eprintln!("{test}: to repeat this run, set {SEED}={seed}");
    StdRng::seed_from_u64(seed)
}
