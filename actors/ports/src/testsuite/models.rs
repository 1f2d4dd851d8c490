//! What every [`ModelStore`] promises.

use std::sync::Arc;

use futures::future::join_all;
use tandem_domain::chunk::ModelIdentity;
use tandem_domain::models::{ModelPlace, Models};

use super::samples;
use crate::error::Write;
use crate::models::ModelStore;

/// Writers that race.
const RACERS: u32 = 16;

/// Runs the whole suite; `make` gives an empty store.
///
/// # Panics
/// At the first broken promise.
pub async fn contract(make: &dyn Fn() -> Arc<dyn ModelStore>) {
    a_row_is_kept_whole(&*make()).await;
    only_the_next_revision_is_written(&*make()).await;
    of_many_that_write_one_revision_one_wins(&*make()).await;
}

fn place(number: u32) -> ModelPlace {
    ModelPlace {
        identity: ModelIdentity { id: format!("model-{number}"), ..samples::model() },
        folder: format!("/models/{number}"),
        ..samples::model_place()
    }
}

async fn a_row_is_kept_whole(store: &dyn ModelStore) {
    assert_eq!(store.models().await.unwrap(), None);
    let mut models = Models::new(place(1));
    for step in 0..5 {
        assert_eq!(store.put_models(&models).await.unwrap(), Write::Applied, "step {step}");
        assert_eq!(store.models().await.unwrap().as_ref(), Some(&models), "step {step}");
        models = match step {
            0 => models.moving_to(place(2)).unwrap(),
            1 => models.switched().unwrap(),
            2 => models.rolled_back().unwrap(),
            _ => models.ended().unwrap_or_else(|_| models.swept()),
        };
    }
}

async fn only_the_next_revision_is_written(store: &dyn ModelStore) {
    let first = Models::new(place(1));
    let second = first.moving_to(place(2)).unwrap();
    assert_eq!(store.put_models(&second).await.unwrap(), Write::Conflict(None), "there is no first one yet");
    assert_eq!(store.put_models(&first).await.unwrap(), Write::Applied);
    let other = Models::new(place(3));
    assert_eq!(store.put_models(&other).await.unwrap(), Write::Conflict(Some(first.clone())));
    assert_eq!(store.put_models(&second).await.unwrap(), Write::Applied);
    assert_eq!(store.put_models(&second).await.unwrap(), Write::Conflict(Some(second.clone())));
    assert_eq!(store.models().await.unwrap(), Some(second));
}

async fn of_many_that_write_one_revision_one_wins(store: &dyn ModelStore) {
    let racers: Vec<Models> = (0..RACERS).map(|number| Models::new(place(number))).collect();
    let ends = join_all(racers.iter().map(|models| store.put_models(models))).await;
    let won: Vec<&Models> = racers
        .iter()
        .zip(&ends)
        .filter(|(_, end)| matches!(end, Ok(Write::Applied)))
        .map(|(models, _)| models)
        .collect();
    assert_eq!(won.len(), 1, "{ends:?}");
    assert_eq!(store.models().await.unwrap().as_ref(), Some(won[0]));
}
