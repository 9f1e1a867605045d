//! TLS to HQ: whom to trust, and by which time.
//!
//! The time is a lower bound of the true one ([`TrustedTime`]), never the device's wall clock. A
//! certificate that ended before it has ended for sure. One that begins after it proves only that
//! the bound is old: somebody whom the device trusts signed it since, so it is judged at its own
//! beginning. A device that lay in a drawer for a year, its battery dead, still reaches HQ.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use crate::error::SyncError;
use crate::store::TrustedTime;

/// Certificates in a chain, each of which may begin after the bound.
const CHAIN_MAX: usize = 4;

impl TimeProvider for TrustedTime {
    fn current_time(&self) -> Option<UnixTime> {
        let ms = u64::try_from(self.now().0).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(ms)))
    }
}

fn unusable(error: &dyn std::error::Error) -> SyncError {
    SyncError::Untrusted(format!("own TLS settings: {error}"))
}

/// Returns TLS that trusts the `authorities` (PEM) alone, or the system's if there are none.
///
/// # Errors
/// [`SyncError::Untrusted`] if none can be used.
pub(super) fn config(authorities: &[String], time: TrustedTime) -> Result<ClientConfig, SyncError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let judge = Arc::new(Judge { inner: verifier(authorities, &provider)? });
    let mut config = ClientConfig::builder_with_details(provider, Arc::new(time))
        // Nothing older: whoever can talk it down can also read along.
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| unusable(&error))?
        .dangerous()
        .with_custom_certificate_verifier(judge)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn verifier(
    authorities: &[String],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, SyncError> {
    if authorities.is_empty() {
        let system = rustls_platform_verifier::Verifier::new(Arc::clone(provider));
        return Ok(Arc::new(system.map_err(|error| unusable(&error))?));
    }
    let mut roots = RootCertStore::empty();
    for pem in authorities {
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|error| unusable(&error))?;
            roots.add(certificate).map_err(|error| unusable(&error))?;
        }
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map(|verifier| verifier as Arc<dyn ServerCertVerifier>)
        .map_err(|error| unusable(&error))
}

/// The usual verification, at a time that is a lower bound.
#[derive(Debug)]
struct Judge {
    inner: Arc<dyn ServerCertVerifier>,
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let judge = |at| {
            self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, at)
        };
        let mut verdict = judge(now);
        let mut at = now;
        for _ in 0..CHAIN_MAX {
            let Err(Error::InvalidCertificate(CertificateError::NotValidYetContext {
                not_before,
                ..
            })) = &verdict
            else {
                break;
            };
            if *not_before <= at {
                break;
            }
            at = *not_before;
            verdict = judge(at);
        }
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Says whether `error` means that the other end is not who it should be.
pub(super) fn is_untrusted(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(cause) = next {
        let wrapped = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let inner = wrapped.and_then(|inner| inner.downcast_ref::<Error>());
        let found = inner.or_else(|| cause.downcast_ref::<Error>());
        if matches!(found, Some(Error::InvalidCertificate(_) | Error::NoCertificatesPresented)) {
            return true;
        }
        next = match wrapped {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    /// TC-36: the first bytes that a device sends offer TLS 1.3 and nothing older, so that nobody
    /// on the way can ask for less.
    #[test]
    fn a_device_offers_nothing_older_than_tls_1_3() {
        let time = TrustedTime::since_build(Arc::new(SystemClock::new()));
        let config = config(&[], time).unwrap();
        let name = ServerName::try_from("hq.example").unwrap();
        let mut client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
        let mut hello = Vec::new();
        client.write_tls(&mut hello).unwrap();
        // RFC 8446 4.2.1: extension 43, three bytes, a list of two, 0x0304.
        let versions = [0, 43, 0, 3, 2, 3, 4];
        assert!(hello.windows(versions.len()).any(|window| window == versions));
    }
}
