use super::*;
use crate::EmbeddedStore;
use crate::testing::Place;

fn connect(place: &Place) -> Connection {
    connection::writer(place.folder.path(), &place.options().file()).unwrap()
}

const STEPS: [Migration; 2] = [
    Migration { version: 1, name: "first", sql: "CREATE TABLE one (a INTEGER)" },
    Migration { version: 2, name: "second", sql: "CREATE TABLE two (a INTEGER); INSERT INTO one VALUES (5)" },
];

#[test]
fn migrating_twice_changes_nothing() {
    let place = Place::new();
    let first = migrate(&place.options()).unwrap();
    let newest = MIGRATIONS.last().unwrap().version;
    assert_eq!((first.from, first.to), (0, newest));
    assert_eq!(first.applied.len(), MIGRATIONS.len());
    let second = migrate(&place.options()).unwrap();
    assert_eq!((second.from, second.to, second.applied.len()), (newest, newest, 0));
    EmbeddedStore::open(place.options()).unwrap();
}

#[test]
fn steps_are_numbered_from_one_without_gaps() {
    for (number, migration) in (1..).zip(MIGRATIONS) {
        assert_eq!(migration.version, number);
    }
}

#[test]
fn only_what_is_missing_is_applied() {
    let place = Place::new();
    let (mut connection, file) = (connect(&place), place.options().file());
    let report = apply_list(&mut connection, &file, &*place.clock, &STEPS[..1]).unwrap();
    assert_eq!(report.applied, ["first"]);
    let report = apply_list(&mut connection, &file, &*place.clock, &STEPS).unwrap();
    assert_eq!((report.from, report.to), (1, 2));
    assert_eq!(report.applied, ["second"]);
    let rows: u32 = connection.query_row("SELECT count(*) FROM one", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
    let kept: (String, i64) = connection
        .query_row("SELECT name, applied_at FROM schema_migrations WHERE version = 2", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(kept, ("second".to_owned(), place.clock.now().millis()));
}

#[test]
fn a_step_that_fails_leaves_nothing() {
    let place = Place::new();
    let (mut connection, file) = (connect(&place), place.options().file());
    let broken = [
        Migration { version: 1, ..STEPS[0] },
        Migration {
            version: 2,
            name: "broken",
            sql: "CREATE TABLE three (a INTEGER); INSERT INTO nowhere VALUES (1)",
        },
    ];
    let error = apply_list(&mut connection, &file, &*place.clock, &broken).unwrap_err();
    assert!(matches!(error, EmbeddedError::Open { .. }), "{error:?}");
    assert_eq!(verify(&connection, &file, &STEPS).unwrap(), 1);
    assert!(connection.execute("INSERT INTO three VALUES (1)", []).is_err());
}

#[test]
fn a_changed_step_is_refused() {
    let place = Place::new();
    migrate(&place.options()).unwrap();
    let update = "UPDATE schema_migrations SET checksum = 'other' WHERE version = 1";
    connect(&place).execute(update, []).unwrap();
    let error = EmbeddedStore::open(place.options()).unwrap_err();
    let EmbeddedError::ChangedMigration { version: 1, name, .. } = &error else { panic!("{error:?}") };
    assert_eq!(name, MIGRATIONS[0].name);
    assert!(error.to_string().contains("restore a backup"), "it says what to do: {error}");
}

#[test]
fn a_newer_schema_is_refused() {
    let place = Place::new();
    migrate(&place.options()).unwrap();
    let insert = "INSERT INTO schema_migrations VALUES (999, 'future', '', 0)";
    connect(&place).execute(insert, []).unwrap();
    let error = EmbeddedStore::open(place.options()).unwrap_err();
    assert!(matches!(error, EmbeddedError::NewerSchema { found: 999, .. }), "{error:?}");
    assert!(error.to_string().contains("install a newer Tandem"), "it says what to do: {error}");
}
