//! A model that turns texts into vectors.

use async_trait::async_trait;
use tandem_domain::chunk::ModelIdentity;
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_domain::task::Urgency;

/// Why texts got no vectors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmbedderError {
    /// The engine is closing or its worker died.
    #[error("the embedding engine is not available")]
    Unavailable,
    /// The engine refused the text.
    #[error("the embedding engine failed: {0}")]
    Failed(String),
}

impl EmbedderError {
    /// The code for programs.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Unavailable => ErrorCode::Unavailable,
            Self::Failed(_) => ErrorCode::Internal,
        }
    }
}

impl From<EmbedderError> for Failure {
    fn from(error: EmbedderError) -> Self {
        Self { code: error.code(), reason: error.to_string() }
    }
}

/// Turns texts into vectors.
#[async_trait]
pub trait Embedder: Send + Sync + 'static {
    /// Which model, with which weights.
    fn identity(&self) -> &ModelIdentity;

    /// One vector of length 1 with `identity().dimensions` coordinates for each text, in order. Each text is at most
    /// one window of the model; what is longer is cut. A text's vector depends on nothing but the text.
    async fn embed(&self, texts: Vec<String>, urgency: Urgency) -> Result<Vec<Vec<f32>>, EmbedderError>;
}
