//! What is counted of quotas.

use std::sync::LazyLock;

use prometheus::{IntCounter, IntCounterVec, register_int_counter, register_int_counter_vec};

use crate::error::QuotaError;
use crate::ledger::Receipt;

#[expect(clippy::expect_used, reason = "a name registered twice is a defect that the first test run shows")]
static DECISIONS: LazyLock<IntCounterVec> = LazyLock::new(|| {
    register_int_counter_vec!(
        "tandem_quota_decisions_total",
        "Charges, leases and what was given back, by outcome and by the measure that did not suffice.",
        &["outcome", "measure"]
    )
    .expect("the metric's name is unique")
});

#[expect(clippy::expect_used, reason = "a name registered twice is a defect that the first test run shows")]
static OVERTAKEN: LazyLock<IntCounter> = LazyLock::new(|| {
    register_int_counter!(
        "tandem_quota_overtaken_total",
        "Writes of an owner's row that another writer came before."
    )
    .expect("the metric's name is unique")
});

#[expect(clippy::expect_used, reason = "a name registered twice is a defect that the first test run shows")]
static WITHOUT_ACTOR: LazyLock<IntCounter> = LazyLock::new(|| {
    register_int_counter!(
        "tandem_quota_without_actor_total",
        "Changes that were made without the owner's actor, because there was no room for it or it was down."
    )
    .expect("the metric's name is unique")
});

/// Records how a change ended.
pub(crate) fn decided(end: &Result<Receipt, QuotaError>) {
    let (outcome, measure) = match end {
        Ok(Receipt::Taken(_)) => ("taken", ""),
        Ok(Receipt::Repeated) => ("repeated", ""),
        Ok(Receipt::Unlimited) => ("unlimited", ""),
        Err(QuotaError::Refused(refusal)) => ("refused", refusal.exhausted.measure.name()),
        Err(QuotaError::TooManyLeases) => ("refused", "leases"),
        Err(QuotaError::Store(_) | QuotaError::Unsettled) => ("failed", ""),
    };
    DECISIONS.with_label_values(&[outcome, measure]).inc();
}

/// Records a write that another came before.
pub(crate) fn overtaken() {
    OVERTAKEN.inc();
}

/// Records a change without an actor.
pub(crate) fn without_actor() {
    WITHOUT_ACTOR.inc();
}
