//! Talk about the models that the corpus has vectors of: for operators.

use serde::{Deserialize, Serialize};
use tandem_domain::models::{ModelPlace, SecondStage};

/// Show the models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetModels;

/// Change the models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChangeModels {
    /// Move the corpus to another model: its vectors are made beside those of the one that serves, and it serves when all
    /// are there.
    Move(MoveTo),
    /// Go back: give up a move that goes on, or turn round one that has come to its switch.
    RollBack,
    /// End a move that has come to its switch: what is left of the former model is removed.
    End,
}

/// A model to move to. What is not named is as with the model that serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveTo {
    /// The folder of its files, on every node the same.
    pub folder: Option<String>,
    /// The engine.
    pub engine: Option<String>,
    /// In what numbers it computes.
    pub precision: Option<String>,
    /// Word pieces per window, at most.
    pub max_tokens: Option<u32>,
}

/// The models of the corpus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelsView {
    /// The one that every answer comes from.
    pub serving: ModelPlace,
    /// The one that the corpus is moved to or came from.
    pub second: Option<SecondView>,
    /// Whether vectors of other models are still being removed.
    pub removing: bool,
    /// What keeps this node from following, for people.
    pub problems: Vec<String>,
}

/// A second model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondView {
    /// Which.
    pub place: ModelPlace,
    /// Whether it is moved to or kept.
    pub stage: SecondStage,
    /// The shards of the index.
    pub shards: u16,
    /// How many of them some node answers for with this model.
    pub caught_up: u16,
    /// Changes of the log that the shards have to see, over all of them.
    pub changes: u64,
    /// Those that they have seen.
    pub seen: u64,
}
