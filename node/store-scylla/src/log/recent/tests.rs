use tandem_domain::document::Version;
use tandem_domain::ids::OwnerId;
use tandem_ports::documents::ChangeAction;
use tandem_ports::testsuite::samples;

use super::*;

/// Entries that tell their index.
fn entries(from: i64, count: i64) -> Vec<Change> {
    let entry = |index: i64| Change {
        owner: OwnerId::try_from("alice".to_owned()).unwrap(),
        document: samples::document_id(index.cast_unsigned()),
        version: Version::FIRST,
        action: ChangeAction::Upsert,
    };
    (from..from + count).map(entry).collect()
}

#[test]
fn what_was_read_is_given_from_any_index() {
    let recent = Recent::default();
    assert_eq!(recent.from(0, 10), []);
    assert!(!recent.ends_at(0), "nothing is known of an empty run's end");
    recent.keep(100, &entries(100, 50));
    recent.keep(140, &entries(140, 30));
    assert_eq!(recent.from(100, 1_000), entries(100, 70), "what was read twice is kept once");
    assert_eq!(recent.from(165, 3), entries(165, 3));
    assert_eq!(recent.from(99, 10), [], "before what is kept");
    assert_eq!(recent.from(170, 10), [], "behind it");
    assert!(recent.ends_at(170) && !recent.ends_at(169));
}

#[test]
fn a_jump_begins_anew_and_old_entries_change_nothing() {
    let recent = Recent::default();
    recent.keep(0, &entries(0, 5));
    recent.keep(20_000, &entries(20_000, 5));
    assert_eq!(recent.from(0, 10), [], "never two runs with a gap between");
    assert_eq!(recent.from(20_000, 10), entries(20_000, 5));
    recent.keep(10, &entries(10, 40));
    assert_eq!(recent.from(20_000, 10), entries(20_000, 5));
    assert!(recent.ends_at(20_005));
}

#[test]
fn it_stays_within_its_bound() {
    let recent = Recent::default();
    let (bound, group) = (MAX_ENTRIES as i64, 1_000);
    for first in (0..3 * bound).step_by(group as usize) {
        recent.keep(first, &entries(first, group));
    }
    let end = (3 * bound + group - 1) / group * group;
    assert!(recent.ends_at(end));
    assert_eq!(recent.from(end - bound - 1, 1), [], "the oldest are gone");
    assert_eq!(recent.from(end - bound, 2), entries(end - bound, 2));
}
