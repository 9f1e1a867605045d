//! A video device of the kernel that delivers MJPEG, so that each frame is a photograph's file.
//!
//! The device is open only while a photograph is taken. A driver may block for ever, therefore the
//! taking runs on a thread of its own and the officer gets an answer in any case.

use std::path::Path;
use std::sync::mpsc;

use super::{CAPTURE_TIME_MAX, Camera, CameraError};

const MJPEG: &[u8] = b"MJPG";

/// Video devices looked at when none is configured.
const DEVICES_MAX: u32 = 16;

/// Formats looked at for each device.
const FORMATS_MAX: usize = 64;

/// Frames thrown away first: exposure and focus settle while they pass.
const FRAMES_SETTLING: u32 = 8;

/// Enough to read a label; more only costs storage and time on a handheld.
const PIXELS_MAX: u64 = 13_000_000;

/// A video device and the resolution that will be asked of it.
#[derive(Clone, Debug)]
pub struct V4l2Camera {
    device: String,
    resolution: (u32, u32),
}

impl V4l2Camera {
    /// Returns the first device that offers MJPEG.
    #[must_use]
    pub fn find() -> Option<Self> {
        (0..DEVICES_MAX)
            .map(|number| format!("/dev/video{number}"))
            .filter(|device| Path::new(device).exists())
            .find_map(|device| Self::open(Path::new(&device)).ok())
    }

    /// Asks a device for its largest MJPEG resolution.
    ///
    /// # Errors
    /// [`CameraError::Device`] when it cannot be opened or offers no MJPEG.
    pub fn open(path: &Path) -> Result<Self, CameraError> {
        let device = path.display().to_string();
        let failed = |reason: String| CameraError::Device { device: device.clone(), reason };
        let camera = rscam::Camera::new(&device).map_err(|error| failed(error.to_string()))?;
        // The list does not end after an error: a file that is no video device fails for ever.
        let mut formats = camera.formats().map_while(Result::ok).take(FORMATS_MAX);
        if !formats.any(|format| format.format == MJPEG) {
            return Err(failed("offers no MJPEG".to_owned()));
        }
        let offered = match camera.resolutions(MJPEG) {
            Ok(rscam::ResolutionInfo::Discretes(offered)) => offered,
            Ok(rscam::ResolutionInfo::Stepwise { min, max, .. }) => vec![min, max],
            Err(error) => return Err(failed(error.to_string())),
        };
        let resolution =
            largest(&offered).ok_or_else(|| failed("offers no resolution".to_owned()))?;
        Ok(Self { device, resolution })
    }

    fn take(&self) -> Result<Vec<u8>, CameraError> {
        let failed = |reason: String| CameraError::Device { device: self.device.clone(), reason };
        let mut camera =
            rscam::Camera::new(&self.device).map_err(|error| failed(error.to_string()))?;
        // The interval is a wish: 5 frames a second are within reach at any resolution.
        let config = rscam::Config {
            interval: (1, 5),
            resolution: self.resolution,
            format: MJPEG,
            ..rscam::Config::default()
        };
        camera.start(&config).map_err(|error| failed(error.to_string()))?;
        for _ in 0..FRAMES_SETTLING {
            camera.capture().map_err(|error| failed(error.to_string()))?;
        }
        let frame = camera.capture().map_err(|error| failed(error.to_string()))?;
        if frame.is_empty() {
            return Err(failed("delivered an empty frame".to_owned()));
        }
        Ok(frame.to_vec())
    }
}

/// Returns the resolution with most pixels up to the limit, or the smallest above it.
fn largest(offered: &[(u32, u32)]) -> Option<(u32, u32)> {
    let pixels = |size: &(u32, u32)| u64::from(size.0) * u64::from(size.1);
    let within = offered.iter().filter(|size| pixels(size) <= PIXELS_MAX);
    within
        .max_by_key(|size| pixels(size))
        .or_else(|| offered.iter().min_by_key(|size| pixels(size)))
        .copied()
}

impl Camera for V4l2Camera {
    fn describe(&self) -> String {
        let (width, height) = self.resolution;
        format!("{} MJPEG {width}x{height}", self.device)
    }

    fn capture(&mut self) -> Result<Vec<u8>, CameraError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let camera = self.clone();
        std::thread::Builder::new()
            .name("camera".to_owned())
            .spawn(move || {
                // Nobody listens any more when the time was over; the frame is then dropped.
                sender.send(camera.take()).ok();
            })
            .map_err(|error| CameraError::Device {
                device: self.device.clone(),
                reason: error.to_string(),
            })?;
        receiver.recv_timeout(CAPTURE_TIME_MAX).unwrap_or_else(|_| {
            Err(CameraError::TimedOut { device: self.device.clone(), after: CAPTURE_TIME_MAX })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_no_video_device_is_refused_with_its_name() {
        let error = V4l2Camera::open(Path::new("/dev/null")).unwrap_err().to_string();
        assert!(error.contains("/dev/null"), "{error}");
        assert!(V4l2Camera::open(Path::new("/dev/video-absent")).is_err());
    }

    #[test]
    fn the_largest_sensible_resolution_is_chosen() {
        assert_eq!(largest(&[(640, 480), (1920, 1080), (1280, 720)]), Some((1920, 1080)));
        assert_eq!(largest(&[(4096, 3072), (8160, 6120)]), Some((4096, 3072)));
        assert_eq!(largest(&[(8160, 6120)]), Some((8160, 6120)));
        assert_eq!(largest(&[]), None);
    }
}
