//! The model of [`ModelStore`].

use async_trait::async_trait;
use tandem_domain::models::Models;

use super::MemoryStore;
use crate::error::{StoreError, Write};
use crate::models::ModelStore;
use crate::testsuite::locked;

#[async_trait]
impl ModelStore for MemoryStore {
    async fn models(&self) -> Result<Option<Models>, StoreError> {
        Ok(locked(&self.0).models.clone())
    }

    async fn put_models(&self, models: &Models) -> Result<Write<Option<Models>>, StoreError> {
        let there = &mut locked(&self.0).models;
        let rev = there.as_ref().map_or(0, |there| there.rev);
        if rev + 1 != models.rev {
            return Ok(Write::Conflict(there.clone()));
        }
        *there = Some(models.clone());
        Ok(Write::Applied)
    }
}
