use super::*;

#[test]
fn a_device_is_called_as_in_the_configuration() {
    assert_eq!([Device::Cpu, Device::Cuda(11)].map(|device| device.to_string()), ["cpu", "cuda:11"]);
}

#[cfg(not(feature = "rust-bert"))]
#[test]
fn without_the_feature_it_says_how_to_have_it() {
    let (max_tokens, threads) = (256, NonZeroUsize::MIN);
    let options = RustBertOptions { dir: PathBuf::new(), max_tokens, device: Device::Cpu, threads };
    let error = open(&options).err().expect("there is no engine");
    assert!(matches!(error, RustBertError::NotBuilt));
    assert!(error.to_string().contains("--features rust-bert"), "{error}");
}
