use std::sync::Arc;

use super::*;
use crate::testsuite::{accounts, documents, models, quotas, runs, tasks, vectors};

#[tokio::test]
async fn the_model_keeps_the_contract_of_documents() {
    documents::contract(&|| Arc::new(MemoryStore::default())).await;
}

#[tokio::test]
async fn the_model_keeps_the_contract_of_vectors() {
    vectors::contract(&|| Arc::new(MemoryStore::default())).await;
}

#[tokio::test]
async fn the_model_keeps_the_contract_of_tasks() {
    tasks::contract(&|| Arc::new(MemoryStore::default())).await;
}

#[tokio::test]
async fn the_model_keeps_the_contract_of_intents() {
    crate::testsuite::intents::contract(&|| Arc::new(MemoryStore::default())).await;
}

#[tokio::test]
async fn the_model_keeps_the_contract_of_runs() {
    runs::contract(&|| Arc::new(MemoryStore::default())).await;
}

#[tokio::test]
async fn the_model_keeps_the_contract_of_accounts() {
    accounts::contract(&|| Arc::new(MemoryStore::default())).await;
}

#[tokio::test]
async fn the_model_keeps_the_contract_of_quotas() {
    quotas::contract(&|| Arc::new(MemoryStore::default())).await;
}

#[tokio::test]
async fn the_model_keeps_the_contract_of_the_audit_log() {
    crate::testsuite::audit::contract(&|| Arc::new(MemoryStore::default())).await;
}

#[tokio::test]
async fn the_model_keeps_the_contract_of_models() {
    models::contract(&|| Arc::new(MemoryStore::default())).await;
}
