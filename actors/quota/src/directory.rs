//! Which owners have an actor on this node.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tandem_domain::ids::OwnerId;
use tandem_runtime::Address;
use tokio::sync::OnceCell;

use crate::actor::OwnerMessage;

/// The place of an owner's actor; it is filled when the actor is up.
pub(crate) type Place = Arc<OnceCell<Address<OwnerMessage>>>;

/// At most `most` places.
pub(crate) struct Directory {
    places: Mutex<HashMap<OwnerId, Place>>,
    most: usize,
}

impl Directory {
    pub(crate) fn new(most: usize) -> Self {
        Self { places: Mutex::default(), most }
    }

    /// The owner's place, made if there is room.
    pub(crate) fn place(&self, owner: &OwnerId) -> Option<Place> {
        let mut places = self.places();
        if let Some(place) = places.get(owner) {
            return Some(Arc::clone(place));
        }
        if places.len() >= self.most {
            return None;
        }
        Some(Arc::clone(places.entry(owner.clone()).or_default()))
    }

    /// Frees a place, unless it has been made anew.
    pub(crate) fn vacate(&self, owner: &OwnerId, place: &Place) {
        let mut places = self.places();
        if places.get(owner).is_some_and(|there| Arc::ptr_eq(there, place)) {
            places.remove(owner);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.places().len()
    }

    fn places(&self) -> MutexGuard<'_, HashMap<OwnerId, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
