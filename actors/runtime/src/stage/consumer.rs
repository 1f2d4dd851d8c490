//! The consumer of a stage: takes deliveries while there is room and hands them on. It never waits for work.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, Message};
use tandem_ports::queue::{Deliveries, Delivery};
use tokio::sync::OwnedSemaphorePermit;

use super::carry::{Carrier, Hold, QUEUE_LIMIT};
use crate::kind::doubled;
use crate::progress::Progress;

/// The longest wait in one message, so that a stop is never far.
const TURN: Duration = Duration::from_secs(1);
/// The wait after the queue failed first; doubles.
const BACK_OFF_FIRST: Duration = Duration::from_millis(200);
/// The longest wait after the queue failed.
const BACK_OFF_MOST: Duration = Duration::from_secs(15);

pub(super) struct Consumer;

/// What the consumer is told.
#[derive(Debug)]
pub(super) enum ConsumerMessage {
    /// Take the next delivery.
    Next,
    /// A delivery could not be settled: only a new subscription brings it back.
    Resubscribe,
}

impl Message for ConsumerMessage {}

pub(super) struct ConsumerArguments {
    pub(super) carrier: Arc<Carrier>,
    pub(super) progress: Progress,
}

pub(super) struct ConsumerState {
    carrier: Arc<Carrier>,
    progress: Progress,
    subscription: Option<Box<dyn Deliveries>>,
    /// A permit that has no delivery yet.
    permit: Option<OwnedSemaphorePermit>,
    /// Failures of the queue in a row.
    failures: usize,
}

/// What a turn brought.
enum Turn {
    Delivered(Delivery),
    Nothing,
    QueueFailed,
    Draining,
}

impl Actor for Consumer {
    type Msg = ConsumerMessage;
    type State = ConsumerState;
    type Arguments = ConsumerArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        ConsumerArguments { carrier, progress }: ConsumerArguments,
    ) -> Result<ConsumerState, ActorProcessingErr> {
        myself.send_message(ConsumerMessage::Next)?;
        Ok(ConsumerState { carrier, progress, subscription: None, permit: None, failures: 0 })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut ConsumerState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ConsumerMessage::Next => {}
            ConsumerMessage::Resubscribe => {
                state.subscription = None;
                return Ok(());
            }
        }
        match state.turn().await {
            Turn::Delivered(delivery) => state.hand_on(delivery, &myself),
            Turn::Nothing => {}
            Turn::QueueFailed => {
                let wait = doubled(BACK_OFF_FIRST, state.failures).min(BACK_OFF_MOST);
                state.failures = state.failures.saturating_add(1);
                myself.send_after(wait, || ConsumerMessage::Next);
                return Ok(());
            }
            Turn::Draining => {
                // The subscription stays until what is in hand is settled on it.
                state.permit = None;
                return Ok(());
            }
        }
        myself.send_message(ConsumerMessage::Next)?;
        Ok(())
    }
}

impl ConsumerState {
    /// Waits for room, for the subscription and for a delivery, at most [`TURN`] or one call to the queue.
    async fn turn(&mut self) -> Turn {
        let (stage, drain) = (self.carrier.shared.kind.name(), self.carrier.shared.drain.clone());
        if drain.is_draining() {
            return Turn::Draining;
        }
        if self.permit.is_none() {
            let capacity = Arc::clone(&self.carrier.shared.capacity);
            match tokio::time::timeout(TURN, capacity.acquire_owned()).await {
                Ok(Ok(permit)) => self.permit = Some(permit),
                Ok(Err(_)) | Err(_) => return Turn::Nothing,
            }
        }
        if self.subscription.is_none() && !self.subscribe(stage).await {
            return Turn::QueueFailed;
        }
        let Some(subscription) = &mut self.subscription else { return Turn::QueueFailed };
        let next = tokio::select! {
            biased;
            () = drain.begun() => return Turn::Draining,
            next = tokio::time::timeout(TURN, subscription.next()) => next,
        };
        match next {
            Ok(Ok(Some(delivery))) => return Turn::Delivered(delivery),
            Ok(Ok(None)) => tracing::warn!(stage, "the queue was closed"),
            Ok(Err(error)) => tracing::warn!(stage, %error, "the queue failed"),
            Err(_) => return Turn::Nothing,
        }
        self.subscription = None;
        Turn::QueueFailed
    }

    async fn subscribe(&mut self, stage: &'static str) -> bool {
        let shared = &self.carrier.shared;
        let prefetch: NonZeroU16 = shared.options.capacity;
        let subscribe =
            tokio::time::timeout(QUEUE_LIMIT, shared.ports.queue.subscribe(shared.kind, prefetch));
        let subscribed = tokio::select! {
            biased;
            () = shared.drain.begun() => return false,
            subscribed = subscribe => subscribed,
        };
        match subscribed {
            Ok(Ok(subscription)) => {
                self.subscription = Some(subscription);
                return true;
            }
            Ok(Err(error)) => tracing::warn!(stage, %error, "not subscribed"),
            Err(_) => tracing::warn!(stage, "subscribing took too long"),
        }
        false
    }

    fn hand_on(&mut self, delivery: Delivery, myself: &ActorRef<ConsumerMessage>) {
        self.failures = 0;
        let Some(permit) = self.permit.take() else { return };
        let carrier = Arc::clone(&self.carrier);
        let hold = Hold {
            permit,
            guard: carrier.shared.drain.hold(),
            mark: self.progress.begin_within(carrier.limit()),
        };
        let spawner = carrier.shared.spawner.clone();
        spawner.spawn("delivery", carrier.carry(delivery, hold, myself.clone()));
    }
}
