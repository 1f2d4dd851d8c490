//! What every [`ObjectStore`] promises, and its model.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::join_all;
use tandem_domain::time::Timestamp;

use super::locked;
use crate::clock::Clock;
use crate::error::StoreError;
use crate::objects::{ObjectEntry, ObjectStore, PutGrant, SignedPut};

#[cfg(test)]
mod tests;

const KEY: &str = "resumes/0192f0c1-7a3b-7000-8000-000000000001.pdf";
const OTHER: &str = "jobs/0192f0c1-7a3b-7000-8000-000000000001.pdf";
const MIB: usize = 1 << 20;

/// Objects in memory, under any key.
#[derive(Default)]
pub struct MemoryObjects {
    objects: Mutex<BTreeMap<String, (Bytes, Timestamp)>>,
    /// Without one everything was put at the epoch.
    clock: Option<Arc<dyn Clock>>,
    signs: bool,
}

impl MemoryObjects {
    /// Objects that were put when this clock says.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self { clock: Some(clock), ..Self::default() }
    }

    /// The same, as a store that signs requests: to addresses that are nobody's.
    #[must_use]
    pub fn signing(self) -> Self {
        Self { signs: true, ..self }
    }

    fn keep(&self, bytes: Bytes) -> (Bytes, Timestamp) {
        (bytes, self.clock.as_ref().map(|clock| clock.now()).unwrap_or_default())
    }
}

#[async_trait]
impl ObjectStore for MemoryObjects {
    async fn put(&self, key: &str, bytes: Bytes) -> Result<(), StoreError> {
        let kept = self.keep(bytes);
        locked(&self.objects).insert(key.to_owned(), kept);
        Ok(())
    }

    async fn put_new(&self, key: &str, bytes: Bytes) -> Result<bool, StoreError> {
        let kept = self.keep(bytes);
        let mut objects = locked(&self.objects);
        let is_new = !objects.contains_key(key);
        if is_new {
            objects.insert(key.to_owned(), kept);
        }
        Ok(is_new)
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        Ok(locked(&self.objects).get(key).map(|(bytes, _)| bytes.clone()))
    }

    async fn size(&self, key: &str) -> Result<Option<u64>, StoreError> {
        Ok(locked(&self.objects).get(key).map(|(bytes, _)| bytes.len() as u64))
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        locked(&self.objects).remove(key);
        Ok(())
    }

    async fn list(&self, folder: &str, most: usize) -> Result<Vec<ObjectEntry>, StoreError> {
        let objects = locked(&self.objects);
        let inside = |key: &str| key.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        let found = objects.iter().filter(|(key, _)| inside(key)).take(most);
        let entry = |(key, (bytes, put_at)): (&String, &(Bytes, Timestamp))| ObjectEntry {
            key: key.clone(),
            size: bytes.len() as u64,
            put_at: *put_at,
        };
        Ok(found.map(entry).collect())
    }

    async fn sign_put(&self, grant: PutGrant<'_>) -> Result<Option<SignedPut>, StoreError> {
        let url = format!("https://objects.example.org/{}?signature=s", grant.key);
        let headers = vec![("content-type".to_owned(), grant.media_type.to_owned())];
        Ok(self.signs.then_some(SignedPut { url, headers }))
    }
}

/// Runs the whole suite; `make` gives an empty store.
///
/// # Panics
/// At the first broken promise.
pub async fn contract(make: &dyn Fn() -> Arc<dyn ObjectStore>) {
    an_object_is_kept_replaced_and_forgotten(&*make()).await;
    empty_and_large_objects_are_kept(&*make()).await;
    a_reader_sees_the_old_or_the_new_object(&*make()).await;
    many_objects_are_kept_at_once(&*make()).await;
    what_is_there_is_not_put_as_new(&*make()).await;
    a_folder_is_listed(&*make()).await;
}

