//! Objects in a bucket.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, Error, ObjectStore as _, ObjectStoreExt as _, PutMode, RetryConfig,
};
use tandem_ports::objects::{ObjectEntry, PutGrant, SignedPut};
use tandem_ports::{ObjectStore, StoreError};
use tokio::time::timeout;

use crate::error::ObjectsError;
use crate::key;
use crate::options::S3Options;

mod fault;
mod sign;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use fault::{Fault, Place};

/// The wait before the first retry; doubles, with chance in it.
const BACK_OFF_FIRST: Duration = Duration::from_millis(100);
/// The longest wait before a retry.
const BACK_OFF_MOST: Duration = Duration::from_secs(2);
/// What [`S3Objects::check`] writes, reads and deletes. Many nodes may do so at once: it is the same for all.
const PROBE: (&str, &[u8]) = ("check/0.txt", b"written by a node that starts, to see whether it may");

/// Objects in a bucket of S3, R2 or another server of the same API. A put replaces the object whole, as the API promises;
/// what failed by the server or the network is tried again within the limits of [`S3Options`].
pub struct S3Objects {
    bucket: AmazonS3,
    /// The same as others reach it.
    signer: AmazonS3,
    prefix: Path,
    place: Place,
    limit: Duration,
}

impl S3Objects {
    /// Prepares for using a bucket; nothing is sent yet. TLS is that of the process's default provider of rustls, which
    /// becomes ring if there is none yet.
    ///
    /// # Errors
    /// [`ObjectsError::Options`], which names the option and never a secret.
    pub fn open(options: S3Options) -> Result<Self, ObjectsError> {
        options.check()?;
        // reqwest asks for it and panics without. An error says that there is one.
        rustls::crypto::ring::default_provider().install_default().ok();
        let limit = options.limit();
        let bucket = build(&options, options.full_endpoint())?;
        let signer = match options.full_public_endpoint() {
            Some(endpoint) => build(&options, Some(endpoint))?,
            None => bucket.clone(),
        };
        let prefix = Path::parse(options.prefix.trim_end_matches('/')).map_err(|_| unusable("prefix"))?;
        let place = Place { endpoint: options.shown_endpoint(), bucket: options.bucket };
        Ok(Self { bucket, signer, prefix, place, limit })
    }

    /// Deletes, misses, writes and reads a small object, to find out at the start what would fail later.
    ///
    /// # Errors
    /// [`ObjectsError::Bucket`], which names the endpoint, the bucket and what to check.
    pub async fn check(&self) -> Result<(), ObjectsError> {
        let (key, bytes) = PROBE;
        let path = self.path(key).map_err(|error| ObjectsError::Bucket(error.to_string()))?;
        let probe = async {
            self.remove(&path).await?;
            // A key that may not list a bucket is refused instead of told that an object is absent.
            self.read(&path).await?;
            self.write(&path, Bytes::from_static(bytes)).await?;
            // Another node may delete it in between.
            self.read(&path).await?;
            self.remove(&path).await
        };
        probe.await.map_err(|fault| ObjectsError::Bucket(fault.text))
    }

    fn path(&self, key: &str) -> Result<Path, StoreError> {
        let key = key::path(key)?;
        Ok(self.prefix.parts().chain(key.parts()).collect())
    }

    async fn write(&self, path: &Path, bytes: Bytes) -> Result<(), Fault> {
        let put = self.bucket.put(path, bytes.into());
        self.bounded("writing", put).await.map(|_| ())
    }

    async fn write_new(&self, path: &Path, bytes: Bytes) -> Result<bool, Fault> {
        let put = async {
            match self.bucket.put_opts(path, bytes.into(), PutMode::Create.into()).await {
                Err(Error::AlreadyExists { .. }) => Ok(false),
                done => done.map(|_| true),
            }
        };
        self.bounded("writing", put).await
    }

    async fn read(&self, path: &Path) -> Result<Option<Bytes>, Fault> {
        let read = self.bounded("reading", async { self.bucket.get(path).await?.bytes().await });
        or_absent(read.await.map(Some))
    }

