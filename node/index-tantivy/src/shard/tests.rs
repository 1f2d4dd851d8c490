//! The contract, and what only this adapter can break: files, crashes, merges.

use std::collections::BTreeMap;

use tandem_domain::document::DocumentKind;
use tandem_ports::testsuite::index::contract;
use tandem_ports::testsuite::samples::{self, Seeded};

use super::*;

fn open(folder: &Path) -> Result<TantivyIndex, IndexError> {
    TantivyIndex::open(folder, Options { model: samples::model() })
}

fn document(number: u64) -> IndexedDocument {
    let mut seeded = Seeded::new(number);
    let words = ["kubo", "zirn", "falo", "quax", "mirv"];
    let text: Vec<_> = (0..3 + number % 9).map(|_| words[seeded.below(5) as usize]).collect();
    let kind = if number % 4 == 3 { DocumentKind::Job } else { DocumentKind::Resume };
    samples::indexed(&samples::owner("alice"), number, kind, &text.join(" "), seeded.vector())
}

fn upserts(numbers: impl IntoIterator<Item = u64>) -> Vec<IndexChange> {
    numbers.into_iter().map(|number| IndexChange::Upsert(Box::new(document(number)))).collect()
}

fn remove(number: u64) -> IndexChange {
    IndexChange::Remove { owner: samples::owner("alice"), id: samples::document_id(number) }
}

/// All answers of a corpus that may lie in several shards.
fn answers(shards: &[&TantivyIndex]) -> String {
    let filter = Filter { owner: samples::owner("alice"), kind: DocumentKind::Resume, among: None };
    let query = shards[0].lexical_query("kubo zirn zirn mirv absent", 64);
    let mut statistics = CorpusStatistics::default();
    shards.iter().for_each(|shard| statistics.add(&shard.statistics(&query).unwrap()));
    let merged = |search: &dyn Fn(&TantivyIndex) -> Vec<Hit>| {
        let mut hits: Vec<Hit> = shards.iter().flat_map(|shard| search(shard)).collect();
        hits.sort_unstable_by(Hit::order);
        hits
    };
    let lexical = merged(&|shard| shard.lexical(&query, &statistics, &filter, 1_000).unwrap());
    let dense = merged(&|shard| shard.dense(&Seeded::new(99).vector(), &filter, 1_000).unwrap());
    let ids: Vec<_> = dense.iter().map(|hit| hit.document).collect();
    let features: BTreeMap<_, _> =
        shards.iter().flat_map(|shard| shard.features(&filter.owner, &ids).unwrap()).collect();
    let documents: u64 = shards.iter().map(|shard| shard.documents()).sum();
    format!("{documents} {statistics:?} {lexical:?} {dense:?} {features:?}")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[test]
fn the_contract_holds() {
    contract(&|folder| Arc::new(open(folder).unwrap()));
}

#[test]
fn a_crash_between_segment_and_commit_leaves_the_old_shard() {
    let home = tempfile::tempdir().unwrap();
    let shard = open(home.path()).unwrap();
    shard.apply(&upserts(0..10), LogPosition(1)).unwrap();
    let (before, manifest) = (answers(&[&shard]), fs::read(home.path().join("manifest")).unwrap());
    let mut batch = upserts(7..15);
    batch.push(remove(0));
    shard.apply(&batch, LogPosition(2)).unwrap();
    let after = answers(&[&shard]);
    drop(shard);

    // As if the power had gone when the segment was written and the manifest was not yet renamed.
    fs::write(home.path().join("manifest.new"), b"half").unwrap();
    fs::write(home.path().join("manifest"), manifest).unwrap();
    let shard = open(home.path()).unwrap();
    assert_eq!((answers(&[&shard]), shard.checkpoint()), (before, LogPosition(1)));
    assert_eq!(segments_on_disk(home.path()).unwrap(), [1], "what the manifest does not name is gone");
    shard.apply(&batch, LogPosition(2)).unwrap();
    assert_eq!(answers(&[&shard]), after);
}

#[test]
fn a_changed_byte_in_any_file_is_found() {
    let home = tempfile::tempdir().unwrap();
    let shard = open(home.path()).unwrap();
    shard.apply(&upserts(0..10), LogPosition(1)).unwrap();
    shard.apply(&[remove(3)], LogPosition(2)).unwrap();
    let whole = answers(&[&shard]);
    drop(shard);
    let files: Vec<_> = files(home.path()).into_iter().filter(|path| !path.ends_with(LOCK)).collect();
    assert!(files.len() >= 6, "{files:?}");
    for path in files {
        let bytes = fs::read(&path).unwrap();
        for place in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            fs::write(&path, &changed).unwrap();
            let error = open(home.path()).err();
            assert!(matches!(error, Some(IndexError::Damaged(_))), "byte {place} of {path:?}: {error:?}");
        }
        fs::remove_file(&path).unwrap();
        assert!(matches!(open(home.path()).err(), Some(IndexError::Damaged(_))), "without {path:?}");
        fs::write(&path, &bytes).unwrap();
    }
    assert_eq!(answers(&[&open(home.path()).unwrap()]), whole);
}

