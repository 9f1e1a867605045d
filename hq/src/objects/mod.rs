//! Immutable objects by name, in a folder or a bucket, behind plain blocking calls.
//!
//! Whatever a call returned `Ok` for is durable: a bucket says so itself, and in a folder
//! `object_store` syncs the data before the rename and the folder after it (`with_fsync`), also the
//! folders that it makes. An object appears whole or not at all. Nothing holds a whole large object
//! in memory: [`Upload`] and [`Objects::read`] go step by step.

mod place;
mod upload;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{
    BackoffConfig, ClientOptions, ObjectMeta, ObjectStore, ObjectStoreExt as _, RetryConfig,
};
use sha2::{Digest as _, Sha256};
use sync_model::hash::Hash;
use sync_model::time::Timestamp;
use tokio::runtime::Runtime;

use crate::durable;
use crate::error::HqError;

pub(crate) use place::SETTING;
pub use place::{Bucket, Place, PlaceError};
pub(crate) use upload::Upload;

/// Bytes read at once; also the memory that a reader takes.
const READ_BYTES: u64 = 4 * 1024 * 1024;
/// Bytes written at once to a folder.
const FOLDER_STEP: usize = 1024 * 1024;
/// Bytes of one part of a multipart upload: the least that S3 takes.
const BUCKET_STEP: usize = 5 * 1024 * 1024;
/// How long a bucket is asked again before the device hears that HQ cannot just now.
const BUCKET_PATIENCE: Duration = Duration::from_secs(20);
/// Most threads that touch the folder at once.
const FOLDER_THREADS_MAX: usize = 16;

/// An open place.
pub(crate) struct Objects {
    store: Arc<dyn ObjectStore>,
    /// Runs the calls; taken when the place is closed.
    runtime: Option<Runtime>,
    /// Bytes that an upload holds back.
    step: usize,
    /// Where the objects lie if they are files of this machine.
    folder: Option<PathBuf>,
}

/// What is known of an object without reading it.
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) changed_at: Timestamp,
}

