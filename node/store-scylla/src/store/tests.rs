use std::net::TcpListener;
use std::time::Duration;

use tandem_ports::testsuite::{accounts, documents, intents, models, quotas, runs, tasks};

use super::*;
use crate::testing::{Shared, TestClock};

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_of_documents() {
    let Some(shared) = Shared::new().await else { return };
    documents::contract(&|| shared.make()).await;
    shared.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_of_tasks() {
    let Some(shared) = Shared::new().await else { return };
    tasks::contract(&|| shared.make()).await;
    shared.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_of_intents() {
    let Some(shared) = Shared::new().await else { return };
    intents::contract(&|| shared.make()).await;
    shared.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_of_runs() {
    let Some(shared) = Shared::new().await else { return };
    runs::contract(&|| shared.make()).await;
    shared.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_of_accounts() {
    let Some(shared) = Shared::new().await else { return };
    accounts::contract(&|| shared.make()).await;
    shared.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_of_quotas() {
    let Some(shared) = Shared::new().await else { return };
    quotas::contract(&|| shared.make()).await;
    shared.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_of_models() {
    let Some(shared) = Shared::new().await else { return };
    models::contract(&|| shared.make()).await;
    shared.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_proposals_every_node_hears_the_same_one() {
    let Some(shared) = Shared::new().await else { return };
    let store = shared.make();
    let proposals: Vec<[u8; 1]> = (0..8).map(|n| [n]).collect();
    let asked = proposals.iter().map(|proposal| store.agree(proposal));
    let heard = futures::future::try_join_all(asked).await.unwrap();
    let later = store.agree(b"later").await.unwrap();
    assert!(proposals.iter().any(|proposal| later == proposal), "{later:?}");
    assert!(heard.iter().all(|word| *word == later), "{heard:?}");
    shared.end().await;
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_is_named_with_what_to_check() {
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut options = ScyllaOptions::new(vec![address.clone()], Arc::new(TestClock));
    options.connect_timeout = Duration::from_millis(700);
    options.attempts = 2;
    options.back_off = Duration::from_millis(1);
    let error = ScyllaStore::connect(options).await.unwrap_err();
    assert!(matches!(error, ScyllaError::Connect { attempts: 2, .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(&address) && text.contains("700ms") && text.contains("firewall"), "{text}");
}

#[tokio::test]
async fn options_that_would_become_part_of_a_statement_are_checked() {
    for keyspace in ["", "1a", "Tandem", "a;DROP KEYSPACE b", &"a".repeat(49)] {
        let mut options = ScyllaOptions::new(vec!["127.0.0.1:1".to_owned()], Arc::new(TestClock));
        keyspace.clone_into(&mut options.keyspace);
        let error = ScyllaStore::connect(options).await.unwrap_err();
        assert!(matches!(error, ScyllaError::Options(_)), "{keyspace:?}: {error:?}");
    }
}
