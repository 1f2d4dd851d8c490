//! Lists of ids, newest first, in partitions of bounded size; and merging what lies in several partitions.

use futures::future::try_join_all;
use tandem_domain::ids::OwnerId;
use tandem_ports::StoreError;
use uuid::Uuid;

use crate::store::ScyllaStore;

const BUCKETS: &str = "list_buckets";
const ENTRIES: &str = "list_entries";

/// Ids of version 7 begin with 48 bits of milliseconds. A bucket holds 2^22 of them, 70 minutes: at 20 new entries a
/// second 84,000 rows of under 100 bytes, and an owner who is never idle has 7,500 buckets a year.
const BUCKET_SHIFT: u32 = 128 - 48 + 22;
/// Buckets that are read at once.
const WAVE: i32 = 16;
/// Above every id: they have 16 bytes.
const ABOVE_ALL: [u8; 17] = [0xFF; 17];

/// The bucket of an id, `0..2^26`.
pub(crate) fn bucket_of(id: Uuid) -> i64 {
    i64::try_from(id.as_u128() >> BUCKET_SHIFT).unwrap_or(i64::MAX)
}

/// Where a list is read on.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    bucket: i64,
    below: Vec<u8>,
}

impl Place {
    /// Behind this id, or at the newest.
    pub(crate) fn behind(after: Option<Uuid>) -> Self {
        after.map_or_else(
            || Self { bucket: i64::MAX, below: ABOVE_ALL.to_vec() },
            |id| Self { bucket: bucket_of(id), below: id.into_bytes().to_vec() },
        )
    }
}

impl ScyllaStore {
    /// Puts an id into a list: its bucket first, so that no entry lies where nobody looks.
    pub(crate) async fn add_to_list(&self, owner: &OwnerId, space: i32, id: Uuid) -> Result<(), StoreError> {
        let (statements, bucket) = (&self.statements().lists, bucket_of(id));
        self.run(&statements.add_bucket, (owner.as_str(), space, bucket)).await?;
        let entry = (owner.as_str(), space, bucket, &id.into_bytes()[..]);
        self.run(&statements.add_entry, entry).await?;
        Ok(())
    }

    /// Takes an id out of a list; its bucket stays for the others.
    pub(crate) async fn drop_from_list(
        &self,
        owner: &OwnerId,
        space: i32,
        id: Uuid,
    ) -> Result<(), StoreError> {
        let entry = (owner.as_str(), space, bucket_of(id), &id.into_bytes()[..]);
        self.run(&self.statements().lists.drop_entry, entry).await.map(drop)
    }

    /// The next ids of a list, newest first, about `wanted` of them, and where it goes on; `None` = nowhere.
    pub(crate) async fn list_ids(
        &self,
        owner: &OwnerId,
        space: i32,
        place: &Place,
        wanted: usize,
    ) -> Result<(Vec<Uuid>, Option<Place>), StoreError> {
        let (statements, limit) = (&self.statements().lists, i32::try_from(wanted).unwrap_or(i32::MAX));
        let key = (owner.as_str(), space, place.bucket, WAVE);
        let buckets: Vec<(i64,)> = self.rows_of(BUCKETS, &statements.buckets, key).await?;
        let reads = buckets.iter().map(|&(bucket,)| async move {
            let below = if bucket == place.bucket { &place.below[..] } else { &ABOVE_ALL[..] };
            let key = (owner.as_str(), space, bucket, below, limit);
            let entries: Vec<(Vec<u8>,)> = self.rows_of(ENTRIES, &statements.entries, key).await?;
            Ok::<_, StoreError>((bucket, entries))
        });
        let (mut ids, mut next) = (Vec::new(), None);
        for (bucket, entries) in try_join_all(reads).await? {
            let full = entries.len() >= wanted;
            next = entries
                .last()
                .filter(|_| full)
                .map_or(Some(Place { bucket: bucket - 1, below: ABOVE_ALL.to_vec() }), |(last,)| {
                    Some(Place { bucket, below: last.clone() })
                });
            for (id,) in entries {
                ids.push(uuid(ENTRIES, &id)?);
            }
            if full {
                return Ok((ids, next));
            }
        }
        let more = buckets.len() == WAVE as usize;
        Ok((ids, next.filter(|_| more)))
    }
}

/// An id's bytes as an id.
pub(crate) fn uuid(table: &'static str, bytes: &[u8]) -> Result<Uuid, StoreError> {
    Uuid::from_slice(bytes).map_err(|error| crate::error::corrupt(table, error))
}

/// Merges sorted pages of at most `size` entries into one sorted list that leaves nothing out: behind the end of a full
/// page its partition is unknown, so the list ends at the lowest such end. The flag says whether there may be more.
pub(crate) fn merged<T, K: Ord>(pages: Vec<Vec<T>>, size: usize, key: impl Fn(&T) -> K) -> (Vec<T>, bool) {
    let horizon =
        pages.iter().filter(|page| page.len() >= size).filter_map(|page| page.last().map(&key)).min();
    let mut all: Vec<T> = pages
        .into_iter()
        .flatten()
        .filter(|entry| horizon.as_ref().is_none_or(|horizon| key(entry) <= *horizon))
        .collect();
    all.sort_by_key(&key);
    (all, horizon.is_some())
}
