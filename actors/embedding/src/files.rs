use std::env;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::EmbeddingError;
use crate::simd::LANES;

const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const WEIGHTS: &str = "model.safetensors";
const MODULES: &str = "modules.json";
const POOLING: &str = "1_Pooling/config.json";

/// No JSON file of a sentence model is near this size; a larger one is not read.
const MAX_JSON_BYTES: u64 = 64 << 20;

const MAX_HIDDEN: usize = 8_192;
const MAX_LAYERS: usize = 128;
const MAX_INTERMEDIATE: usize = 65_536;
const MAX_VOCABULARY: usize = 2 << 20;
const MAX_POSITIONS: usize = 65_536;

/// The files of one sentence-transformers model, each known to exist.
#[derive(Debug, Clone)]
pub struct ModelFiles {
    pub(crate) dir: PathBuf,
    pub(crate) config: PathBuf,
    pub(crate) tokenizer: PathBuf,
    pub(crate) weights: PathBuf,
}

impl ModelFiles {
    /// The files of the model in `dir`.
    ///
    /// # Errors
    /// [`EmbeddingError::ModelMissing`] names the first of config.json, tokenizer.json and model.safetensors that is
    /// not there, and the command that fetches the model.
    pub fn locate(dir: &Path) -> Result<Self, EmbeddingError> {
        let required = |file: &'static str| {
            let path = dir.join(file);
            if path.is_file() {
                Ok(path)
            } else {
                Err(EmbeddingError::ModelMissing { dir: dir.to_owned(), file })
            }
        };
        Ok(Self {
            config: required(CONFIG)?,
            tokenizer: required(TOKENIZER)?,
            weights: required(WEIGHTS)?,
            dir: dir.to_owned(),
        })
    }

    /// The folder into which `deploy/model.sh` puts the model: `$TANDEM_MODEL_DIR`, or else
    /// `tandem/models/all-MiniLM-L6-v2` in the user's cache folder. None when neither that nor a home folder is set.
    pub fn default_dir() -> Option<PathBuf> {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        set("TANDEM_MODEL_DIR").or_else(|| {
            let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?;
            Some(cache.join("tandem/models/all-MiniLM-L6-v2"))
        })
    }
}

/// How the vectors of a window's tokens become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// The mean over all tokens, [CLS] and [SEP] included.
    Mean,
    /// The vector of the first token, [CLS].
    Cls,
}

/// The activation between the two feed-forward layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// x·Φ(x), with the error function.
    Gelu,
    /// The same with the approximation by tanh.
    GeluTanh,
}

/// The shape of a BERT model, checked against bounds.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Coordinates of a token's vector.
    pub hidden: usize,
    /// Layers.
    pub layers: usize,
    /// Heads of each attention; a divisor of `hidden`.
    pub heads: usize,
    /// Width of the layer between the two feed-forward products.
    pub intermediate: usize,
    /// Word pieces that have a vector.
    pub vocabulary: usize,
    /// Kinds of token; all that is read here is of kind 0.
    pub token_types: usize,
    /// Tokens of a text, at most.
    pub positions: usize,
    /// What is added to a variance before the root is taken.
    pub epsilon: f32,
    /// Between the two feed-forward products.
    pub activation: Activation,
}

#[derive(Deserialize)]
struct ConfigJson {
    #[serde(default = "bert")]
    model_type: String,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    vocab_size: usize,
    type_vocab_size: usize,
    max_position_embeddings: usize,
    layer_norm_eps: f32,
    hidden_act: String,
    position_embedding_type: Option<String>,
}

