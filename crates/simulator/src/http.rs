//! One device over HTTP: a POST for each message.
//!
//! Source: OMA DM 1.2 HTTP binding.

mod report;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use muster_protocol::limits::Limits;
use muster_protocol::syncml::Message;
use reqwest::header::{ACCEPT, ACCEPT_CHARSET, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};

pub use report::SessionReport;

use crate::behaviour::Behaviour;
use crate::dm1::{Device, Initiation, MESSAGE_BYTES_MAX, SessionEnd};
use crate::tree::TStamp;

/// What all devices of a process share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Keeps connections alive between messages. Give one of your own to trust a private certificate authority.
    pub client: reqwest::Client,
    /// The longest one session may take.
    pub session_time_max: Duration,
    /// The most messages a device sends in one session.
    pub messages_max: u32,
}

impl HttpOptions {
    /// A client that follows no redirects and uses no proxy, 60 s and 200 messages for a session.
    ///
    /// # Errors
    /// If the TLS library cannot be set up.
    pub fn new() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build()?;
        Ok(Self { client, session_time_max: Duration::from_secs(60), messages_max: 200 })
    }
}

/// A device with its connection.
#[derive(Clone, Debug)]
pub struct HttpDevice {
    /// The device, to be looked at and changed between sessions.
    pub device: Device,
    /// What reports call it.
    name: String,
    options: HttpOptions,
    drops_after: Option<u32>,
    drops_left: u32,
    never_connects: bool,
    reboots: Option<Reboots>,
    repeats: bool,
    slow: Duration,
    content_type: String,
    user_agent: Option<String>,
    closes: bool,
}

/// When the device restarts, and how often it still will.
#[derive(Clone, Copy, Debug)]
struct Reboots {
    after_message: u32,
    left: u32,
    forgets_nonces: bool,
}

/// The header that seals a message with a MAC.
///
/// Source: OMA DM 1.2 Security, "How integrity checking is requested".
const SEAL: &str = "x-syncml-hmac";

/// What came back for one message.
struct Answer {
    status: StatusCode,
    content_type: String,
    seal: Option<String>,
    body: Vec<u8>,
}

impl HttpDevice {
    /// Connects `device`, which reports will call `name`. Of the behaviours, those about the connection are used.
    #[must_use]
    pub fn new(name: &str, device: Device, behaviours: &[Behaviour], options: HttpOptions) -> Self {
        let content_type = device.encoding().media_type().to_owned();
        let mut this = Self {
            device,
            name: name.to_owned(),
            options,
            drops_after: None,
            drops_left: 0,
            never_connects: false,
            reboots: None,
            repeats: false,
            slow: Duration::ZERO,
            content_type,
            user_agent: None,
            closes: false,
        };
        for behaviour in behaviours {
            match behaviour {
                Behaviour::DropsConnection { after_message, times } => {
                    this.drops_after = Some(*after_message);
                    this.drops_left = *times;
                }
                Behaviour::NeverConnects => this.never_connects = true,
                Behaviour::RepeatsMessage => this.repeats = true,
                Behaviour::Slow { ms } => this.slow = Duration::from_millis(*ms),
                Behaviour::Reboots { after_message, times, forgets_nonces } => {
                    this.reboots =
                        Some(Reboots { after_message: *after_message, left: *times, forgets_nonces: *forgets_nonces });
                }
                Behaviour::ContentType(name) => {
                    let suffix = this.content_type.rsplit_once('+').map_or("xml", |(_, suffix)| suffix);
                    this.content_type = format!("{name}+{suffix}");
                }
                Behaviour::UserAgent(name) => this.user_agent = Some(name.clone()),
                Behaviour::ClosesConnection => this.closes = true,
                _ => {}
            }
        }
        this
    }

    /// What reports call the device.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the device is switched off.
    #[must_use]
    pub fn never_connects(&self) -> bool {
        self.never_connects
    }

    /// Runs one session from its first message to its end. Every failure is in the report's `end`.
    pub async fn connect(&mut self, initiation: &Initiation) -> SessionReport {
        let started = Instant::now();
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.device.set_clock(TStamp::of_unix_s(since_1970.as_secs().cast_signed()));
        let mut report = SessionReport::new(&self.name);
        report.end = if self.never_connects {
            SessionEnd::SwitchedOff
        } else {
            let time_max = self.options.session_time_max;
            let session = self.exchange(initiation, &mut report);
            tokio::time::timeout(time_max, session).await.unwrap_or(SessionEnd::TimedOut)
        };
        report.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        if !self.never_connects {
            report.session_id = self.device.session_id().unwrap_or_default().to_owned();
            report.executed = self.device.ledger().session().to_vec();
            report.complaints.extend_from_slice(self.device.complaints());
        }
        tracing::debug!(device = %self.name, end = ?report.end, messages = report.messages_sent, "session over");
        report
    }