impl Objects {
    /// Opens the place; a folder is made.
    pub(crate) fn open(place: &Place) -> Result<Self, HqError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(FOLDER_THREADS_MAX)
            .thread_name("hq-objects")
            .enable_all()
            .build()
            .map_err(HqError::io("start runtime"))?;
        let (store, step, folder): (Arc<dyn ObjectStore>, usize, Option<PathBuf>) = match place {
            Place::Folder(folder) => {
                durable::create_folder(folder).map_err(HqError::io("create object folder"))?;
                let opened = LocalFileSystem::new_with_prefix(folder)
                    .map_err(failed("open object folder"))?
                    .with_fsync(true);
                (Arc::new(opened), FOLDER_STEP, Some(folder.clone()))
            }
            Place::S3(bucket) => (bucket_store(bucket)?, BUCKET_STEP, None),
        };
        Ok(Self { store, runtime: Some(runtime), step, folder })
    }

    fn wait<T>(&self, call: impl Future<Output = T>) -> Result<T, HqError> {
        let closed = || HqError::io("object store")(io::Error::other("object store is closed"));
        Ok(self.runtime.as_ref().ok_or_else(closed)?.block_on(call))
    }

    /// Returns the folder if the objects are files of this machine.
    pub(crate) fn folder(&self) -> Option<&std::path::Path> {
        self.folder.as_deref()
    }

    /// Writes a small object, whole and durable.
    pub(crate) fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), HqError> {
        self.wait(self.store.put(&Path::from(name), bytes.into()))?
            .map(drop)
            .map_err(failed("write object"))
    }

    /// Starts an object of any size.
    pub(crate) fn upload(&self, name: &str) -> Upload<'_> {
        Upload::new(self, name)
    }

    /// Returns length and time of an object; `None` if it is not there.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Found>, HqError> {
        match self.wait(self.store.head(&Path::from(name)))? {
            Ok(meta) => Ok(Some(found(&meta))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed("look at object")(error)),
        }
    }

    /// Returns a whole object of at most `max` bytes; `None` if it is not there.
    pub(crate) fn get(&self, name: &str, max: u64) -> Result<Option<Vec<u8>>, HqError> {
        let read = async {
            let found = self.store.get(&Path::from(name)).await?;
            if found.meta.size > max {
                return Ok(None);
            }
            Ok(Some(found.bytes().await?))
        };
        match self.wait(read)? {
            Ok(Some(bytes)) => Ok(Some(bytes.into())),
            Ok(None) => {
                Err(HqError::io("read object")(io::Error::other(format!("{name} is too large"))))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed("read object")(error)),
        }
    }

    /// Hands the first `length` bytes of an object to `each`, piece by piece.
    ///
    /// # Errors
    /// Also if the object is not there or is shorter.
    pub(crate) fn read(
        &self,
        name: &str,
        length: u64,
        mut each: impl FnMut(&[u8]) -> Result<(), HqError>,
    ) -> Result<(), HqError> {
        let path = Path::from(name);
        let mut start = 0_u64;
        while start < length {
            let end = length.min(start.saturating_add(READ_BYTES));
            let piece = self
                .wait(self.store.get_range(&path, start..end))?
                .map_err(failed("read object"))?;
            if u64::try_from(piece.len()) != Ok(end - start) {
                let short = io::Error::from(io::ErrorKind::UnexpectedEof);
                return Err(HqError::io("read object")(short));
            }
            each(&piece)?;
            start = end;
        }
        Ok(())
    }

    /// Returns hash and length of an object without holding it in memory; `None` if it is not
    /// there.
    pub(crate) fn hash(&self, name: &str) -> Result<Option<(Hash, u64)>, HqError> {
        let Some(found) = self.find(name)? else { return Ok(None) };
        let mut digest = Sha256::new();
        self.read(name, found.bytes, |piece| {
            digest.update(piece);
            Ok(())
        })?;
        Ok(Some((Hash(digest.finalize().into()), found.bytes)))
    }

    /// Removes an object; one that is not there is removed already.
    pub(crate) fn remove(&self, name: &str) -> Result<(), HqError> {
        match self.wait(self.store.delete(&Path::from(name)))? {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed("remove object")(error)),
        }
    }

    /// Hands every object below `prefix` to `each`.
    pub(crate) fn list(
        &self,
        prefix: &str,
        mut each: impl FnMut(Found) -> Result<(), HqError>,
    ) -> Result<(), HqError> {
        let mut listed = self.store.list(Some(&Path::from(prefix)));
        while let Some(meta) = self.wait(listed.try_next())?.map_err(failed("list objects"))? {
            each(found(&meta))?;
        }
        Ok(())
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // The last handle may go away on a thread that must not block.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn bucket_store(bucket: &Bucket) -> Result<Arc<dyn ObjectStore>, HqError> {
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(&bucket.bucket)
        .with_region(&bucket.region)
        .with_retry(RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: 5,
            retry_timeout: BUCKET_PATIENCE,
        })
        .with_client_options(
            ClientOptions::new()
                .with_timeout(BUCKET_PATIENCE)
                .with_connect_timeout(Duration::from_secs(5)),
        );
    if let Some(endpoint) = &bucket.endpoint {
        builder = builder
            .with_endpoint(endpoint)
            // Plain HTTP only where the operator wrote it.
            .with_allow_http(endpoint.starts_with("http://"));
    }
    let store = builder.build().map_err(failed("open bucket"))?;
    Ok(if bucket.prefix.is_empty() {
        Arc::new(store)
    } else {
        Arc::new(PrefixStore::new(store, bucket.prefix.as_str()))
    })
}

fn found(meta: &ObjectMeta) -> Found {
    Found {
        name: meta.location.to_string(),
        bytes: meta.size,
        changed_at: Timestamp(meta.last_modified.timestamp_millis()),
    }
}

/// Wraps an error of the object store; a full disk stays recognizable below it.
fn failed(what: &'static str) -> impl FnOnce(object_store::Error) -> HqError {
    move |error| {
        let missing = matches!(error, object_store::Error::NotFound { .. });
        let mut kind = if missing { io::ErrorKind::NotFound } else { io::ErrorKind::Other };
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(found) = cause {
            if let Some(found) = found.downcast_ref::<io::Error>() {
                kind = found.kind();
            }
            cause = found.source();
        }
        HqError::io(what)(io::Error::new(kind, error))
    }
}
