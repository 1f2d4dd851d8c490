use super::*;
use crate::migrate;
use crate::testing::Place;

#[test]
fn a_table_is_read_from_its_statement() {
    let statement = "CREATE TABLE IF NOT EXISTS t (
        a text, b int, c bigint, s blob static, v blob, PRIMARY KEY ((a, b), c)) WITH CLUSTERING ORDER BY (c DESC)";
    let (name, columns) = table(statement).unwrap();
    assert_eq!(name, "t");
    let columns: Vec<(&str, &str)> =
        columns.iter().map(|(name, kind)| (name.as_str(), kind.as_str())).collect();
    let expected = [
        ("a", "text, partition 0"),
        ("b", "int, partition 1"),
        ("c", "bigint, clustering 0 desc"),
        ("s", "blob, static"),
        ("v", "blob"),
    ];
    assert_eq!(columns, expected);
}

#[test]
fn every_statement_of_the_migrations_is_understood() {
    let count: usize = MIGRATIONS.iter().map(|migration| statements(migration.cql).len()).sum();
    assert_eq!(expected().len(), count + statements(OWN_TABLES).len());
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_names_each_difference() {
    let Some(place) = Place::new("drift").await else { return };
    migrate(&place.options).await.unwrap();
    assert_eq!(drift(&place.options).await.unwrap(), [], "what was just migrated");

    place.ddl("ALTER TABLE @.documents DROP body").await;
    place.ddl("ALTER TABLE @.parts ADD extra int").await;
    place.ddl("DROP TABLE @.runs").await;
    place.ddl("CREATE TABLE @.strange (a int PRIMARY KEY)").await;
    place.ddl("DROP TABLE @.list_entries").await;
    let other = "CREATE TABLE @.list_entries (
        owner text, space int, bucket bigint, id blob, PRIMARY KEY ((owner, space, bucket), id))";
    place.ddl(other).await;
    let found: Vec<String> = drift(&place.options).await.unwrap().iter().map(ToString::to_string).collect();
    let expected = [
        "column documents.body is missing",
        "column list_entries.id is blob, clustering 0 asc, expected blob, clustering 0 desc",
        "column parts.extra is not Tandem's",
        "table runs is missing",
        "table strange is not Tandem's",
    ];
    assert_eq!(found, expected);
    place.drop_keyspace().await;
}
