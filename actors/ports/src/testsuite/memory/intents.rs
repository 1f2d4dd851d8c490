//! The model of intents.

use async_trait::async_trait;
use tandem_domain::ids::{OperationId, OwnerId};

use super::{MemoryStore, locked};
use crate::error::{StoreError, Write};
use crate::intents::{Intent, IntentStore, KEPT};

#[async_trait]
impl IntentStore for MemoryStore {
    async fn remember(&self, intent: &Intent) -> Result<Write<Intent>, StoreError> {
        let intents = &mut locked(&self.0).intents;
        let key = (intent.owner.clone(), intent.operation);
        match intents.get(&key).filter(|there| there.since.plus(KEPT) > intent.since) {
            Some(there) => Ok(Write::Conflict(there.clone())),
            None => {
                intents.insert(key, intent.clone());
                Ok(Write::Applied)
            }
        }
    }

    async fn end(&self, owner: &OwnerId, operation: OperationId) -> Result<(), StoreError> {
        if let Some(intent) = locked(&self.0).intents.get_mut(&(owner.clone(), operation)) {
            intent.ended = true;
        }
        Ok(())
    }
}
