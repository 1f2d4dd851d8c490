use super::*;

#[test]
fn the_model_keeps_the_contract() {
    let indexes = MemoryIndexes::default();
    contract(&|folder| indexes.open(folder, &samples::model()));
}
