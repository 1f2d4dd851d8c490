//! The models of the corpus on the wire: for operators.

use serde::{Deserialize, Serialize};
use tandem_domain::models;
use tandem_messages::models::{ModelsView, MoveTo, SecondView};
use utoipa::ToSchema;

use super::mirror;

/// The models that the corpus has vectors of.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Models {
    /// The one that every answer comes from.
    pub(crate) serving: EmbeddingModel,
    /// The one that the corpus is moved to or came from.
    pub(crate) second: Option<SecondModel>,
    /// Whether vectors of other models are still being removed.
    pub(crate) removing: bool,
    /// What keeps this node from following, if anything does.
    pub(crate) problems: Vec<String>,
}

/// A model and how nodes load it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EmbeddingModel {
    /// Names it: another one has other vectors.
    #[schema(examples("native-int8-bert-6x384-0f3b6c1d2e4a5b67"))]
    pub(crate) id: String,
    /// Who computes.
    #[schema(examples("native"))]
    pub(crate) engine: String,
    /// In what numbers.
    #[schema(examples("int8"))]
    pub(crate) precision: String,
    /// The folder of its files on every node.
    pub(crate) folder: String,
    /// Word pieces per window, at most.
    pub(crate) max_tokens: u32,
    /// Coordinates of a vector.
    pub(crate) dimensions: u32,
    /// SHA-256 of the weights.
    pub(crate) weights_digest: String,
    /// SHA-256 of the tokenizer.
    pub(crate) tokenizer_digest: String,
}

mirror! {
    /// Whether a second model is moved to, or kept so that one can go back.
    models::SecondStage { Moving, Kept }
}

/// A second model.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecondModel {
    /// Which.
    pub(crate) model: EmbeddingModel,
    /// Why it is there.
    pub(crate) stage: SecondStage,
    /// The shards of the index.
    pub(crate) shards: u16,
    /// How many of them some node answers for with this model.
    pub(crate) caught_up: u16,
    /// Changes of the log that the shards have to see, over all of them.
    pub(crate) changes: u64,
    /// Those that they have seen.
    pub(crate) seen: u64,
}

/// A model to move to. What is left out is as with the model that serves.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewModel {
    /// The folder of its files, on every node the same.
    pub(crate) folder: Option<String>,
    /// The engine that computes.
    #[schema(examples("native"))]
    pub(crate) engine: Option<String>,
    /// In what numbers it computes.
    #[schema(examples("f32"))]
    pub(crate) precision: Option<String>,
    /// Word pieces per window, at most.
    pub(crate) max_tokens: Option<u32>,
}

impl From<NewModel> for MoveTo {
    fn from(new: NewModel) -> Self {
        let NewModel { folder, engine, precision, max_tokens } = new;
        Self { folder, engine, precision, max_tokens }
    }
}

impl From<models::ModelPlace> for EmbeddingModel {
    fn from(place: models::ModelPlace) -> Self {
        let models::ModelPlace { identity, engine, folder, precision, max_tokens } = place;
        Self {
            id: identity.id,
            engine,
            precision,
            folder,
            max_tokens,
            dimensions: identity.dimensions,
            weights_digest: identity.weights_digest,
            tokenizer_digest: identity.tokenizer_digest,
        }
    }
}

impl From<SecondView> for SecondModel {
    fn from(second: SecondView) -> Self {
        let SecondView { place, stage, shards, caught_up, changes, seen } = second;
        Self { model: place.into(), stage: stage.into(), shards, caught_up, changes, seen }
    }
}

impl From<ModelsView> for Models {
    fn from(view: ModelsView) -> Self {
        let ModelsView { serving, second, removing, problems } = view;
        Self { serving: serving.into(), second: second.map(Into::into), removing, problems }
    }
}
