//! HQ's own TLS: a certificate given as files, or one by an authority of HQ's own.
//!
//! The authority is made once and kept with the other keys; devices get it when they are enrolled
//! and trust nothing else then. Its server certificate is made anew when its names change or it
//! has less than a quarter of its life left. Certificates on disk are read again every minute, so
//! that a renewed one needs no restart.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, version};
use sync_model::time::Timestamp;

use crate::durable;
use crate::error::HqError;

/// How often files are looked at.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_secs(60);
const DAY_MS: i64 = 24 * 3600 * 1000;
/// Longest that browsers and phones take from anybody.
const SERVER_DAYS: i64 = 397;
/// The authority lives as long as the devices that were enrolled under it.
const AUTHORITY_DAYS: i64 = 20 * 365;
const AUTHORITY_NAME: &str = "xunzheng HQ authority";
const SERVER_NAME: &str = "xunzheng HQ";
/// Largest certificate or key file.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// Whether HQ speaks TLS, and as whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// Plain HTTP: on loopback, or behind a gateway that ends TLS.
    #[default]
    None,
    /// A certificate chain and its key, PEM.
    Files {
        /// The chain, HQ's own certificate first.
        certificate: PathBuf,
        /// Its key.
        key: PathBuf,
    },
    /// A certificate by HQ's own authority, for these names or addresses.
    Own(Vec<String>),
}

fn tls(what: &'static str, error: &dyn std::error::Error) -> HqError {
    HqError::io(what)(std::io::Error::other(error.to_string()))
}

fn folder(data: &Path) -> PathBuf {
    data.join("tls")
}

/// Returns the authority's certificate as PEM, if HQ made one.
pub(crate) fn authority(data: &Path) -> Result<Option<String>, HqError> {
    let path = folder(data).join("ca.pem");
    if path.is_file() {
        let text = std::fs::read_to_string(path).map_err(HqError::io("read TLS authority"))?;
        return Ok(Some(text));
    }
    Ok(None)
}

/// Makes the authority and a server certificate for `names` where they are missing or too old;
/// returns the files to serve with. An interrupted call can be repeated.
///
/// # Errors
/// If a name is none, or a file cannot be written.
pub(crate) fn make_own(data: &Path, names: &[String], now: Timestamp) -> Result<Tls, HqError> {
    let folder = folder(data);
    durable::create_folder(&folder).map_err(HqError::io("create TLS folder"))?;
    let key = authority_key(&folder)?;
    let params = authority_params(now);
    let certificate = folder.join("ca.pem");
    if !certificate.is_file() {
        let made = params.self_signed(&key).map_err(|error| tls("make TLS authority", &error))?;
        durable::write_secret(&certificate, made.pem().as_bytes())
            .map_err(HqError::io("write TLS authority"))?;
    }
    let (server, server_key) = (folder.join("server.pem"), folder.join("server.key"));
    let written = Made { until: now.0.saturating_add(SERVER_DAYS * DAY_MS), names };
    if !still_good(&folder, &written, now)? || !server.is_file() || !server_key.is_file() {
        let own = KeyPair::generate().map_err(|error| tls("make TLS key", &error))?;
        let issuer = Issuer::from_params(&params, &key);
        let made = server_params(names, now)?
            .signed_by(&own, &issuer)
            .map_err(|error| tls("make TLS certificate", &error))?;
        // If the power fails in between, the note is missing and both are made again.
        let note = folder.join("server.txt");
        if note.is_file() {
            std::fs::remove_file(&note).map_err(HqError::io("renew TLS certificate"))?;
        }
        durable::write_secret(&server_key, own.serialize_pem().as_bytes())
            .map_err(HqError::io("write TLS key"))?;
        durable::write_secret(&server, made.pem().as_bytes())
            .map_err(HqError::io("write TLS certificate"))?;
        durable::write_secret(&note, written.text().as_bytes())
            .map_err(HqError::io("write TLS certificate"))?;
    }
    Ok(Tls::Files { certificate: server, key: server_key })
}

/// What the server certificate was made for.
struct Made<'a> {
    until: i64,
    names: &'a [String],
}

impl Made<'_> {
    fn text(&self) -> String {
        format!("{}\n{}\n", self.until, self.names.join("\n"))
    }
}

