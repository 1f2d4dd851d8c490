//! The models of the corpus, as operators see and change them.

use tandem_domain::document::Failure;
use tandem_domain::models::Models;
use tandem_messages::models::{ChangeModels, ModelsView};

use super::Parts;

impl Parts {
    pub(super) async fn models(&self) -> Result<ModelsView, Failure> {
        let states: Vec<_> = self.nodes().into_iter().map(|node| node.state).collect();
        self.models.view(&states).await
    }

    pub(super) async fn change_models(&self, change: ChangeModels) -> Result<ModelsView, Failure> {
        match change {
            ChangeModels::Move(to) => self.models.move_to(to).await?,
            ChangeModels::RollBack => self.models.change(Models::rolled_back).await?,
            ChangeModels::End => self.models.change(Models::ended).await?,
        }
        self.models().await
    }
}
