use super::*;

fn spec(settings: &[(&str, &str)]) -> ModelSpec {
    let folder = ("TANDEM_EMBEDDING__MODEL_DIR", "/nonexistent/model");
    let env = settings.iter().chain([&folder]).map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    ModelSpec::of(&NodeConfig::resolve(None, env, &[]).unwrap()).unwrap()
}

#[test]
fn the_configuration_names_engine_precision_and_device() {
    let native = spec(&[]);
    assert_eq!((native.engine.as_str(), native.precision.as_str()), ("native", "int8"));
    let rust_bert = [("TANDEM_EMBEDDING__ENGINE", "rust-bert"), ("TANDEM_EMBEDDING__DEVICE", "cuda:1")];
    let rust_bert = spec(&rust_bert);
    assert_eq!((rust_bert.engine.as_str(), rust_bert.precision.as_str()), ("rust-bert", "f32"));
    assert_eq!((native.device, rust_bert.device), (Device::Cpu, Device::Cuda(1)));
}

#[tokio::test]
async fn what_an_engine_cannot_do_is_said() {
    let other = ModelSpec { engine: "onnx".to_owned(), ..spec(&[]) };
    let bytes = ModelSpec { engine: RUST_BERT.to_owned(), ..spec(&[]) };
    for (spec, said) in [(other, "there is no engine \"onnx\""), (bytes, "computes in f32, not in int8")] {
        let error = spec.load().await.err().expect("it cannot").to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[cfg(not(feature = "rust-bert"))]
#[tokio::test]
async fn an_engine_that_is_not_built_in_says_how_to_have_it() {
    let error =
        spec(&[("TANDEM_EMBEDDING__ENGINE", "rust-bert")]).load().await.err().expect("it is not there");
    assert!(error.to_string().contains("--features rust-bert"), "{error}");
}
