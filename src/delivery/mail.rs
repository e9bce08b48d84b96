//! Mail by SMTP, to the server that the operator names. A certificate that cannot be verified is refused.

use std::time::Duration;

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
};

use super::sinks::{Failure, FailureKind};

/// How long the server may take for a command.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Longest reason that is kept, in bytes.
const REASON_BYTES: usize = 500;

/// Sends mail.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// What is sent to an address.
pub struct Letter {
    /// Its subject, one line.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// What it is known by: the same whenever it is sent again.
    pub id: String,
}

impl Mailer {
    /// A mailer for a server, as `smtp://` or `smtps://`, and the address that its mail comes from.
    ///
    /// # Errors
    /// What is wrong with either, in words that tell nothing of the server's password.
    pub fn new(url: &str, from: &str) -> Result<Self, String> {
        let from: Mailbox = from.parse().map_err(|_| {
            "LEDGERLINE_MAIL_FROM: must be an address, such as Audit log <audit@example.com>".to_owned()
        })?;
        let is_smtp = url.starts_with("smtp://") || url.starts_with("smtps://");
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).ok().filter(|_| is_smtp);
        let Some(builder) = builder else {
            let rule = "must be smtps://USER:PASSWORD@HOST, or smtp://USER:PASSWORD@HOST:587?tls=required";
            return Err(format!("LEDGERLINE_SMTP_URL: {rule}"));
        };
        Ok(Self { transport: builder.timeout(Some(TIMEOUT)).build(), from })
    }

    /// Sends a letter to an address.
    ///
    /// # Errors
    /// Why the server has not taken it.
    pub async fn send(&self, address: &str, letter: &Letter) -> Result<(), Failure> {
        let message = self.message(address, letter).map_err(|reason| Failure {
            kind: FailureKind::Rejected,
            status: None,
            reason,
            retry_after: None,
        })?;
        self.transport.send(message).await.map(drop).map_err(|error| failure(&error))
    }

    fn message(&self, address: &str, letter: &Letter) -> Result<Message, String> {
        let to = address.parse::<Address>().map_err(|_| "it is no address".to_owned())?;
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(&letter.subject)
            .message_id(Some(format!("<{}@{}>", letter.id, self.from.email.domain())))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN);
        message.body(letter.text.clone()).map_err(|error| error.to_string())
    }
}

/// Whether a text is an address that can be written to.
#[must_use]
pub fn is_address(text: &str) -> bool {
    text.parse::<Address>().is_ok()
}

/// What a failure of the server means. A letter is refused where the server answers so for good; that it does not know us
/// says nothing of the letter.
fn failure(error: &lettre::transport::smtp::Error) -> Failure {
    let status = error.status().map(u16::from);
    let is_refused = error.is_permanent() && !status.is_some_and(|status| (530..=538).contains(&status));
    let kind = if is_refused { FailureKind::Rejected } else { FailureKind::Unavailable };
    let mut reason = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        if !reason.contains(&text) {
            reason = format!("{reason}: {text}");
        }
        next = cause.source();
    }
    let mut reason: String = reason.chars().filter(|letter| !letter.is_control()).collect();
    reason.truncate(reason.floor_char_boundary(REASON_BYTES));
    Failure { kind, status, reason, retry_after: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailer() -> Mailer {
        Mailer::new("smtp://127.0.0.1:1", "Audit log <audit@example.com>").expect("settings")
    }

    #[test]
    fn nothing_in_a_letter_makes_another_header() {
        let letter = Letter {
            subject: "Alert\r\nBcc: thief@example.com\r\n\r\nHello".to_owned(),
            text: ".\r\nRCPT TO:<thief@example.com>\n".to_owned(),
            id: "evt_1".to_owned(),
        };
        let message = mailer().message("a@example.com", &letter).expect("a message");
        let text = String::from_utf8(message.formatted()).expect("text");
        let (head, _) = text.split_once("\r\n\r\n").expect("a head");
        let names: Vec<_> = head
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split_once(':').expect("a header").0)
            .collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        let expected = [
            "Auto-Submitted",
            "Content-Transfer-Encoding",
            "Content-Type",
            "Date",
            "From",
            "Message-ID",
            "Subject",
            "To",
        ];
        assert_eq!(sorted, expected, "{head}");
        let receivers: Vec<_> = message.envelope().to().iter().map(ToString::to_string).collect();
        assert_eq!(receivers, ["a@example.com"]);
        assert!(mailer().message("a@example.com\r\nBcc: b@example.com", &letter).is_err());
    }

    #[test]
    fn what_is_wrong_with_the_settings_is_told_without_the_password() {
        for (url, from, named) in [
            ("smtp://user:secret@host:x", "a@example.com", "LEDGERLINE_SMTP_URL"),
            ("https://user:secret@host", "a@example.com", "LEDGERLINE_SMTP_URL"),
            ("smtp://user:secret@host?tls=perhaps", "a@example.com", "LEDGERLINE_SMTP_URL"),
            ("smtps://user:secret@host", "nobody", "LEDGERLINE_MAIL_FROM"),
        ] {
            let fault = Mailer::new(url, from).err().expect("a fault");
            assert!(fault.starts_with(named) && !fault.contains("secret"), "{fault}");
        }
        assert!(is_address("a.b+c@example.com") && !is_address("a@b@c") && !is_address("A <a@example.com>"));
    }
}