async fn an_object_is_kept_replaced_and_forgotten(store: &dyn ObjectStore) {
    assert_eq!(store.get(KEY).await.unwrap(), None);
    store.delete(KEY).await.unwrap();
    store.put(KEY, Bytes::from_static(b"first")).await.unwrap();
    store.put(OTHER, Bytes::from_static(b"other")).await.unwrap();
    assert_eq!(store.get(KEY).await.unwrap().as_deref(), Some(&b"first"[..]));
    store.put(KEY, Bytes::from_static(b"2")).await.unwrap();
    assert_eq!(store.get(KEY).await.unwrap().as_deref(), Some(&b"2"[..]), "replaced whole");

    store.delete(KEY).await.unwrap();
    assert_eq!(store.get(KEY).await.unwrap(), None);
    store.delete(KEY).await.unwrap();
    assert_eq!(store.get(OTHER).await.unwrap().as_deref(), Some(&b"other"[..]));
    store.put(KEY, Bytes::from_static(b"again")).await.unwrap();
    assert_eq!(store.get(KEY).await.unwrap().as_deref(), Some(&b"again"[..]));
}

async fn empty_and_large_objects_are_kept(store: &dyn ObjectStore) {
    store.put(KEY, Bytes::new()).await.unwrap();
    assert_eq!(store.get(KEY).await.unwrap(), Some(Bytes::new()));
    let large: Bytes = (0..10 * MIB).map(|n| (n % 251) as u8).collect::<Vec<_>>().into();
    store.put(KEY, large.clone()).await.unwrap();
    assert!(store.get(KEY).await.unwrap() == Some(large), "ten MiB come back as they went");
}

async fn a_reader_sees_the_old_or_the_new_object(store: &dyn ObjectStore) {
    let whole = |byte: u8| Bytes::from(vec![byte; MIB]);
    store.put(KEY, whole(0)).await.unwrap();
    let writes = join_all((1..=16).map(|byte| store.put(KEY, whole(byte))));
    let reads = join_all((0..64).map(|_| store.get(KEY)));
    let (written, read) = futures::join!(writes, reads);
    written.into_iter().for_each(|write| write.unwrap());
    for object in read {
        let object = object.unwrap().unwrap();
        assert_eq!(object.len(), MIB);
        assert!(object.iter().all(|byte| *byte == object[0]), "a mix of two objects was read");
    }
}

async fn many_objects_are_kept_at_once(store: &dyn ObjectStore) {
    let key = |n: u8| format!("jobs/0192f0c1-7a3b-7000-8000-0000000000{n:02x}.txt");
    let writes = join_all((0..50).map(|n| {
        let key = key(n);
        async move { store.put(&key, Bytes::from(vec![n; 100])).await }
    }));
    writes.await.into_iter().for_each(|write| write.unwrap());
    for n in 0..50 {
        assert_eq!(store.get(&key(n)).await.unwrap(), Some(Bytes::from(vec![n; 100])));
    }
}

async fn what_is_there_is_not_put_as_new(store: &dyn ObjectStore) {
    assert_eq!(store.size(KEY).await.unwrap(), None);
    assert!(store.put_new(KEY, Bytes::from_static(b"first")).await.unwrap());
    assert!(!store.put_new(KEY, Bytes::from_static(b"2")).await.unwrap());
    assert_eq!(store.get(KEY).await.unwrap().as_deref(), Some(&b"first"[..]), "it stays");
    assert_eq!(store.size(KEY).await.unwrap(), Some(5));
    store.delete(KEY).await.unwrap();
    assert!(store.put_new(KEY, Bytes::new()).await.unwrap());
    assert_eq!(store.size(KEY).await.unwrap(), Some(0));
}

async fn a_folder_is_listed(store: &dyn ObjectStore) {
    assert_eq!(store.list("jobs", 10).await.unwrap(), [], "a folder without objects is empty");
    store.put(KEY, Bytes::from_static(b"of another folder")).await.unwrap();
    for n in 0..3 {
        store.put(&format!("jobs/0{n}.txt"), Bytes::from(vec![n; usize::from(n)])).await.unwrap();
    }
    let mut listed = store.list("jobs", 10).await.unwrap();
    listed.sort_by(|a, b| a.key.cmp(&b.key));
    let shown: Vec<(&str, u64)> = listed.iter().map(|entry| (entry.key.as_str(), entry.size)).collect();
    assert_eq!(shown, [("jobs/00.txt", 0), ("jobs/01.txt", 1), ("jobs/02.txt", 2)]);
    assert_eq!(store.list("jobs", 2).await.unwrap().len(), 2);
    assert_eq!(store.list("job", 10).await.unwrap(), [], "a folder is a whole name");
    store.delete("jobs/01.txt").await.unwrap();
    assert_eq!(store.list("jobs", 10).await.unwrap().len(), 2);
}