fn still_good(folder: &Path, wanted: &Made<'_>, now: Timestamp) -> Result<bool, HqError> {
    let note = folder.join("server.txt");
    if !note.is_file() {
        return Ok(false);
    }
    let text = std::fs::read_to_string(note).map_err(HqError::io("read TLS certificate"))?;
    let Some((until, names)) = text.split_once('\n') else { return Ok(false) };
    let Ok(until) = until.parse::<i64>() else { return Ok(false) };
    let left = until.saturating_sub(now.0);
    let same = wanted.text().split_once('\n').is_some_and(|(_, wanted)| wanted == names);
    Ok(same && left > SERVER_DAYS * DAY_MS / 4 && left <= SERVER_DAYS * DAY_MS)
}

fn authority_key(folder: &Path) -> Result<KeyPair, HqError> {
    let path = folder.join("ca.key");
    if !path.is_file() {
        let made = KeyPair::generate().map_err(|error| tls("make TLS key", &error))?;
        durable::write_secret(&path, made.serialize_pem().as_bytes())
            .map_err(HqError::io("write TLS key"))?;
        return Ok(made);
    }
    if durable::is_open_to_others(&path).map_err(HqError::io("read TLS key"))? {
        return Err(HqError::KeyOpenToOthers(path));
    }
    let text = std::fs::read_to_string(&path).map_err(HqError::io("read TLS key"))?;
    KeyPair::from_pem(&text).map_err(|_| HqError::KeyDamaged(path))
}

fn dated(params: &mut CertificateParams, now: Timestamp, days: i64) {
    use chrono::Datelike as _;
    let ymd = |at: Timestamp| {
        let date = at.legal_date();
        let (month, day) = (u8::try_from(date.month()), u8::try_from(date.day()));
        date_time_ymd(date.year(), month.unwrap_or(1), day.unwrap_or(1))
    };
    // A day back: other clocks run behind.
    params.not_before = ymd(now.plus_ms(-DAY_MS));
    params.not_after = ymd(now.plus_ms(days.saturating_mul(DAY_MS)));
}

fn authority_params(now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, AUTHORITY_NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    dated(&mut params, now, AUTHORITY_DAYS);
    params
}

fn server_params(names: &[String], now: Timestamp) -> Result<CertificateParams, HqError> {
    let mut params =
        CertificateParams::new(names.to_vec()).map_err(|error| tls("read --tls-name", &error))?;
    // Another name than the authority's: OpenSSL takes a certificate that names itself as issuer for
    // one that signed itself.
    params.distinguished_name.push(DnType::CommonName, SERVER_NAME);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    dated(&mut params, now, SERVER_DAYS);
    Ok(params)
}

/// The certificate in use, and where it comes from.
#[derive(Debug)]
pub(crate) struct Served {
    certificate: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    current: RwLock<(Vec<u8>, Arc<CertifiedKey>)>,
}

impl Served {
    /// Reads the files.
    ///
    /// # Errors
    /// If one cannot be read, is no PEM, or they do not belong together.
    pub(crate) fn read(certificate: &Path, key: &Path) -> Result<Arc<Self>, HqError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let current = load(certificate, key, &provider)?;
        Ok(Arc::new(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            provider,
            current: RwLock::new(current),
        }))
    }

    /// Reads the files again; what cannot be used changes nothing.
    pub(crate) fn look_again(&self) {
        match load(&self.certificate, &self.key, &self.provider) {
            Ok(found) => {
                let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
                if current.0 != found.0 {
                    tracing::info!("a new TLS certificate is in use");
                    *current = found;
                }
            }
            Err(error) => tracing::error!(%error, "the old TLS certificate stays in use"),
        }
    }

    /// Returns the settings to serve with: TLS 1.3 alone, HTTP/2 first, sessions resumed by tickets.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub(crate) fn config(self: &Arc<Self>) -> Result<ServerConfig, HqError> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&version::TLS13])
            .map_err(|error| tls("prepare TLS", &error))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.ticketer =
            aws_lc_rs::Ticketer::new().map_err(|error| tls("prepare TLS tickets", &error))?;
        Ok(config)
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).1))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, HqError> {
    use std::io::Read as _;
    let file = std::fs::File::open(path).map_err(HqError::io("open TLS file"))?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(HqError::io("read TLS file"))?;
    Ok(bytes)
}

