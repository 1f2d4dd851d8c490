use super::{TinyModel, error, load, tiny};
use crate::testing::{HIDDEN, POSITIONS};
use crate::{EmbeddingError, Encoder, EncoderOptions};
use safetensors::Dtype;
use serde_json::json;
use std::fs;

const QUERY: &str = "encoder.layer.1.attention.self.query.weight";

#[test]
fn a_missing_folder_names_the_command_that_fetches_it() {
    let missing = Encoder::load(&EncoderOptions::new("/nonexistent/model"));
    let message = missing.err().unwrap().to_string();
    assert_eq!(
        message,
        "no sentence model in /nonexistent/model: config.json is missing; run deploy/model.sh to fetch it"
    );
    let dir = TinyModel::new().write();
    fs::remove_file(dir.path().join("model.safetensors")).unwrap();
    assert!(error(&dir).to_string().contains("model.safetensors is missing"));
}

#[test]
fn a_config_that_is_not_of_a_bert_model_is_refused_with_the_key() {
    let cases = [
        ("model_type", json!("roberta")),
        ("hidden_act", json!("relu")),
        ("position_embedding_type", json!("relative_key")),
        ("num_attention_heads", json!(5)),
        ("num_hidden_layers", json!(0)),
        ("hidden_size", json!(1 << 30)),
        ("vocab_size", json!("many")),
        ("layer_norm_eps", json!(-1.0)),
    ];
    for (key, value) in cases {
        let mut model = TinyModel::new();
        model.config[key] = value.clone();
        let message = error(&model.write()).to_string();
        assert!(message.contains("config.json"), "{message}");
        assert!(message.contains(key) || value == json!("many"), "{message}");
    }
    let dir = TinyModel::new().write();
    fs::write(dir.path().join("config.json"), "{").unwrap();
    assert!(matches!(error(&dir), EmbeddingError::Malformed { .. }));
}

#[test]
fn an_unknown_module_is_refused() {
    let dir = TinyModel::new().write();
    let modules = json!([{"type": "sentence_transformers.models.Transformer"}, {"type": "x.Dense"}]);
    fs::write(dir.path().join("modules.json"), modules.to_string()).unwrap();
    assert!(error(&dir).to_string().contains("the module Dense is not supported"));
}

#[test]
fn a_missing_or_misshapen_tensor_is_named() {
    let mut model = TinyModel::new();
    let (shape, values) = model.tensors.remove(QUERY).unwrap();
    assert!(matches!(error(&model.write()), EmbeddingError::TensorMissing { tensor, .. } if tensor == QUERY));

    model.tensors.insert(QUERY.to_owned(), (vec![HIDDEN * HIDDEN], values.clone()));
    let wrong = error(&model.write());
    assert!(
        matches!(&wrong, EmbeddingError::TensorShape { expected, found, .. }
            if *expected == [HIDDEN, HIDDEN] && *found == [HIDDEN * HIDDEN]),
        "{wrong}"
    );

    let mut poisoned = values;
    poisoned[7] = f32::NAN;
    model.tensors.insert(QUERY.to_owned(), (shape, poisoned));
    assert!(matches!(error(&model.write()), EmbeddingError::TensorValue { tensor, .. } if tensor == QUERY));
}

#[test]
fn a_type_that_cannot_be_read_is_named() {
    let mut model = TinyModel::new();
    model.dtype = Dtype::F64;
    assert!(matches!(error(&model.write()), EmbeddingError::TensorType { found, .. } if found == "F64"));
}

#[test]
fn damaged_weights_are_refused() {
    let dir = TinyModel::new().write();
    let path = dir.path().join("model.safetensors");
    let whole = fs::read(&path).unwrap();
    let mut huge = whole.clone();
    huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    let mut garbled = whole.clone();
    garbled[9] = b'!';
    let longer = [whole.as_slice(), b"x"].concat();
    let cases = [&whole[..5], &whole[..200], &whole[..whole.len() - 1], &huge, &garbled, &longer];
    for bytes in cases {
        fs::write(&path, bytes).unwrap();
        assert!(matches!(error(&dir), EmbeddingError::Malformed { .. }), "{} bytes", bytes.len());
    }
    fs::write(&path, whole).unwrap();
    assert_eq!(load(&dir).unwrap().identity(), tiny().identity());
}

#[test]
fn a_tokenizer_that_does_not_fit_is_refused() {
    let mut model = TinyModel::new();
    model.tokenizer["model"]["vocab"]["zebra"] = json!(500);
    assert!(error(&model.write()).to_string().contains("word pieces"));

    let mut model = TinyModel::new();
    model.tokenizer["post_processor"] = json!(null);
    assert!(error(&model.write()).to_string().contains("one token before"));

    let dir = TinyModel::new().write();
    fs::write(dir.path().join("tokenizer.json"), "[]").unwrap();
    assert!(error(&dir).to_string().contains("tokenizer.json"));
}

#[test]
fn the_number_of_tokens_must_fit_the_positions() {
    let dir = TinyModel::new().write();
    for max_tokens in [0, 2, POSITIONS + 1, usize::MAX] {
        let options = EncoderOptions { max_tokens, ..EncoderOptions::new(dir.path()) };
        assert!(matches!(Encoder::load(&options), Err(EmbeddingError::Options { .. })), "{max_tokens}");
    }
    let options = EncoderOptions { max_tokens: POSITIONS, ..EncoderOptions::new(dir.path()) };
    assert_eq!(Encoder::load(&options).unwrap().max_tokens(), POSITIONS);
}

#[test]
fn the_identity_comes_from_the_content_alone() {
    let (here, there) = (tiny(), tiny());
    assert_eq!(here.identity(), there.identity());
    assert_eq!(here.identity().dimensions as usize, HIDDEN);
    assert!(here.identity().id.starts_with("native-f32-bert-2x48-"), "{}", here.identity().id);
    let mut model = TinyModel::new();
    model.tensors.get_mut(QUERY).unwrap().1[0] += 0.5;
    let other = load(&model.write()).unwrap();
    assert_ne!(other.identity().id, here.identity().id);
    assert_ne!(other.identity().weights_digest, here.identity().weights_digest);
    assert_eq!(other.identity().tokenizer_digest, here.identity().tokenizer_digest);
}
