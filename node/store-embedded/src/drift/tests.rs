use rusqlite::Connection;

use super::*;
use crate::migrate;
use crate::testing::Place;

fn change(place: &Place, sql: &str) {
    Connection::open(place.options().file()).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_migrated_file_does_not_differ_and_each_change_is_named() {
    let place = Place::new();
    migrate(&place.options()).unwrap();
    assert_eq!(drift(&place.options()).unwrap(), []);
    change(
        &place,
        "CREATE TABLE foreign_rows (id INTEGER); ALTER TABLE queue ADD COLUMN extra TEXT; DROP TABLE dead_letters;",
    );
    let found = drift(&place.options()).unwrap();
    for expected in [
        Difference::Missing("table dead_letters".to_owned()),
        Difference::Unexpected("table foreign_rows".to_owned()),
        Difference::Changed("table queue".to_owned()),
    ] {
        assert!(found.contains(&expected), "{expected}: {found:?}");
    }
}

#[test]
fn a_file_that_is_not_there_is_an_error_and_is_not_made() {
    let place = Place::new();
    assert!(drift(&place.options()).is_err());
    assert!(!place.options().file().exists());
}