fn load(
    certificate: &Path,
    key: &Path,
    provider: &CryptoProvider,
) -> Result<(Vec<u8>, Arc<CertifiedKey>), HqError> {
    let (mut bytes, secret) = (read(certificate)?, read(key)?);
    if durable::is_open_to_others(key).map_err(HqError::io("read TLS key"))? {
        return Err(HqError::KeyOpenToOthers(key.to_owned()));
    }
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| tls("read TLS certificate", &error))?;
    let secret_key =
        PrivateKeyDer::from_pem_slice(&secret).map_err(|_| HqError::KeyDamaged(key.to_owned()))?;
    let made = CertifiedKey::from_der(chain, secret_key, provider)
        .map_err(|error| tls("use TLS certificate", &error))?;
    bytes.extend_from_slice(&secret);
    Ok((bytes, Arc::new(made)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_500_000_000);

    #[test]
    fn no_certificate_names_itself_as_its_issuer() {
        let names = ["hq.example".to_owned()];
        let server = server_params(&names, NOW).unwrap().distinguished_name;
        assert_ne!(server, authority_params(NOW).distinguished_name);
    }

    #[test]
    fn the_authority_stays_and_the_certificate_is_renewed_in_time() {
        let data = tempfile::tempdir().unwrap();
        let file = |name: &str| std::fs::read(data.path().join("tls").join(name)).unwrap();
        let names = ["hq.example".to_owned(), "127.0.0.1".to_owned()];
        make_own(data.path(), &names, NOW).unwrap();
        let (authority, server) = (file("ca.pem"), file("server.pem"));
        make_own(data.path(), &names, NOW.plus_ms(200 * DAY_MS)).unwrap();
        assert_eq!(file("server.pem"), server);
        make_own(data.path(), &names, NOW.plus_ms(300 * DAY_MS)).unwrap();
        let renewed = file("server.pem");
        assert_ne!(renewed, server);
        make_own(data.path(), &names[..1], NOW.plus_ms(300 * DAY_MS)).unwrap();
        assert_ne!(file("server.pem"), renewed);
        // Cut while renewing.
        std::fs::remove_file(data.path().join("tls/server.txt")).unwrap();
        let Tls::Files { certificate, key } = make_own(data.path(), &names, NOW).unwrap() else {
            panic!("no files")
        };
        Served::read(&certificate, &key).unwrap().config().unwrap();
        assert_eq!(file("ca.pem"), authority);
        assert!(make_own(data.path(), &["中".to_owned()], NOW).is_err());
    }

    /// TC-36: whoever offers TLS 1.2 and no more gets no connection, and sends nothing over it.
    #[test]
    fn no_client_is_served_over_an_older_tls() {
        use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection};
        let data = tempfile::tempdir().unwrap();
        let now =
            Timestamp(i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap());
        let Tls::Files { certificate, key } =
            make_own(data.path(), &["hq.example".to_owned()], now).unwrap()
        else {
            panic!("no files")
        };
        let served = Served::read(&certificate, &key).unwrap();
        let mut roots = RootCertStore::empty();
        let authority = std::fs::read(data.path().join("tls/ca.pem")).unwrap();
        roots.add(CertificateDer::from_pem_slice(&authority).unwrap()).unwrap();
        for (offered, welcome) in [(&version::TLS12, false), (&version::TLS13, true)] {
            let client = ClientConfig::builder_with_provider(Arc::clone(&served.provider))
                .with_protocol_versions(&[offered])
                .unwrap()
                .with_root_certificates(roots.clone())
                .with_no_client_auth();
            let name = "hq.example".try_into().unwrap();
            let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
            let mut server = ServerConnection::new(Arc::new(served.config().unwrap())).unwrap();
            let mut shook = true;
            for _ in 0..4 {
                let mut line = Vec::new();
                while client.wants_write() {
                    client.write_tls(&mut line).unwrap();
                }
                server.read_tls(&mut line.as_slice()).unwrap();
                shook &= server.process_new_packets().is_ok();
                let mut line = Vec::new();
                while server.wants_write() {
                    server.write_tls(&mut line).unwrap();
                }
                client.read_tls(&mut line.as_slice()).unwrap();
                shook &= client.process_new_packets().is_ok();
            }
            let done = shook && !client.is_handshaking() && !server.is_handshaking();
            assert_eq!(done, welcome, "{offered:?}");
        }
    }

    #[test]
    fn a_key_that_others_can_read_is_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let data = tempfile::tempdir().unwrap();
        let names = ["localhost".to_owned()];
        let Tls::Files { certificate, key } = make_own(data.path(), &names, NOW).unwrap() else {
            panic!("no files")
        };
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        let refused = Served::read(&certificate, &key);
        assert!(matches!(refused, Err(HqError::KeyOpenToOthers(_))));
    }
}