fn bert() -> String {
    "bert".to_owned()
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PoolingJson {
    pooling_mode_cls_token: bool,
    pooling_mode_mean_tokens: bool,
    pooling_mode_max_tokens: bool,
    pooling_mode_mean_sqrt_len_tokens: bool,
    pooling_mode_weightedmean_tokens: bool,
    pooling_mode_lasttoken: bool,
}

#[derive(Deserialize)]
struct ModuleJson {
    #[serde(rename = "type")]
    kind: String,
}

impl ModelFiles {
    /// Reads config.json.
    pub(crate) fn shape(&self) -> Result<Shape, EmbeddingError> {
        let json: ConfigJson = read_json(&self.config)?;
        let refuse = |reason: String| EmbeddingError::Malformed { path: self.config.clone(), reason };
        if json.model_type != "bert" {
            return Err(refuse(format!("model_type is {:?}; only bert is supported", json.model_type)));
        }
        if let Some(kind) = json.position_embedding_type.filter(|kind| kind != "absolute") {
            return Err(refuse(format!("position_embedding_type is {kind:?}; only absolute is supported")));
        }
        let bounds = [
            ("hidden_size", json.hidden_size, MAX_HIDDEN),
            ("num_hidden_layers", json.num_hidden_layers, MAX_LAYERS),
            ("num_attention_heads", json.num_attention_heads, json.hidden_size),
            ("intermediate_size", json.intermediate_size, MAX_INTERMEDIATE),
            ("vocab_size", json.vocab_size, MAX_VOCABULARY),
            ("type_vocab_size", json.type_vocab_size, MAX_VOCABULARY),
            ("max_position_embeddings", json.max_position_embeddings, MAX_POSITIONS),
        ];
        for (key, value, limit) in bounds {
            if value == 0 || value > limit {
                return Err(refuse(format!("{key} is {value}; it must be 1 to {limit}")));
            }
        }
        if !json.hidden_size.is_multiple_of(json.num_attention_heads) {
            return Err(refuse(format!(
                "hidden_size {} is not a multiple of num_attention_heads {}",
                json.hidden_size, json.num_attention_heads
            )));
        }
        let head = json.hidden_size / json.num_attention_heads;
        for (key, value) in [
            ("hidden_size / num_attention_heads", head),
            ("hidden_size", json.hidden_size),
            ("intermediate_size", json.intermediate_size),
        ] {
            if !value.is_multiple_of(LANES) {
                return Err(refuse(format!("{key} is {value}; only multiples of {LANES} are supported")));
            }
        }
        if !(json.layer_norm_eps.is_finite() && json.layer_norm_eps >= 0.0) {
            return Err(refuse(format!("layer_norm_eps is {}", json.layer_norm_eps)));
        }
        let activation = match json.hidden_act.as_str() {
            "gelu" => Activation::Gelu,
            "gelu_new" | "gelu_pytorch_tanh" => Activation::GeluTanh,
            other => return Err(refuse(format!("hidden_act is {other:?}; only gelu is supported"))),
        };
        Ok(Shape {
            hidden: json.hidden_size,
            layers: json.num_hidden_layers,
            heads: json.num_attention_heads,
            intermediate: json.intermediate_size,
            vocabulary: json.vocab_size,
            token_types: json.type_vocab_size,
            positions: json.max_position_embeddings,
            epsilon: json.layer_norm_eps,
            activation,
        })
    }

    /// Reads 1_Pooling/config.json, mean when there is none; and refuses a model with modules that are not known here.
    pub(crate) fn pooling(&self) -> Result<Pooling, EmbeddingError> {
        let modules = self.dir.join(MODULES);
        if modules.is_file() {
            for module in read_json::<Vec<ModuleJson>>(&modules)? {
                let name = module.kind.rsplit('.').next().unwrap_or_default();
                if !matches!(name, "Transformer" | "Pooling" | "Normalize") {
                    let reason = format!("the module {name} is not supported");
                    return Err(EmbeddingError::Malformed { path: modules, reason });
                }
            }
        }
        let path = self.dir.join(POOLING);
        if !path.is_file() {
            return Ok(Pooling::Mean);
        }
        let json: PoolingJson = read_json(&path)?;
        let other = json.pooling_mode_max_tokens
            || json.pooling_mode_mean_sqrt_len_tokens
            || json.pooling_mode_weightedmean_tokens
            || json.pooling_mode_lasttoken;
        match (json.pooling_mode_mean_tokens, json.pooling_mode_cls_token, other) {
            (true, false, false) => Ok(Pooling::Mean),
            (false, true, false) => Ok(Pooling::Cls),
            _ => Err(EmbeddingError::Malformed {
                path,
                reason: "exactly one pooling mode, mean or cls, is supported".to_owned(),
            }),
        }
    }
}

/// The bytes of a file that holds JSON.
pub(crate) fn read_bounded(path: &Path) -> Result<Vec<u8>, EmbeddingError> {
    let failed = |source| EmbeddingError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_JSON_BYTES + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() as u64 > MAX_JSON_BYTES {
        let reason = format!("it is longer than {MAX_JSON_BYTES} bytes");
        return Err(EmbeddingError::Malformed { path: path.to_owned(), reason });
    }
    Ok(bytes)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, EmbeddingError> {
    serde_json::from_slice(&read_bounded(path)?)
        .map_err(|error| EmbeddingError::Malformed { path: path.to_owned(), reason: error.to_string() })
}
