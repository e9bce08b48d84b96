//! Why a database cannot be reached: what will not mend itself is a sentence that says what to do, and not "try again".

use rustls::{CertificateError, Error as TlsError};

use super::address::{Address, Missing};
use crate::{error::Error, store::error};

/// The error of a connection that could not be opened, by the setting that names the database.
pub(super) fn told(error: sqlx::Error, field: &str, address: &Address) -> Error {
    let place = address.places();
    match rule(&error, &place) {
        Some(rule) => Error::bad_input(field, rule),
        None => error::from(error::of_sqlx(error)),
    }
}

/// Whether a server was refused for its certificate. The driver reads it in every mode, and cannot read each.
pub(super) fn is_of_certificate(error: &sqlx::Error) -> bool {
    let sqlx::Error::Io(fault) = error else { return false };
    let tls = fault.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
    matches!(tls, Some(TlsError::InvalidCertificate(_)))
}

fn rule(error: &sqlx::Error, place: &str) -> Option<String> {
    match error {
        sqlx::Error::Database(fault) => {
            let text = fault.message();
            if text.contains("startup parameter") {
                return Some(format!(
                    "must be reached without start-up parameters that a pooler refuses ({text}): take them out of the URL, or \
                     tell PgBouncer to ignore_startup_parameters"
                ));
            }
            match fault.code()?.as_ref() {
                "28000" | "28P01" => Some(format!("must name a role and a password that {place} lets in: {text}")),
                "3D000" => {
                    Some(format!("must name a database that is there: {text}. Make it with createdb --encoding=UTF8"))
                }
                _ => None,
            }
        }
        sqlx::Error::Io(fault) => {
            let tls = fault.get_ref()?.downcast_ref::<TlsError>()?;
            Some(match tls {
                TlsError::InvalidCertificate(why) => {
                    format!(
                        "must show a certificate that sslmode accepts, and that of {place} is refused: {}",
                        of_certificate(why)
                    )
                }
                other => format!("must speak TLS with this service, and {place} does not: {other}"),
            })
        }
        sqlx::Error::Tls(fault) => Some(format!("must speak TLS as sslmode says, and {place} does not: {fault}")),
        sqlx::Error::Configuration(fault) => match fault.downcast_ref::<Missing>() {
            // Another server may become what is wanted.
            Some(Missing::Server(..)) => None,
            Some(missing) => Some(format!("must have its password: {missing}")),
            None => Some(format!("must be such that a connection can be opened: {fault}")),
        },
        _ => None,
    }
}

fn of_certificate(why: &CertificateError) -> String {
    let text = match why {
        CertificateError::UnknownIssuer => {
            "nobody vouches for it. Name the certificate of the authority that does in sslrootcert"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its time is over",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "its time has not come",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name. sslmode=verify-ca does not ask for the name"
        }
        CertificateError::Other(inner) => {
            let text = inner.0.to_string();
            return if text.contains("UnsupportedCertVersion") {
                "it is of version 1, which says nothing of whom it is for. Make one of version 3, with subjectAltName"
                    .to_owned()
            } else if text.contains("CaUsedAsEndEntity") {
                "it vouches for itself: it is an authority's, and a server's has to be another one that the authority has \
                 signed"
                    .to_owned()
            } else {
                text
            };
        }
        other => return other.to_string(),
    };
    text.to_owned()
}
