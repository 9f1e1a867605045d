//! An object that is written piece by piece and appears only when it is finished.

use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt as _};

use super::{Objects, failed};
use crate::error::HqError;

/// An object under way. Dropping it leaves nothing under its name.
pub(crate) struct Upload<'o> {
    objects: &'o Objects,
    name: Path,
    held: Vec<u8>,
    /// Begun with the first full step: a small object is one request.
    parts: Option<Box<dyn MultipartUpload>>,
}

impl<'o> Upload<'o> {
    pub(super) fn new(objects: &'o Objects, name: &str) -> Self {
        Self { objects, name: Path::from(name), held: Vec::new(), parts: None }
    }

    /// Adds bytes; at most one step and one piece of them are held in memory.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), HqError> {
        self.held.extend_from_slice(bytes);
        if self.held.len() >= self.objects.step {
            self.send()?;
        }
        Ok(())
    }

    fn send(&mut self) -> Result<(), HqError> {
        let parts = match &mut self.parts {
            Some(parts) => parts,
            None => self.parts.insert(
                self.objects
                    .wait(self.objects.store.put_multipart(&self.name))?
                    .map_err(failed("begin object"))?,
            ),
        };
        let part = parts.put_part(std::mem::take(&mut self.held).into());
        self.objects.wait(part)?.map_err(failed("write object"))
    }

    /// Makes the object appear, durably.
    pub(crate) fn finish(mut self) -> Result<(), HqError> {
        if self.parts.is_none() {
            let bytes = std::mem::take(&mut self.held);
            let put = self.objects.store.put(&self.name, bytes.into());
            return self.objects.wait(put)?.map(drop).map_err(failed("write object"));
        }
        if !self.held.is_empty() {
            self.send()?;
        }
        let Some(parts) = &mut self.parts else { return Ok(()) };
        self.objects.wait(parts.complete())?.map(drop).map_err(failed("finish object"))?;
        self.parts = None;
        Ok(())
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        // Best effort: what stays behind has no name, and the sweep finds it.
        if let Some(mut parts) = self.parts.take()
            && let Ok(Err(error)) = self.objects.wait(parts.abort())
        {
            tracing::warn!(%error, "an unfinished object could not be taken back");
        }
    }
}
