//! Messages over a stream: four bytes of length, then canonical CBOR; bounded before allocation.

use std::io::{Read, Write};

use sync_model::canonical;
use sync_model::wire::partner::{COPY_MESSAGE_BYTES_MAX, CopyMessage, Refusal};

use super::CopyError;

/// One end of a link.
pub(super) struct Link<S> {
    stream: S,
}

impl<S: Read + Write> Link<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream }
    }

    pub(super) fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    pub(super) fn send(&mut self, message: &CopyMessage) -> Result<(), CopyError> {
        let bytes = canonical::to_bytes(message).map_err(|_| CopyError::Malformed)?;
        let length = u32::try_from(bytes.len()).map_err(|_| CopyError::Malformed)?;
        if bytes.len() > COPY_MESSAGE_BYTES_MAX {
            return Err(CopyError::Malformed);
        }
        self.stream.write_all(&length.to_be_bytes())?;
        self.stream.write_all(&bytes)?;
        Ok(self.stream.flush()?)
    }

    pub(super) fn receive(&mut self) -> Result<CopyMessage, CopyError> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = u64::from(u32::from_be_bytes(length));
        if length > u64::try_from(COPY_MESSAGE_BYTES_MAX).unwrap_or(0) {
            return Err(CopyError::Malformed);
        }
        // Grows with what arrives, not with what was announced.
        let mut bytes = Vec::new();
        (&mut self.stream).take(length).read_to_end(&mut bytes)?;
        if u64::try_from(bytes.len()) != Ok(length) {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        match canonical::from_bytes(&bytes, COPY_MESSAGE_BYTES_MAX) {
            Ok(CopyMessage::Refused(refusal)) => Err(CopyError::Refused(refusal)),
            Ok(message) => Ok(message),
            Err(_) => Err(CopyError::Malformed),
        }
    }

    /// Tells the other side why it ends here, if it still listens.
    pub(super) fn refuse(&mut self, refusal: Refusal) -> CopyError {
        self.send(&CopyMessage::Refused(refusal)).ok();
        CopyError::Refuses(refusal)
    }
}
