//! Which models a corpus has vectors of, and how it is moved from one to another. Pure: a store keeps the row, nodes carry
//! out what it says.
//!
//! A corpus is served by one model. While it is moved, the vectors of a second one are made and indexed beside it; when
//! every shard of the second has caught up, the two change places. The first stays as it was, and is kept up to date, so
//! that going back is one write, until the move is ended.

use serde::{Deserialize, Serialize};

use crate::chunk::{ModelIdentity, ModelKey};

#[cfg(test)]
mod tests;

/// A model and how a node loads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelPlace {
    /// Which it is; a node that finds another one in its folder does not use it.
    pub identity: ModelIdentity,
    /// The engine that computes, such as `native`.
    pub engine: String,
    /// The folder of its files, on every node the same.
    pub folder: String,
    /// In what numbers its products are computed, such as `int8`.
    pub precision: String,
    /// Word pieces per window, at most.
    pub max_tokens: u32,
}

/// How a second model stands to the one that serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondStage {
    /// Its vectors are being made: it serves as soon as it has all of them.
    Moving,
    /// It served before and could again.
    Kept,
}

/// A model beside the one that serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondModel {
    /// Which.
    pub place: ModelPlace,
    /// Why it is there.
    pub stage: SecondStage,
}

/// The models of a corpus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Models {
    /// The one that every answer comes from.
    pub serving: ModelPlace,
    /// The one that it is moved to or came from.
    pub second: Option<SecondModel>,
    /// Counts the moves: what was filed for one is not taken for what is filed for another.
    pub epoch: u64,
    /// Models that are neither and may have left vectors in the store.
    pub leftover: Vec<ModelIdentity>,
    /// Counts the writes of this row: a write names the revision it replaces.
    pub rev: u64,
}

/// Why the models of a corpus cannot be changed so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoveRefusal {
    /// It is the model already.
    #[error("the corpus is served by this model already")]
    Serving,
    /// There is a second model, and another one cannot be begun.
    #[error("a move to or from another model has not ended: end it or go back first")]
    Busy,
    /// There is no second model.
    #[error("there is no other model to go back to or to end with")]
    Alone,
    /// The second model has not come as far.
    #[error("the move is still going on: wait for it, or go back to give it up")]
    Moving,
}

impl Models {
    /// A new corpus with one model.
    #[must_use]
    pub const fn new(serving: ModelPlace) -> Self {
        Self { serving, second: None, epoch: 0, leftover: Vec::new(), rev: 1 }
    }

    /// The models whose vectors are made and searched, the one that serves first.
    pub fn in_use(&self) -> impl Iterator<Item = &ModelPlace> {
        std::iter::once(&self.serving).chain(self.second.iter().map(|second| &second.place))
    }

    /// The model of this key, if it is in use.
    #[must_use]
    pub fn find(&self, key: ModelKey) -> Option<&ModelPlace> {
        self.in_use().find(|place| place.identity.key() == key)
    }

    /// Every model that vectors in the store may be of.
    pub fn known(&self) -> impl Iterator<Item = &ModelIdentity> {
        self.in_use().map(|place| &place.identity).chain(&self.leftover)
    }

    /// The model that the corpus is being moved to.
    #[must_use]
    pub fn next(&self) -> Option<&ModelPlace> {
        let moving = self.second.as_ref().filter(|second| second.stage == SecondStage::Moving);
        moving.map(|second| &second.place)
    }

    /// With a second model, to which the corpus is moved. Begun again, it is as it was.
    ///
    /// # Errors
    /// [`MoveRefusal::Serving`], [`MoveRefusal::Busy`].
    pub fn moving_to(&self, place: ModelPlace) -> Result<Self, MoveRefusal> {
        if self.serving.identity == place.identity {
            return Err(MoveRefusal::Serving);
        }
        if self.second.is_some() {
            return Err(MoveRefusal::Busy);
        }
        let leftover = self.leftover.iter().filter(|model| **model != place.identity).cloned().collect();
        let second = Some(SecondModel { place, stage: SecondStage::Moving });
        Ok(Self { second, leftover, epoch: self.epoch + 1, ..self.again() })
    }

    /// With the second model, which has caught up, in the place of the one that serves, which is kept.
    ///
    /// # Errors
    /// [`MoveRefusal::Alone`] when the corpus is not being moved.
    pub fn switched(&self) -> Result<Self, MoveRefusal> {
        let next = self.next().cloned().ok_or(MoveRefusal::Alone)?;
        Ok(self.served_by(next))
    }

    /// Back at the model of before: a move that goes on is given up, one that has come to its switch is turned round.
    ///
    /// # Errors
    /// [`MoveRefusal::Alone`].
    pub fn rolled_back(&self) -> Result<Self, MoveRefusal> {
        let second = self.second.clone().ok_or(MoveRefusal::Alone)?;
        Ok(match second.stage {
            SecondStage::Moving => self.without(second.place),
            SecondStage::Kept => self.served_by(second.place),
        })
    }

    /// Without the model that was kept.
    ///
    /// # Errors
    /// [`MoveRefusal::Alone`]; [`MoveRefusal::Moving`] before the switch.
    pub fn ended(&self) -> Result<Self, MoveRefusal> {
        let second = self.second.clone().ok_or(MoveRefusal::Alone)?;
        match second.stage {
            SecondStage::Moving => Err(MoveRefusal::Moving),
            SecondStage::Kept => Ok(self.without(second.place)),
        }
    }

    /// With nothing left of the models that are not in use.
    #[must_use]
    pub fn swept(&self) -> Self {
        Self { leftover: Vec::new(), ..self.again() }
    }

    fn served_by(&self, place: ModelPlace) -> Self {
        let second = Some(SecondModel { place: self.serving.clone(), stage: SecondStage::Kept });
        Self { serving: place, second, ..self.again() }
    }

    fn without(&self, place: ModelPlace) -> Self {
        let mut next = Self { second: None, ..self.again() };
        next.leftover.push(place.identity);
        next
    }

    fn again(&self) -> Self {
        Self { rev: self.rev + 1, ..self.clone() }
    }
}