    /// The answer to HEAD has no body, and so does not say whether it is the object that is absent.
    async fn measure(&self, path: &Path) -> Result<Option<u64>, Fault> {
        let found = self.bounded("looking", self.bucket.get(path)).await;
        or_absent(found.map(|found| Some(found.meta.size)))
    }

    async fn remove(&self, path: &Path) -> Result<(), Fault> {
        let removed = self.bounded("deleting", self.bucket.delete(path));
        // Some servers say so of what is not there.
        or_absent(removed.await.map(Some)).map(|_| ())
    }

    /// A step within the limit of a whole operation: each request has its own, the retries together have this one.
    async fn bounded<T>(
        &self,
        step: &'static str,
        work: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, Fault> {
        match timeout(self.limit, work).await {
            Ok(done) => done.map_err(|error| Fault::new(&self.place, step, &error)),
            Err(_) => Err(Fault::late(&self.place, step, self.limit)),
        }
    }
}

/// A client of the bucket at this endpoint.
fn build(options: &S3Options, endpoint: Option<String>) -> Result<AmazonS3, ObjectsError> {
    let client = ClientOptions::new()
        .with_allow_http(options.allow_http)
        .with_connect_timeout(options.connect_timeout)
        .with_timeout(options.request_timeout);
    let retry = RetryConfig {
        backoff: BackoffConfig { init_backoff: BACK_OFF_FIRST, max_backoff: BACK_OFF_MOST, base: 2.0 },
        max_retries: options.retries as usize,
        retry_timeout: options.limit(),
    };
    let mut builder = AmazonS3Builder::new()
        .with_client_options(client)
        .with_retry(retry)
        .with_region(&options.region)
        .with_bucket_name(&options.bucket)
        .with_access_key_id(&options.access_key_id)
        .with_secret_access_key(&options.secret_access_key)
        .with_virtual_hosted_style_request(!options.path_style)
        // Not every server knows how to delete many.
        .with_disable_bulk_delete(true);
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    builder.build().map_err(|_| unusable("endpoint"))
}

fn unusable(what: &str) -> ObjectsError {
    ObjectsError::Options(format!("the {what} of the bucket cannot be used"))
}

fn or_absent<T>(done: Result<Option<T>, Fault>) -> Result<Option<T>, Fault> {
    match done {
        Err(fault) if fault.is_absent() => Ok(None),
        done => done,
    }
}

#[async_trait]
impl ObjectStore for S3Objects {
    async fn put(&self, key: &str, bytes: Bytes) -> Result<(), StoreError> {
        Ok(self.write(&self.path(key)?, bytes).await?)
    }

    async fn put_new(&self, key: &str, bytes: Bytes) -> Result<bool, StoreError> {
        Ok(self.write_new(&self.path(key)?, bytes).await?)
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        Ok(self.read(&self.path(key)?).await?)
    }

    async fn size(&self, key: &str) -> Result<Option<u64>, StoreError> {
        Ok(self.measure(&self.path(key)?).await?)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        Ok(self.remove(&self.path(key)?).await?)
    }

    async fn list(&self, folder: &str, most: usize) -> Result<Vec<ObjectEntry>, StoreError> {
        let path: Path = self.prefix.parts().chain(key::folder(folder)?.parts()).collect();
        let found = self.bucket.list(Some(&path)).take(most).try_collect::<Vec<_>>();
        let found = self.bounded("listing", found).await?;
        Ok(found.iter().filter_map(|found| key::entry(folder, &path, found)).collect())
    }

    async fn sign_put(&self, grant: PutGrant<'_>) -> Result<Option<SignedPut>, StoreError> {
        let path = self.path(grant.key)?;
        let signed = self.bounded("signing", sign::put(&self.signer, &path, grant)).await?;
        Ok(Some(signed))
    }
}

impl fmt::Debug for S3Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Objects")
            .field("place", &self.place)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
