//! What every engine needs of a model's folder.

use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tandem_domain::chunk::ModelIdentity;

use crate::files::Shape;
use crate::weights::WeightsFile;
use crate::{EmbeddingError, ModelFiles, Pooling, WordPieces};

/// [CLS] and [SEP].
pub(crate) const FRAME_TOKENS: usize = 2;

/// Who computes, as far as vectors depend on it: those of two engines are never compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineName {
    /// Its name and the numbers that it computes in, such as `native-int8`.
    pub name: String,
    /// Raised whenever the same text and weights give other vectors than before.
    pub arithmetic: u32,
}

/// A sentence model as an engine finds it: how its texts become tokens, what becomes of the tokens' vectors, what the
/// weights are, and the model's name.
pub struct SentenceModel {
    files: ModelFiles,
    shape: Shape,
    pooling: Pooling,
    normalize: bool,
    max_tokens: usize,
    tokenizer: Arc<WordPieces>,
    identity: ModelIdentity,
}

impl SentenceModel {
    /// Reads the folder `dir` of a sentence-transformers BERT model, of whose texts `engine` will read `max_tokens`
    /// tokens, [CLS] and [SEP] included, and whose vectors it scales to length 1 if `normalize`.
    ///
    /// # Errors
    /// Every variant of [`EmbeddingError`] about files; [`EmbeddingError::Options`] when `max_tokens` is below 3 or
    /// above the positions that the model knows.
    pub fn open(
        dir: &Path,
        max_tokens: usize,
        normalize: bool,
        engine: &EngineName,
    ) -> Result<Self, EmbeddingError> {
        let files = ModelFiles::locate(dir)?;
        let shape = files.shape()?;
        let pooling = files.pooling()?;
        let (least, most) = (FRAME_TOKENS + 1, shape.positions);
        if !(least..=most).contains(&max_tokens) {
            let reason = format!("max_tokens is {max_tokens}; this model takes {least} to {most}");
            return Err(EmbeddingError::Options { reason });
        }
        let (tokenizer, tokenizer_digest) = WordPieces::load(&files.tokenizer, shape.vocabulary)?;
        let weights_digest = WeightsFile::open(&files.weights)?.digest()?;
        let settings = format!("{shape:?} {pooling:?} {normalize} {max_tokens} {}", engine.arithmetic);
        let digest = Sha256::digest(format!("{weights_digest} {tokenizer_digest} {settings}"));
        let mut hash = hex::encode(digest);
        hash.truncate(16);
        let id = format!("{}-bert-{}x{}-{hash}", engine.name, shape.layers, shape.hidden);
        let dimensions = shape.hidden as u32;
        let identity = ModelIdentity { id, dimensions, weights_digest, tokenizer_digest };
        let tokenizer = Arc::new(tokenizer);
        Ok(Self { files, shape, pooling, normalize, max_tokens, tokenizer, identity })
    }

    /// A name that tells apart all vectors that must not be compared: engine, precision and what the files hold.
    pub fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    /// The model's layers.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// How the vectors of a text's tokens become one.
    pub fn pooling(&self) -> Pooling {
        self.pooling
    }

    /// Whether vectors are scaled to length 1.
    pub fn normalize(&self) -> bool {
        self.normalize
    }

    /// Tokens of a text that are read, [CLS] and [SEP] included.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// The model's tokenizer, which [`crate::Chunker`] needs.
    pub fn tokenizer(&self) -> &Arc<WordPieces> {
        &self.tokenizer
    }

    /// The file of the weights.
    ///
    /// # Errors
    /// [`EmbeddingError::Read`] and [`EmbeddingError::Malformed`].
    pub fn weights(&self) -> Result<WeightsFile, EmbeddingError> {
        WeightsFile::open(&self.files.weights)
    }

    /// The tokens of a text: its pieces, as far as they are read, between the two special tokens.
    ///
    /// # Errors
    /// [`EmbeddingError::Tokenize`].
    pub fn framed(&self, text: &str) -> Result<Vec<u32>, EmbeddingError> {
        Ok(self.frame(&self.tokenizer.ids(text)?))
    }

    /// The same of a text that is already cut into pieces.
    pub(crate) fn frame(&self, pieces: &[u32]) -> Vec<u32> {
        let (first, last) = self.tokenizer.frame();
        let read = pieces.iter().copied().take(self.max_tokens - FRAME_TOKENS);
        [first].into_iter().chain(read).chain([last]).collect()
    }
}