#[test]
fn merges_change_no_answer() {
    let home = tempfile::tempdir().unwrap();
    let (one, many) = (home.path().join("one"), home.path().join("many"));
    let (one, many) = (open(&one).unwrap(), open(&many).unwrap());
    one.apply(&upserts((0..100).filter(|n| n % 5 != 0)), LogPosition(1)).unwrap();
    for number in 0..100 {
        many.apply(&upserts([number]), LogPosition(number + 1)).unwrap();
        if number % 5 == 4 {
            many.apply(&[remove(number - 4)], LogPosition(number + 1)).unwrap();
        }
        assert!(many.current().parts.len() <= 2 * 8, "segments do not pile up");
    }
    assert_eq!(answers(&[&many]), answers(&[&one]));
    drop(many);
    assert_eq!(answers(&[&open(&home.path().join("many")).unwrap()]), answers(&[&one]));
}

#[test]
fn readers_keep_their_snapshot_through_a_merge() {
    let home = tempfile::tempdir().unwrap();
    let shard = open(home.path()).unwrap();
    shard.apply(&upserts(0..3), LogPosition(1)).unwrap();
    let kept = shard.current();
    let alice = samples::owner("alice");
    for number in 0..20 {
        shard.apply(&upserts([number]), LogPosition(number + 2)).unwrap();
    }
    assert!(!segments_on_disk(home.path()).unwrap().contains(&1));
    let found = kept.features(&alice, &[samples::document_id(2)]).unwrap();
    assert_eq!(*found[0].1, document(2).features);
}

#[test]
fn two_shards_score_as_one() {
    let home = tempfile::tempdir().unwrap();
    let shard = |name: &str| open(&home.path().join(name)).unwrap();
    let (whole, left, right) = (shard("whole"), shard("left"), shard("right"));
    whole.apply(&upserts(0..60), LogPosition(1)).unwrap();
    left.apply(&upserts(0..17), LogPosition(1)).unwrap();
    right.apply(&upserts(10..60), LogPosition(1)).unwrap();
    right.apply(&(10..17).map(remove).collect::<Vec<_>>(), LogPosition(2)).unwrap();
    assert_eq!(answers(&[&left, &right]), answers(&[&whole]));
}

#[test]
fn a_large_batch_becomes_several_segments() {
    let home = tempfile::tempdir().unwrap();
    let shard = open(home.path()).unwrap();
    let count = MAX_IN_MEMORY as u64 + 100;
    shard.apply(&upserts(0..count), LogPosition(1)).unwrap();
    assert_eq!((shard.documents(), shard.current().parts.len()), (count, 2));
    shard.apply(&(0..count).map(remove).collect::<Vec<_>>(), LogPosition(2)).unwrap();
    assert_eq!((shard.documents(), shard.current().parts.len()), (0, 0));
    assert!(segments_on_disk(home.path()).unwrap().is_empty());
}

#[test]
fn a_folder_is_open_once_and_of_one_model() {
    let home = tempfile::tempdir().unwrap();
    let shard = open(home.path()).unwrap();
    assert!(matches!(open(home.path()), Err(IndexError::Io(_))));
    drop(shard);
    let mut other = Options { model: samples::model() };
    other.model.weights_digest = "22".repeat(32);
    assert!(matches!(TantivyIndex::open(home.path(), other), Err(IndexError::Model)));
    assert!(open(home.path()).is_ok());
}

#[test]
fn a_batch_that_cannot_be_written_leaves_the_shard_as_it_was() {
    let home = tempfile::tempdir().unwrap();
    let shard = open(home.path()).unwrap();
    shard.apply(&upserts(0..5), LogPosition(1)).unwrap();
    let before = answers(&[&shard]);
    // The next segment's folder is taken by a file.
    let next = home.path().join(folder_name(shard.writer().next));
    fs::write(&next, b"in the way").unwrap();
    assert!(matches!(shard.apply(&upserts(5..9), LogPosition(2)), Err(IndexError::Io(_))));
    assert_eq!((answers(&[&shard]), shard.checkpoint()), (before, LogPosition(1)));
    fs::remove_file(next).unwrap();
    shard.apply(&upserts(5..9), LogPosition(2)).unwrap();
    assert_eq!(shard.documents(), 9);
}

#[test]
fn a_shard_is_removed_whole_or_damaged_but_never_while_it_is_open() {
    let home = tempfile::tempdir().unwrap();
    let place = home.path().join("shard-0");
    assert_eq!(TantivyIndex::remove(&place), Ok(false));
    let shard = open(&place).unwrap();
    shard.apply(&upserts(0..5), LogPosition(1)).unwrap();
    assert!(matches!(TantivyIndex::remove(&place), Err(IndexError::Io(_))));
    drop(shard);
    fs::write(place.join("manifest"), b"damaged").unwrap();
    assert!(open(&place).is_err());
    assert_eq!(TantivyIndex::remove(&place), Ok(true));
    assert_eq!(open(&place).unwrap().checkpoint(), LogPosition::START);
}
