//! The model in torch.

use std::num::NonZeroUsize;

use rust_bert::Activation as TorchActivation;
use rust_bert::RustBertError as ModelError;
use rust_bert::bert::{BertConfig, BertEmbeddings, BertModel};
use tandem_embedding::{Activation, EmbeddingError, Pooling, SentenceModel, Shape, normalize};
use tch::nn::VarStore;
use tch::{Cuda, Kind, TchError, Tensor};

use crate::{Device, RustBertError};

/// What rust-bert adds to a variance, whatever config.json says.
const EPSILON: f32 = 1e-12;
/// Texts that run together on a processor. Eight of them are done 5 % sooner, but a text's vector would then depend on
/// its company, if only in the last bits.
const CPU_TEXTS: usize = 1;
/// Texts that run together on a graphics card.
const CUDA_TEXTS: usize = 64;

/// One model, for one thread.
pub(crate) struct Bert {
    model: BertModel<BertEmbeddings>,
    store: VarStore,
    device: tch::Device,
    pooling: Pooling,
    texts: usize,
}

/// As many models as there are `threads`, which share their weights.
pub(crate) fn load(
    model: &SentenceModel,
    device: Device,
    threads: NonZeroUsize,
) -> Result<Vec<Bert>, RustBertError> {
    let config = config(model.shape())?;
    let (device, texts) = match device {
        Device::Cpu => (tch::Device::Cpu, CPU_TEXTS),
        Device::Cuda(number) => (cuda(number)?, CUDA_TEXTS),
    };
    let new = || {
        let store = VarStore::new(tch::Device::Cpu);
        let bert = BertModel::new_with_optional_pooler(store.root(), &config, false);
        Bert { model: bert, store, device, pooling: model.pooling(), texts }
    };
    let (first, mut weights) = (new(), model.weights()?);
    let given = first.store.variables();
    for (name, mut variable) in first.store.variables() {
        let shape = variable.size();
        let sides: Vec<usize> = shape.iter().map(|&side| side as usize).collect();
        let values = weights.read(&name, &sides)?;
        variable.f_set_data(&Tensor::f_from_slice(&values)?.f_reshape(&shape)?.f_to(device)?)?;
    }
    let mut berts = vec![first];
    while berts.len() < threads.get() {
        let next = new();
        for (name, mut variable) in next.store.variables() {
            // The same names: it is the same model.
            if let Some(tensor) = given.get(&name) {
                variable.f_set_data(tensor)?;
            }
        }
        berts.push(next);
    }
    Ok(berts)
}

fn cuda(number: u16) -> Result<tch::Device, RustBertError> {
    let found = if Cuda::is_available() { Cuda::device_count() } else { 0 };
    if i64::from(number) < found {
        Ok(tch::Device::Cuda(number.into()))
    } else {
        Err(RustBertError::NoDevice { device: Device::Cuda(number), found })
    }
}

fn config(shape: &Shape) -> Result<BertConfig, RustBertError> {
    if shape.epsilon != EPSILON {
        let reason = format!("its layer_norm_eps is {}, not {EPSILON}", shape.epsilon);
        return Err(RustBertError::Unsupported(reason));
    }
    let hidden_act = match shape.activation {
        Activation::Gelu => TorchActivation::gelu,
        Activation::GeluTanh => TorchActivation::gelu_new,
    };
    Ok(BertConfig {
        hidden_act,
        hidden_size: shape.hidden as i64,
        intermediate_size: shape.intermediate as i64,
        max_position_embeddings: shape.positions as i64,
        num_attention_heads: shape.heads as i64,
        num_hidden_layers: shape.layers as i64,
        type_vocab_size: shape.token_types as i64,
        vocab_size: shape.vocabulary as i64,
        ..BertConfig::default()
    })
}

impl Bert {
    /// The vectors of texts given as their tokens, in order.
    pub(crate) fn run(&self, texts: &[Vec<u32>]) -> Result<Vec<Vec<f32>>, EmbeddingError> {
        let mut vectors = Vec::with_capacity(texts.len());
        for pack in texts.chunks(self.texts) {
            vectors.extend(self.pack(pack).map_err(|error| EmbeddingError::Engine { reason: said(&error) })?);
        }
        Ok(vectors)
    }

    fn pack(&self, texts: &[Vec<u32>]) -> Result<Vec<Vec<f32>>, ModelError> {
        let longest = texts.iter().map(Vec::len).max().unwrap_or(0);
        let rows = |value: fn(u32) -> i64| {
            let row = |text: &Vec<u32>| {
                let padding = std::iter::repeat_n(0, longest - text.len());
                text.iter().map(|&token| value(token)).chain(padding).collect::<Vec<_>>()
            };
            let rows: Vec<i64> = texts.iter().flat_map(row).collect();
            Tensor::f_from_slice(&rows)?.f_reshape([texts.len() as i64, longest as i64])?.f_to(self.device)
        };
        let (tokens, mask) = (rows(i64::from)?, rows(|_| 1)?);
        let output = self.model.forward_t(Some(&tokens), Some(&mask), None, None, None, None, None, false)?;
        let vectors = self.pool(&output.hidden_state, &mask)?;
        let dimensions = vectors.size().last().map_or(1, |&last| last as usize);
        let values = Vec::<f32>::try_from(vectors.f_to(tch::Device::Cpu)?.f_reshape([-1])?)?;
        let mut vectors: Vec<Vec<f32>> = values.chunks_exact(dimensions).map(<[f32]>::to_vec).collect();
        vectors.iter_mut().for_each(|vector| normalize(vector));
        Ok(vectors)
    }

    /// One vector per text of the states of its tokens.
    fn pool(&self, states: &Tensor, mask: &Tensor) -> Result<Tensor, TchError> {
        match self.pooling {
            Pooling::Cls => states.f_select(1, 0),
            Pooling::Mean => {
                let weights = mask.f_to_kind(Kind::Float)?.f_unsqueeze(-1)?;
                let sum =
                    states.f_mul(&weights)?.f_sum_dim_intlist([1_i64].as_slice(), false, Kind::Float)?;
                sum.f_div(&weights.f_sum_dim_intlist([1_i64].as_slice(), false, Kind::Float)?)
            }
        }
    }
}

/// The first line of an error: libtorch puts a stack behind it.
fn said(error: &ModelError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

impl From<TchError> for RustBertError {
    fn from(error: TchError) -> Self {
        Self::Torch(said(&error.into()))
    }
}
