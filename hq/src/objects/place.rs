//! Where objects lie: a folder, or a bucket of any S3-compatible store.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use thiserror::Error;

use crate::error::{AdminError, HqError};
use crate::hq::Hq;
use crate::log;
use crate::store::{Store, StoreError, Table};

/// Setting: where the objects lie, if not in the data folder.
pub(crate) const SETTING: &str = "objects";
/// Folder in the data folder where they lie otherwise.
const DEFAULT: &str = "blobs";

/// A folder, or `s3://bucket/prefix?endpoint=URL&region=NAME`. Credentials are never part of it:
/// they come from the environment (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A folder of this machine or of a network file system that honors fsync.
    Folder(PathBuf),
    /// A bucket.
    S3(Bucket),
}

/// A part of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Name.
    pub bucket: String,
    /// Put before every object name; may be empty.
    pub prefix: String,
    /// Address of the store; AWS itself if absent.
    pub endpoint: Option<String>,
    /// Region; many compatible stores ignore it.
    pub region: String,
}

/// Why a text names no place.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PlaceError {
    /// No bucket.
    #[error("no bucket: write s3://bucket/prefix?endpoint=https://host:port")]
    NoBucket,
    /// Another scheme.
    #[error("{0:?} is neither a folder nor s3://…")]
    Scheme(String),
    /// A setting nobody knows.
    #[error("{0:?} is not a setting of an s3 place: endpoint and region are")]
    Setting(String),
    /// No path.
    #[error("the place is empty")]
    Empty,
}

impl Place {
    /// Returns where the objects of this store lie.
    pub(crate) fn of_store(store: &Store, data: &Path) -> Result<Self, HqError> {
        let set = store.read::<_, HqError>(|tx| Ok(tx.setting(SETTING)?))?;
        let place = set.map(|text| text.parse()).transpose();
        let place = place.map_err(|_| StoreError::Damaged("objects setting"))?;
        Ok(place.unwrap_or_else(|| Self::Folder(data.join(DEFAULT))))
    }
}

impl Hq {
    /// Sets where files and the published log lie, for every process on this store; it holds from
    /// the next start on. A place is set before the first file arrives.
    ///
    /// # Errors
    /// [`AdminError::OutOfRange`] if files lie elsewhere already: they must be copied first.
    pub fn set_objects(&self, place: &Place) -> Result<(), HqError> {
        if *place == self.0.place {
            return Ok(());
        }
        let text = place.to_string();
        self.0.store.write(move |tx| {
            if tx.count(Table::Blob)? > 0 {
                return Err(AdminError::OutOfRange(
                    "files lie at another place: copy them there, then run `objects --moved yes`",
                )
                .into());
            }
            // The published log follows from the store, and is written there anew.
            tx.forget_progress(log::FILES)?;
            Ok(tx.set(SETTING, &text)?)
        })
    }

    /// As [`Hq::set_objects`], after an operator copied every object there.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn moved_objects(&self, place: &Place) -> Result<(), HqError> {
        let text = place.to_string();
        self.0.store.write(move |tx| Ok(tx.set(SETTING, &text)?))
    }
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let Some(rest) = text.strip_prefix("s3://") else {
            return match text {
                "" => Err(PlaceError::Empty),
                text if text.contains("://") => Err(PlaceError::Scheme(text.to_owned())),
                text => Ok(Self::Folder(text.into())),
            };
        };
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        if bucket.is_empty() {
            return Err(PlaceError::NoBucket);
        }
        let mut found = Bucket {
            bucket: bucket.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
            endpoint: None,
            region: "us-east-1".to_owned(),
        };
        for setting in query.split('&').filter(|setting| !setting.is_empty()) {
            match setting.split_once('=') {
                Some(("endpoint", url)) => found.endpoint = Some(url.to_owned()),
                Some(("region", name)) => found.region = name.to_owned(),
                _ => return Err(PlaceError::Setting(setting.to_owned())),
            }
        }
        Ok(Self::S3(found))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::S3(s3) => {
                write!(f, "s3://{}/{}?region={}", s3.bucket, s3.prefix, s3.region)?;
                s3.endpoint.as_ref().map_or(Ok(()), |url| write!(f, "&endpoint={url}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_folder_or_a_bucket_and_reads_back_as_it_is_written() {
        for text in [
            "/var/lib/xunzheng/blobs",
            "s3://evidence/hq?region=cn-east-1&endpoint=http://127.0.0.1:9000",
            "s3://evidence/?region=us-east-1",
        ] {
            let place: Place = text.parse().unwrap();
            assert_eq!(place.to_string(), text);
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        assert_eq!("s3:///x".parse::<Place>(), Err(PlaceError::NoBucket));
        assert_eq!("".parse::<Place>(), Err(PlaceError::Empty));
        assert!(matches!("ftp://x".parse::<Place>(), Err(PlaceError::Scheme(_))));
        assert!(matches!("s3://b?acl=x".parse::<Place>(), Err(PlaceError::Setting(_))));
    }
}
