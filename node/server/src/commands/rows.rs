//! The rows of the configured store, for commands that change a few of them.

use std::sync::Arc;

use anyhow::bail;
use tandem_config::{NodeConfig, StoreEngine};
use tandem_ports::{AccountStore, AuditStore, DocumentStore, QuotaStore, RunStore};
use tandem_store_embedded::EmbeddedStore;
use tandem_store_scylla::ScyllaStore;

use crate::adapters::{embedded_options, scylla_options};
use crate::clock::SystemClock;

/// An open store.
pub(crate) enum Rows {
    Embedded(EmbeddedStore),
    Cluster(ScyllaStore),
}

impl Rows {
    /// Opens the store of the configuration. `make` lets a database file be made that is missing.
    pub(crate) async fn open(config: &NodeConfig, make: bool) -> anyhow::Result<Self> {
        match config.store.engine {
            StoreEngine::Embedded => {
                let options = embedded_options(config, Arc::new(SystemClock));
                if !make && !options.folder.join(&options.file_name).exists() {
                    bail!("there is no database in {}", options.folder.display());
                }
                Ok(Self::Embedded(EmbeddedStore::open(options)?))
            }
            StoreEngine::Scylla => {
                let options = scylla_options(&config.store.scylla, Arc::new(SystemClock));
                Ok(Self::Cluster(ScyllaStore::connect(options).await?))
            }
        }
    }

    pub(crate) fn quotas(&self) -> Arc<dyn QuotaStore> {
        match self {
            Self::Embedded(store) => Arc::new(store.clone()),
            Self::Cluster(store) => Arc::new(store.clone()),
        }
    }

    pub(crate) fn accounts(&self) -> Arc<dyn AccountStore> {
        match self {
            Self::Embedded(store) => Arc::new(store.clone()),
            Self::Cluster(store) => Arc::new(store.clone()),
        }
    }

    pub(crate) fn audit(&self) -> Arc<dyn AuditStore> {
        match self {
            Self::Embedded(store) => Arc::new(store.clone()),
            Self::Cluster(store) => Arc::new(store.clone()),
        }
    }

    pub(crate) fn documents(&self) -> Arc<dyn DocumentStore> {
        match self {
            Self::Embedded(store) => Arc::new(store.clone()),
            Self::Cluster(store) => Arc::new(store.clone()),
        }
    }

    pub(crate) fn runs(&self) -> Arc<dyn RunStore> {
        match self {
            Self::Embedded(store) => Arc::new(store.clone()),
            Self::Cluster(store) => Arc::new(store.clone()),
        }
    }

    /// Waits until everything is durable.
    pub(crate) async fn close(self) {
        match self {
            Self::Embedded(store) => store.close().await,
            Self::Cluster(_) => {}
        }
    }
}