    async fn exchange(&mut self, initiation: &Initiation, report: &mut SessionReport) -> SessionEnd {
        let mut message = self.device.start(initiation);
        loop {
            let answer = match self.send(&message, report).await {
                Ok(answer) => answer,
                Err(end) => return end,
            };
            let limits = Limits { document_bytes_max: RESPONSE_BYTES_MAX, ..Limits::DEVICE };
            let decoded = match Message::decode(self.device.encoding(), &answer.body, &limits) {
                Ok(decoded) => decoded,
                Err(error) => return SessionEnd::Transport(format!("the answer is not a message: {error}")),
            };
            let step = self.device.receive_sealed(&decoded, &answer.body, answer.seal.as_deref());
            if self.restarts(report.messages_sent) {
                return SessionEnd::Rebooted;
            }
            match (step.reply, step.finished) {
                (Some(reply), None) => message = reply,
                (None, None) => return SessionEnd::Violation("nothing to say and no end".to_owned()),
                (reply, Some(end)) => {
                    // A last word, an abort for example, whose answer nobody reads.
                    if let Some(reply) = reply
                        && let Err(failure) = self.send(&reply, report).await
                    {
                        tracing::debug!(device = %self.name, ?failure, "last message not delivered");
                    }
                    return end;
                }
            }
        }
    }

    /// Restarts, if it is time to.
    fn restarts(&mut self, messages_sent: u32) -> bool {
        let due = |it: &&mut Reboots| it.left > 0 && it.after_message == messages_sent;
        let Some(reboots) = self.reboots.as_mut().filter(due) else { return false };
        reboots.left -= 1;
        self.device.reboot();
        if reboots.forgets_nonces {
            self.device.forget_nonces();
        }
        true
    }

    /// Sends one message, twice if the device repeats itself, and gives the answer.
    async fn send(&mut self, message: &Message, report: &mut SessionReport) -> Result<Answer, SessionEnd> {
        if report.messages_sent >= self.options.messages_max {
            return Err(SessionEnd::TooManyMessages);
        }
        if !self.slow.is_zero() {
            tokio::time::sleep(self.slow).await;
        }
        let encoded = self
            .device
            .write(message)
            .map_err(|error| SessionEnd::Violation(format!("the answer to the server cannot be written: {error}")))?;
        let url = self.device.next_url().to_owned();
        report.messages_sent += 1;
        let answer = self.post(&url, encoded.clone(), report).await?;
        if self.drops_left > 0 && self.drops_after == Some(report.messages_sent) {
            self.drops_left -= 1;
            return Err(SessionEnd::Dropped);
        }
        if self.repeats {
            let again = self.post(&url, encoded, report).await?;
            report.repeats += 1;
            if again.body != answer.body || again.status != answer.status {
                report.repeats_answered_otherwise += 1;
            }
        }
        if answer.status != StatusCode::OK {
            return Err(SessionEnd::Transport(format!("HTTP status {}", answer.status.as_u16())));
        }
        let expected = self.device.encoding().media_type();
        // A device that writes another media type may get that one back.
        if !answer.content_type.starts_with(expected) && !answer.content_type.starts_with(&self.content_type) {
            report.complaints.push(format!("Content-Type {:?} instead of {expected}", answer.content_type));
        }
        if answer.body.len() as u64 > self.device.message_bytes_max() {
            report.complaints.push(format!("a message of {} octets is above MaxMsgSize", answer.body.len()));
        }
        Ok(answer)
    }

    async fn post(&self, url: &str, body: Vec<u8>, report: &mut SessionReport) -> Result<Answer, SessionEnd> {
        let failed = |error: reqwest::Error| SessionEnd::Transport(chain(&error));
        report.bytes_sent += body.len() as u64;
        let request = self.options.client.post(url);
        let mut request = request
            .header(CONTENT_TYPE, &self.content_type)
            .header(ACCEPT, &self.content_type)
            .header(ACCEPT_CHARSET, "UTF-8")
            .header(CACHE_CONTROL, "no-store");
        if let Some(seal) = self.device.seal(&body) {
            request = request.header(SEAL, seal);
        }
        if let Some(user_agent) = &self.user_agent {
            request = request.header(USER_AGENT, user_agent);
        }
        if self.closes {
            request = request.header(CONNECTION, "close");
        }
        let response = request.body(body).send().await.map_err(failed)?;
        let status = response.status();
        report.http_statuses.push(status.as_u16());
        let text = |header: &str| response.headers().get(header).and_then(|it| it.to_str().ok()).map(str::to_owned);
        let (content_type, seal) = (text(CONTENT_TYPE.as_str()).unwrap_or_default(), text(SEAL));
        let body = read(response).await?;
        report.bytes_received += body.len() as u64;
        Ok(Answer { status, content_type, seal, body })
    }
}

/// Octets of a response that a device reads: a good deal above what it announces, to see and report what is too long.
const RESPONSE_BYTES_MAX: usize = 4 * MESSAGE_BYTES_MAX as usize;

async fn read(mut response: Response) -> Result<Vec<u8>, SessionEnd> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| SessionEnd::Transport(chain(&error)))? {
        if body.len() + chunk.len() > RESPONSE_BYTES_MAX {
            return Err(SessionEnd::Transport(format!("the answer is longer than {RESPONSE_BYTES_MAX} octets")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// An error with its causes: reqwest's own text does not name them.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
