use super::*;

fn resolve(env: &[(&str, &str)]) -> Result<EmbeddingConfig, String> {
    let env = env.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let config = NodeConfig::resolve(None, env, &[]).map_err(|error| error.to_string())?;
    Ok(config.embedding)
}

#[test]
fn the_native_engine_computes_unless_another_is_named() {
    let embedding = resolve(&[]).unwrap();
    assert_eq!((embedding.engine, embedding.device), (EmbeddingEngine::Native, EmbeddingDevice::Cpu));
    let rust_bert = ("TANDEM_EMBEDDING__ENGINE", "rust-bert");
    assert_eq!(resolve(&[rust_bert]).unwrap().engine, EmbeddingEngine::RustBert);
    let embedding = resolve(&[rust_bert, ("TANDEM_EMBEDDING__DEVICE", "cuda:3")]).unwrap();
    assert_eq!(embedding.device, EmbeddingDevice::Cuda(3));
}

#[test]
fn engines_and_devices_that_there_are_not_are_refused() {
    let engine = resolve(&[("TANDEM_EMBEDDING__ENGINE", "onnx")]).unwrap_err();
    assert!(engine.contains("`embedding.engine`") && engine.contains("`rust-bert`"), "{engine}");
    for device in ["", "gpu", "cuda", "cuda:", "cuda:x", "cuda:-1", "cuda:65536", "CPU"] {
        let error = resolve(&[("TANDEM_EMBEDDING__DEVICE", device)]).unwrap_err();
        assert!(error.contains("`embedding.device`") && error.contains("expected `cpu`"), "{error}");
    }
    let card = resolve(&[("TANDEM_EMBEDDING__DEVICE", "cuda:0")]).unwrap_err();
    assert!(card.contains("embedding.engine = \"rust-bert\""), "{card}");
}
