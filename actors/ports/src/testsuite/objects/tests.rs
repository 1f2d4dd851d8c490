use super::*;

#[tokio::test]
async fn the_model_keeps_the_contract() {
    contract(&|| Arc::new(MemoryObjects::default())).await;
}
