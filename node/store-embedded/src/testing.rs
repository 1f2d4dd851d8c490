//! Stores in folders that go when the test ends.

use std::sync::{Arc, Mutex};

use tandem_ports::testsuite::ManualClock;
use tempfile::TempDir;

use crate::{EmbeddedStore, OpenOptions};

/// A folder, a clock, and the options for both.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) clock: Arc<ManualClock>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: Arc::new(ManualClock::new(1)) }
    }

    pub(crate) fn options(&self) -> OpenOptions {
        OpenOptions::new(self.folder.path(), self.clock.clone())
    }

    pub(crate) fn open(&self) -> EmbeddedStore {
        EmbeddedStore::open(self.options()).unwrap()
    }
}

/// Makes a new store at each call and keeps their folders.
#[derive(Default)]
pub(crate) struct Stores(Mutex<Vec<Place>>);

impl Stores {
    pub(crate) fn make(&self) -> Arc<EmbeddedStore> {
        let place = Place::new();
        let store = place.open();
        self.0.lock().unwrap().push(place);
        Arc::new(store)
    }
}
