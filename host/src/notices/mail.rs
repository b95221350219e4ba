//! Sending a notice by e-mail over the operator's mail server. Knows no cause; never shows the password.

use std::time::Duration;

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp::{authentication::Credentials, client::Tls},
};
use secrecy::ExposeSecret;

use super::words::Letter;
use crate::config::{Encryption, Smtp};

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the server may take for one step of it.
const STEP: Duration = Duration::from_secs(20);
/// Characters of the server's own words.
const SAID: usize = 200;

/// A way to the mail server.
pub struct Mailer {
    from: Mailbox,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl Mailer {
    /// Connects to nobody yet.
    ///
    /// # Errors
    /// When the host's name cannot be one.
    pub fn new(smtp: &Smtp) -> Result<Self, lettre::transport::smtp::Error> {
        let host = smtp.host.as_str();
        let builder = match smtp.encryption {
            Encryption::Starttls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(host)?,
            Encryption::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(host)?,
            Encryption::None => {
                AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host).tls(Tls::None)
            }
        };
        let mut builder = builder.port(smtp.port).timeout(Some(STEP));
        if let Some((user, password)) = &smtp.login {
            let password = password.expose_secret().to_owned();
            builder = builder.credentials(Credentials::new(user.clone(), password));
        }
        Ok(Self {
            from: smtp.from.clone(),
            transport: builder.build(),
        })
    }

    /// Sends it to one address; `id` is the same for each attempt at one notice. The error is what the server said, or why there is no
    /// answer.
    pub async fn send(&self, address: &str, id: &str, letter: &Letter) -> Result<(), String> {
        let message = self.message(address, id, letter)?;
        let sent = tokio::time::timeout(PATIENCE, self.transport.send(message)).await;
        match sent {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(told(&error)),
            Err(_) => Err("no answer in time".to_owned()),
        }
    }

    fn message(&self, address: &str, id: &str, letter: &Letter) -> Result<Message, String> {
        let said = |error: &dyn std::fmt::Display| error.to_string().chars().take(SAID).collect();
        let to = address.parse().map_err(|error| said(&error) as String)?;
        let domain = self.from.email.domain();
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .message_id(Some(format!("<{id}@{domain}>")))
            .subject(letter.subject.clone())
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.clone());
        message.map_err(|error| said(&error))
    }
}

/// The server's words with what lies beneath, in one line.
fn told(error: &lettre::transport::smtp::Error) -> String {
    let mut said = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(beneath) = source {
        let text = beneath.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        source = beneath.source();
    }
    let plain = said
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter });
    plain.take(SAID).collect()
}
