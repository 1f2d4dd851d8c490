use std::path::PathBuf;

/// What can go wrong in loading a model, cutting a text or encoding it. No variant carries any of the text.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddingError {
    /// The model's folder, or one of its required files, is not there.
    #[error("no sentence model in {dir}: {file} is missing; run deploy/model.sh to fetch it", dir = .dir.display())]
    ModelMissing {
        /// The folder that was looked into.
        dir: PathBuf,
        /// The file that is missing, relative to the folder.
        file: &'static str,
    },
    /// A model file could not be read.
    #[error("cannot read {path}: {source}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why it could not be read.
        source: std::io::Error,
    },
    /// A model file is not what it should be: not JSON, a value out of bounds, a kind of model that is not supported.
    #[error("{path} cannot be used: {reason}", path = .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The weights lack a tensor.
    #[error("{path} has no tensor {tensor}", path = .path.display())]
    TensorMissing {
        /// The weights' file.
        path: PathBuf,
        /// The tensor's full name.
        tensor: String,
    },
    /// A tensor's numbers are of a type that cannot be read: only F32, F16 and BF16 can.
    #[error("{path}: tensor {tensor} is of type {found}, not F32, F16 or BF16", path = .path.display())]
    TensorType {
        /// The weights' file.
        path: PathBuf,
        /// The tensor's full name.
        tensor: String,
        /// The type that the file declares.
        found: String,
    },
    /// A tensor's shape disagrees with `config.json`.
    #[error("{path}: tensor {tensor} has the shape {found:?}, not {expected:?}", path = .path.display())]
    TensorShape {
        /// The weights' file.
        path: PathBuf,
        /// The tensor's full name.
        tensor: String,
        /// The shape that follows from `config.json`.
        expected: Vec<usize>,
        /// The shape that the file declares.
        found: Vec<usize>,
    },
    /// A tensor holds an infinity or a NaN, which would spread into every vector.
    #[error("{path}: tensor {tensor} holds a value that is not finite", path = .path.display())]
    TensorValue {
        /// The weights' file.
        path: PathBuf,
        /// The tensor's full name.
        tensor: String,
    },
    /// An option is out of its bounds.
    #[error("bad option: {reason}")]
    Options {
        /// Which option, and the bounds.
        reason: String,
    },
    /// The tokenizer refused a text.
    #[error("the tokenizer could not split a text of {bytes} bytes")]
    Tokenize {
        /// The text's length; the text itself is private.
        bytes: usize,
    },
    /// A word piece is not in the model's vocabulary.
    #[error("word piece {id} is outside the vocabulary of {vocabulary}")]
    UnknownPiece {
        /// The piece's number.
        id: u32,
        /// How many pieces the model knows.
        vocabulary: usize,
    },
    /// An instruction set was asked for that is unknown or that this processor lacks.
    #[error("{reason}")]
    Cpu {
        /// What was asked for, and what there is.
        reason: String,
    },
    /// An engine that is not the native one could not compute.
    #[error("the engine failed: {reason}")]
    Engine {
        /// What it says, without any text.
        reason: String,
    },
    /// A defect in the encoder.
    #[error("the encoder panicked")]
    Panicked,
}
