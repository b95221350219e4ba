//! Failures of requests by the names that `wasi:http` has for them. What one says beside its name (a size, a header) is not kept.

use wasmtime_wasi_http::Error;

/// A failure's name, from how Rust spells it.
pub fn name(error: &impl std::fmt::Debug) -> String {
    let spelled = format!("{error:?}");
    let case = spelled.rsplit("ErrorCode::").next().unwrap_or_default();
    let case = case.chars().take_while(char::is_ascii_alphanumeric);
    let mut words: Vec<String> = Vec::new();
    for letter in case {
        match words.last_mut() {
            Some(word) if !letter.is_ascii_uppercase() => word.push(letter),
            _ => words.push(letter.to_ascii_lowercase().to_string()),
        }
    }
    let short = ["dns", "http", "ip", "tls", "uri"];
    for word in words
        .iter_mut()
        .filter(|word| short.contains(&word.as_str()))
    {
        word.make_ascii_uppercase();
    }
    match words.join("-").as_str() {
        // Of the host's own, what they come to.
        "hyper" => "HTTP-protocol-error".to_owned(),
        "TLS" => "TLS-protocol-error".to_owned(),
        "connect" => "connection-terminated".to_owned(),
        name => name.to_owned(),
    }
}

/// The failure of a name; of one that is not `wasi:http`'s, an internal error.
pub fn error(name: &str) -> Error {
    match name.to_ascii_lowercase().as_str() {
        "dns-timeout" => Error::DnsTimeout,
        "dns-error" => Error::DnsError {
            rcode: None,
            info_code: None,
        },
        "destination-not-found" => Error::DestinationNotFound,
        "destination-unavailable" => Error::DestinationUnavailable,
        "destination-ip-prohibited" => Error::DestinationIpProhibited,
        "destination-ip-unroutable" => Error::DestinationIpUnroutable,
        "connection-refused" => Error::ConnectionRefused,
        "connection-terminated" => Error::ConnectionTerminated,
        "connection-timeout" => Error::ConnectionTimeout,
        "connection-read-timeout" => Error::ConnectionReadTimeout,
        "connection-write-timeout" => Error::ConnectionWriteTimeout,
        "connection-limit-reached" => Error::ConnectionLimitReached,
        "tls-protocol-error" => Error::TlsProtocolError,
        "tls-certificate-error" => Error::TlsCertificateError,
        "tls-alert-received" => Error::TlsAlertReceived {
            alert_id: None,
            alert_message: None,
        },
        "http-request-denied" => Error::HttpRequestDenied,
        "http-request-length-required" => Error::HttpRequestLengthRequired,
        "http-request-body-size" => Error::HttpRequestBodySize(None),
        "http-request-method-invalid" => Error::HttpRequestMethodInvalid,
        "http-request-uri-invalid" => Error::HttpRequestUriInvalid,
        "http-request-uri-too-long" => Error::HttpRequestUriTooLong,
        "http-response-incomplete" => Error::HttpResponseIncomplete,
        "http-response-header-section-size" => Error::HttpResponseHeaderSectionSize(None),
        "http-response-body-size" => Error::HttpResponseBodySize(None),
        "http-response-timeout" => Error::HttpResponseTimeout,
        "http-upgrade-failed" => Error::HttpUpgradeFailed,
        "http-protocol-error" => Error::HttpProtocolError,
        "loop-detected" => Error::LoopDetected,
        "configuration-error" => Error::ConfigurationError,
        _ => Error::InternalError(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;

    #[test]
    fn a_failure_is_the_same_after_it_was_written_and_read() {
        for (code, spelled) in [
            (ErrorCode::ConnectionRefused, "connection-refused"),
            (ErrorCode::DnsTimeout, "DNS-timeout"),
            (
                ErrorCode::DestinationIpProhibited,
                "destination-IP-prohibited",
            ),
            (ErrorCode::HttpRequestUriInvalid, "HTTP-request-URI-invalid"),
            (
                ErrorCode::HttpResponseBodySize(Some(7)),
                "HTTP-response-body-size",
            ),
            (ErrorCode::TlsCertificateError, "TLS-certificate-error"),
            (
                ErrorCode::InternalError(Some("x".to_owned())),
                "internal-error",
            ),
        ] {
            assert_eq!(name(&code), spelled);
            assert_eq!(name(&error(spelled)), spelled);
        }
    }
}
