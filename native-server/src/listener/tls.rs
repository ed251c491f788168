//! TLS by rustls: a certificate chain and its key from PEM files, read once at the start.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

/// Why there is no TLS. The text names the option.
#[derive(Debug)]
pub enum TlsError {
    /// A file cannot be read, or is not PEM.
    File {
        /// The option that named it.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: pem::Error,
    },
    /// A file of certificates without any.
    NoCertificate(PathBuf),
    /// The key is not the certificate's, or of a kind that is not supported.
    Pair(rustls::Error),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { option, path, error: pem::Error::Io(error) } => {
                write!(f, "cannot read {} ({error}); give a PEM file to {option}", path.display())
            }
            Self::File { option, path, error: pem::Error::NoItemsFound } => write!(
                f,
                "{} holds no private key; give a PEM file with a PRIVATE KEY section to {option}",
                path.display()
            ),
            Self::File { option, path, error } => {
                write!(f, "{} is not PEM ({error}); give a PEM file to {option}", path.display())
            }
            Self::NoCertificate(path) => write!(
                f,
                "{} holds no certificate; give a PEM file with CERTIFICATE sections to --tls-cert",
                path.display()
            ),
            Self::Pair(error) => write!(
                f,
                "certificate and key do not work together ({error}); give --tls-key the key that belongs to \
                 --tls-cert"
            ),
        }
    }
}

impl std::error::Error for TlsError {}

/// Reads a certificate chain, the server's own certificate first, and its private key (PKCS #8, PKCS #1 or
/// SEC 1), both PEM.
///
/// # Errors
/// A file is missing, has other content, or the two do not fit.
pub fn load(certificates: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let of = |option, path: &Path| {
        let path = path.to_path_buf();
        move |error| TlsError::File { option, path, error }
    };
    let chain = CertificateDer::pem_file_iter(certificates)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(of("--tls-cert", certificates))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(certificates.to_path_buf()));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(of("--tls-key", key))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(TlsError::Pair)?;
    // WebSocket upgrades need HTTP/1.1.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
