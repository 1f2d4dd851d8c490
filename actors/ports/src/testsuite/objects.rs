//! What every [`ObjectStore`] promises, and its model.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::join_all;

use super::locked;
use crate::error::StoreError;
use crate::objects::ObjectStore;

#[cfg(test)]
mod tests;

const KEY: &str = "resumes/0192f0c1-7a3b-7000-8000-000000000001.pdf";
const OTHER: &str = "jobs/0192f0c1-7a3b-7000-8000-000000000001.pdf";
const MIB: usize = 1 << 20;

/// Objects in memory, under any key.
#[derive(Debug, Default)]
pub struct MemoryObjects(Mutex<HashMap<String, Bytes>>);

#[async_trait]
impl ObjectStore for MemoryObjects {
    async fn put(&self, key: &str, bytes: Bytes) -> Result<(), StoreError> {
        locked(&self.0).insert(key.to_owned(), bytes);
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        Ok(locked(&self.0).get(key).cloned())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        locked(&self.0).remove(key);
        Ok(())
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
