//! Takes photographs from whatever camera the handheld has.
//!
//! A camera gives the bytes as they came from the sensor, the command or the folder, and changes
//! no file of anybody else: an inbox is read, never tidied. Which camera is used is a setting;
//! without one, the first video device that offers MJPEG is taken, and no camera is a valid answer.

mod command;
mod folder;
#[cfg(target_os = "linux")]
mod v4l2;

use std::path::PathBuf;
use std::time::Duration;

use sync_model::hash::Hash;

pub use command::CommandCamera;
pub use folder::{FolderCamera, InboxCamera};
#[cfg(target_os = "linux")]
pub use v4l2::V4l2Camera;

/// A larger file is no photograph of a handheld.
pub const PHOTO_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How long a camera may take for one photograph.
pub const CAPTURE_TIME_MAX: Duration = Duration::from_secs(15);

/// Something that gives one photograph at a time.
pub trait Camera: Send {
    /// Returns what it is, for the evidence record.
    fn describe(&self) -> String;

    /// Returns whether the photographs are the device's own or files by somebody else.
    // An import needs the note that it agrees with its original, an own capture does not (`domain` R-122).
    fn source(&self) -> PhotoSource {
        PhotoSource::OwnCamera
    }

    /// Takes one photograph and returns the bytes of its file.
    ///
    /// # Errors
    /// [`CameraError`] when there is none to give.
    fn capture(&mut self) -> Result<Vec<u8>, CameraError>;
}

/// Whose photographs a camera gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhotoSource {
    /// The device took it at the officer's touch.
    OwnCamera,
    /// It was there before and is imported.
    ImportedFile,
}

/// Why there is no photograph.
#[derive(Debug, thiserror::Error)]
pub enum CameraError {
    /// The device cannot be opened or does not deliver.
    #[error("capture from {device}: {reason}")]
    Device { device: String, reason: String },
    /// The command cannot be started, failed, or wrote no file.
    #[error("run camera command `{program}`: {reason}")]
    Command { program: String, reason: String },
    /// No photograph within the time allowed.
    #[error("capture from {device}: no photograph within {} s", after.as_secs())]
    TimedOut { device: String, after: Duration },
    /// The folder cannot be read.
    #[error("read {}: {source}", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    /// The folder holds no photograph that was not taken already.
    #[error("no new photograph in {}", path.display())]
    NothingNew { path: PathBuf },
    /// A photograph is there but still being written.
    #[error("{} is still being written", path.display())]
    StillWriting { path: PathBuf },
    /// The file is larger than [`PHOTO_BYTES_MAX`].
    #[error("{} has {bytes} bytes, more than a photograph", path.display())]
    TooLarge { path: PathBuf, bytes: u64 },
}

/// Which camera to use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CameraChoice {
    /// The first video device that offers MJPEG.
    #[default]
    Automatic,
    /// A video device by path.
    Device(PathBuf),
    /// A command such as `libcamera-still -o {file}`.
    Command(String),
    /// A folder the system's camera app writes to.
    Inbox(PathBuf),
    /// A folder of prepared photographs, for rehearsals.
    Folder(PathBuf),
    /// The device has none, or its use is forbidden.
    Absent,
}

/// Tells whether a photograph with this hash is evidence already.
pub type IsKnown = Box<dyn Fn(&Hash) -> bool + Send>;

/// Returns the chosen camera, if there is one; an inbox skips what `is_known` knows.
///
/// # Errors
/// [`CameraError`] when a camera was chosen by name and cannot be used.
pub fn find_camera(
    choice: &CameraChoice,
    is_known: IsKnown,
) -> Result<Option<Box<dyn Camera>>, CameraError> {
    Ok(match choice {
        CameraChoice::Absent => None,
        CameraChoice::Automatic => find_video_device(),
        CameraChoice::Device(path) => Some(open_video_device(path)?),
        CameraChoice::Command(template) => {
            Some(Box::new(CommandCamera::parse(template, CAPTURE_TIME_MAX)?))
        }
        CameraChoice::Inbox(path) => Some(Box::new(InboxCamera::new(path.clone(), is_known))),
        CameraChoice::Folder(path) => Some(Box::new(FolderCamera::open(path)?)),
    })
}

#[cfg(target_os = "linux")]
fn find_video_device() -> Option<Box<dyn Camera>> {
    V4l2Camera::find().map(|camera| Box::new(camera) as Box<dyn Camera>)
}

#[cfg(target_os = "linux")]
fn open_video_device(path: &std::path::Path) -> Result<Box<dyn Camera>, CameraError> {
    Ok(Box::new(V4l2Camera::open(path)?))
}

#[cfg(not(target_os = "linux"))]
fn find_video_device() -> Option<Box<dyn Camera>> {
    None
}

#[cfg(not(target_os = "linux"))]
fn open_video_device(path: &std::path::Path) -> Result<Box<dyn Camera>, CameraError> {
    let reason = "video devices are read on linux only".to_owned();
    Err(CameraError::Device { device: path.display().to_string(), reason })
}

/// Reads a whole photograph, refusing what cannot be one before it is in memory.
fn read_photo(path: &std::path::Path) -> Result<Vec<u8>, CameraError> {
    let folder = |source| CameraError::Folder { path: path.to_owned(), source };
    let bytes = std::fs::metadata(path).map_err(folder)?.len();
    if bytes > PHOTO_BYTES_MAX {
        return Err(CameraError::TooLarge { path: path.to_owned(), bytes });
    }
    std::fs::read(path).map_err(folder)
}
