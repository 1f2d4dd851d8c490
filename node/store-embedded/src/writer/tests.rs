use std::sync::mpsc::sync_channel;

use futures::future::join_all;

use super::*;
use crate::connection;
use crate::testing::Place;

fn start(place: &Place) -> Writer {
    let lock = FolderLock::take(place.folder.path()).unwrap();
    let connection = connection::writer(place.folder.path(), &place.options().file()).unwrap();
    connection.execute_batch("CREATE TABLE IF NOT EXISTS t (n INTEGER UNIQUE)").unwrap();
    Writer::start(connection, lock).unwrap()
}

fn numbers(place: &Place) -> Vec<u32> {
    let connection = connection::reader(&place.options().file()).unwrap();
    let mut statement = connection.prepare("SELECT n FROM t ORDER BY n").unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn insert(n: u32) -> impl FnOnce(&Connection) -> Result<u32, Fault> + Send {
    move |connection| {
        connection.execute("INSERT INTO t VALUES (?)", [n])?;
        Ok(n)
    }
}

#[tokio::test]
async fn one_failure_spoils_no_other_write_of_its_group() {
    let place = Place::new();
    let writer = start(&place);
    // The first write holds the thread until all others wait: they become one group.
    let (go, gate) = sync_channel::<()>(1);
    let first = writer.write(move |_: &Connection| {
        gate.recv().map_err(|_| closed())?;
        Ok(())
    });
    let others = join_all((0..50).map(|n| {
        let writer = &writer;
        async move {
            let twice = move |connection: &Connection| {
                connection.execute("INSERT INTO t VALUES (?)", [1_000 + n])?;
                connection.execute("INSERT INTO t VALUES (?)", [n / 2])?;
                Ok(n)
            };
            writer.write(twice).await
        }
    }));
    let (first, ends, ()) = futures::join!(first, others, async move { go.send(()).unwrap() });
    assert!(matches!(first, End::Done(())));
    for (n, end) in (0u32..).zip(ends) {
        if n % 2 == 0 {
            assert!(matches!(end, End::Done(m) if m == n), "{n}: {end:?}");
        } else {
            assert!(matches!(end, End::Failed(StoreError::Unavailable(_))), "{n}: {end:?}");
        }
    }
    let expected: Vec<u32> = (0..25).chain((1_000..1_050).step_by(2)).collect();
    assert_eq!(numbers(&place), expected, "a failed write is undone whole, the others stand");
}

#[tokio::test]
async fn a_write_that_nobody_waits_for_is_done() {
    let place = Place::new();
    let writer = start(&place);
    let write = writer.write(insert(7));
    tokio::select! {
        biased;
        end = write => panic!("it cannot have ended at the first poll: {end:?}"),
        () = std::future::ready(()) => {}
    }
    writer.close();
    assert_eq!(numbers(&place), [7]);
    assert!(matches!(writer.write(insert(8)).await, End::Failed(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn many_more_writes_than_places_are_all_answered() {
    let place = Place::new();
    let writer = start(&place);
    let count = 4 * (WAITING + GROUP) as u32;
    let ends = join_all((0..count).map(|n| writer.write(insert(n)))).await;
    assert!(ends.iter().all(|end| matches!(end, End::Done(_))));
    assert_eq!(numbers(&place), (0..count).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_end_is_seen_even_if_nobody_waits() {
    let place = Place::new();
    let writer = start(&place);
    let (seen, ends) = sync_channel(2);
    let then = move |end: &End<u32>| seen.send(matches!(end, End::Done(3))).unwrap();
    drop(futures::poll!(std::pin::pin!(writer.write_then(insert(3), then))));
    assert!(ends.recv().unwrap());
}
