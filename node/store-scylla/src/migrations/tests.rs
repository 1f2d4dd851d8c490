use super::*;
use crate::ScyllaStore;
use crate::testing::Place;

#[test]
fn files_fall_into_statements_without_comments() {
    let cql = "-- a; b\nCREATE TABLE t (a int, -- c;\n PRIMARY KEY ((a)));\n\n;DROP x;\n";
    assert_eq!(statements(cql), ["CREATE TABLE t (a int, \n PRIMARY KEY ((a)))", "DROP x"]);
}

#[test]
fn every_statement_can_be_repeated() {
    for (place, migration) in (1..).zip(MIGRATIONS) {
        assert_eq!(migration.version, place);
        for statement in statements(migration.cql) {
            assert!(statement.starts_with("CREATE TABLE IF NOT EXISTS "), "{statement}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn migrating_twice_changes_nothing_and_changed_steps_are_refused() {
    let Some(place) = Place::new("migrate").await else { return };
    let last = newest(MIGRATIONS);
    let names: Vec<&str> = MIGRATIONS.iter().map(|migration| migration.name).collect();
    let error = ScyllaStore::connect(place.options.clone()).await.unwrap_err();
    assert!(matches!(error, ScyllaError::OldSchema { found: 0, needed, .. } if needed == last), "{error:?}");

    let (first, second) = futures::join!(migrate(&place.options), migrate(&place.options));
    let mut applied = [first.unwrap().applied, second.unwrap().applied];
    applied.sort();
    assert_eq!(applied, [vec![], names], "one of the two did it");
    let again = migrate(&place.options).await.unwrap();
    assert_eq!((again.from, again.to, again.applied), (last, last, vec![]));
    assert!(place.rows::<(i32,)>("SELECT id FROM @.schema_lock").await.is_empty(), "the lock is gone");

    place.ddl("UPDATE @.schema_migrations SET checksum = 'x' WHERE version = 1").await;
    let error = migrate(&place.options).await.unwrap_err();
    assert!(matches!(&error, ScyllaError::ChangedMigration { version: 1, name, .. } if name == "tables"));
    assert!(ScyllaStore::connect(place.options.clone()).await.is_err());
    place.ddl("INSERT INTO @.schema_migrations (version, name, checksum) VALUES (999, 'n', 'x')").await;
    let error = migrate(&place.options).await.unwrap_err();
    assert!(
        matches!(error, ScyllaError::NewerSchema { found: 999, known, .. } if known == last),
        "{error:?}"
    );
    place.drop_keyspace().await;
}
