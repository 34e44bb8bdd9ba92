//! One run: a seed decides the devices, what is asked of them, and what befalls their messages.

use std::fmt::Write as _;
use std::sync::Arc;

use muster_broker::contact;
use muster_protocol::dm1::Quirks;
use muster_protocol::dm1::notification::{
    DigestName, Form, Nonce, Notification, ResyncNonce, ServerIdentifier, ServerKey, SessionId,
};
use muster_simulator::behaviour::{Behaviour, ResyncReading};
use muster_simulator::dm1::{Event, Initiation, SessionEnd, Unfollowed};
use muster_southbound::dm1::{Answer, Post, Refusal, Settings};
use muster_southbound::profile::{self, Profile, Profiles};

use crate::asked::{ATTEMPTS, Asked};
use crate::chance::Chance;
use crate::ground::{Ground, NODES, Server};
use crate::handset::{Handset, Packet, SERVER, SERVER_SECRET, URL};

/// How often a device sends a message again before it gives up the session.
const TRIES_MAX: usize = 4;
/// Most messages of a session while the link is calm.
const MESSAGES_MAX: usize = 400;
/// Sessions of each device while the link is calm: enough for every attempt of every task.
const SESSIONS_MAX: usize = 4 * ATTEMPTS as usize;

/// What befalls one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Arrives,
    RequestLost,
    ReplyLost,
    RequestCut,
    ReplyCut,
    ArrivesTwice,
    HeardTwice,
}

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Act {
    Ask,
    Begin,
    Notify,
    Raise,
    Exchange,
    Replay,
    Reboot,
    ForgetNonces,
    Cancel,
    Pass,
    Sweep,
    ReplaceNode,
}

const ACTS: &[(usize, Act)] = &[
    (10, Act::Ask),
    (10, Act::Begin),
    (4, Act::Notify),
    (2, Act::Raise),
    (60, Act::Exchange),
    (4, Act::Replay),
    (3, Act::Reboot),
    (1, Act::ForgetNonces),
    (2, Act::Cancel),
    (4, Act::Pass),
    (2, Act::Sweep),
    (3, Act::ReplaceNode),
];

const FATES: &[(usize, Fate)] = &[
    (70, Fate::Arrives),
    (6, Fate::RequestLost),
    (8, Fate::ReplyLost),
    (4, Fate::RequestCut),
    (4, Fate::ReplyCut),
    (5, Fate::ArrivesTwice),
    (3, Fate::HeardTwice),
];

/// Why a device did not get an answer.
enum Trouble {
    Refused(Refusal),
    Wrong(String),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What a run was made of.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) messages: usize,
    pub(crate) sessions: usize,
    pub(crate) tasks: usize,
    pub(crate) succeeded: usize,
    pub(crate) unknown: usize,
}

impl Figures {
    pub(crate) fn add(&mut self, other: Self) {
        self.messages += other.messages;
        self.sessions += other.sessions;
        self.tasks += other.tasks;
        self.succeeded += other.succeeded;
        self.unknown += other.unknown;
    }
}

/// The profiles of the server; with `sends_objects`, devices of which nothing is known are sent large objects.
fn profiles(sends_objects: bool) -> Profiles {
    let quirks = Quirks { large_objects: sends_objects.then_some(true), ..Quirks::default() };
    let seen = "devices of this simulation".to_owned();
    let plain = Profile { name: profile::PLAIN.to_owned(), seen, session: quirks, ..Profile::default() };
    Profiles::new(vec![plain]).unwrap()
}

/// One run.
pub(crate) struct Run {
    server: Server,
    chance: Chance,
    handsets: Vec<Handset>,
    asked: Vec<Asked>,
    figures: Figures,
    /// Session id of the last notification.
    notified: u16,
    /// What happened, line by line, for whoever has to find out why.
    log: String,
}

impl Run {
    /// Plays a seed on a store.
    ///
    /// # Errors
    /// What is wrong, with everything that happened.
    pub(crate) async fn play(ground: &Ground, seed: u64) -> Result<Figures, String> {
        let mut chance = Chance::new(seed);
        let mut handsets: Vec<Handset> =
            (0..chance.between(1, 2)).map(|number| Handset::new(seed, number, &mut chance)).collect();
        let ignores = handsets.iter().any(|it| it.has(&Behaviour::IgnoresServerLimits));
        let limits: &[u32] = if ignores { &[64_000] } else { &[6_000, 16_000, 64_000] };
        let settings = Settings {
            message_bytes_max: *chance.pick(limits),
            object_bytes_max: *chance.pick(&[5_000, 1 << 20]),
            proof_in_each_message: chance.percent(15),
            profiles: Arc::new(profiles(chance.percent(50))),
            ..Settings::default()
        };
        let server = Server::new(ground, seed, settings);
        for handset in &mut handsets {
            server.record(&handset.imei, handset.account_fields()).await;
        }
        let mut run = Self {
            server,
            chance,
            handsets,
            asked: Vec::new(),
            figures: Figures::default(),
            notified: 0,
            log: String::new(),
        };
        for (number, handset) in run.handsets.iter().enumerate() {
            let Handset { persona, behaviours, encoding, .. } = handset;
            let _ = writeln!(
                run.log,
                "device {number}: {persona:?} {encoding:?} {behaviours:?} {:?}",
                handset.device.account
            );
        }
        let outcome = run.go().await;
        outcome.map_err(|why| format!("{}{why}", run.log))?;
        Ok(run.figures)
    }

    async fn go(&mut self) -> Result<(), String> {
        for _ in 0..self.chance.between(5, 60) {
            let act = self.chance.weighted(ACTS);
            let at = self.chance.below(self.handsets.len());
            self.act(act, at).await?;
        }
        self.settle().await?;
        self.check().await
    }

    fn note(&mut self, line: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.log, "{line}");
    }

    async fn act(&mut self, act: Act, at: usize) -> Result<(), String> {
        match act {
            Act::Ask => {
                let number = self.asked.len();
                let asked = Asked::ask(&self.server, &mut self.chance, number, at, &mut self.handsets[at]).await;
                self.note(format_args!("task {number} for device {at}: {asked:?}"));
                self.asked.push(asked);
            }
            Act::Begin => {
                // Mostly a device goes on with the session it has.
                if self.handsets[at].out.is_none() || self.chance.percent(10) {
                    self.note(format_args!("device {at} begins a session"));
                    self.figures.sessions += 1;
                    self.handsets[at].begin(&Initiation::Client);
                }
            }
            Act::Notify => self.notify(at).await?,
            Act::Raise => {
                let octets = self.chance.weighted(&[(4, 10), (2, 2_000), (1, 20_000)]);
                let event = Event::generic("./Vendor/Example", "org.example.told", &"e".repeat(octets));
                self.handsets[at].device.raise(event);
            }
            Act::Exchange => {
                let fate = self.chance.weighted(FATES);
                self.exchange(at, fate).await?;
            }
            Act::Replay => self.replay(at).await,
            Act::Reboot => {
                self.note(format_args!("device {at} reboots"));
                self.handsets[at].reboot();
            }
            Act::ForgetNonces => {
                self.note(format_args!("device {at} reboots and forgets its nonces"));
                self.handsets[at].reboot();
                self.handsets[at].device.forget_nonces();
            }
            Act::Cancel => self.cancel().await,
            Act::Pass => {
                let seconds = self.chance.between(1, 90);
                self.server.pass_s(seconds as i64);
            }
            Act::Sweep => {
                self.server.sweep().await;
                self.handsets.iter_mut().for_each(|it| it.may_be_forgotten = true);
            }
            Act::ReplaceNode => {
                let node = self.chance.below(NODES);
                self.server.replace_node(node);
            }
        }
        Ok(())
    }

    /// The device is asked to connect, with the nonce that the server has of it or with that of a resynchronisation.
    /// The notification is lost, comes, or comes twice.
    async fn notify(&mut self, at: usize) -> Result<(), String> {
        let contact = self.server.contact(&self.handsets[at].name).await;
        let stored = contact.state.server_nonce.clone().unwrap_or_else(|| b"first nonce".to_vec());
        let is_resync = self.chance.percent(40);
        if is_resync {
            self.server.commit(contact::resynchronised(&contact)).await;
        }
        let by_name = self.handsets[at].has(&Behaviour::NotificationByName);
        let reads_text = self.handsets[at].has(&Behaviour::ResyncNonce(ResyncReading::Text));
        let form = Form {
            digest_name: if by_name { DigestName::AccountName } else { DigestName::ServerId },
            resync_nonce: if reads_text { ResyncNonce::Ascii } else { ResyncNonce::FourZeroOctets },
            ..Form::default()
        };
        self.notified += 1;
        let session_id = SessionId::new(self.notified).unwrap();
        let notification = Notification::new(&form, session_id, ServerIdentifier::new("muster").unwrap());
        let key = ServerKey { account_name: SERVER, secret: SERVER_SECRET };
        let nonce = if is_resync { Nonce::Resync } else { Nonce::Stored(&stored) };
        let octets = notification.seal(&form, &key, nonce);
        if self.chance.percent(20) {
            return Ok(());
        }
        let handset = &mut self.handsets[at];
        match handset.device.notified(&octets) {
            Ok(initiation) => {
                if handset.device.notified(&octets) != Err(Unfollowed::Repeated) {
                    return Err(format!("device {at} follows a notification twice"));
                }
                handset.begin(&initiation);
                self.figures.sessions += 1;
                self.note(format_args!("device {at} follows a notification, resynchronised: {is_resync}"));
            }
            // The device has given out another nonce since, and the server does not know; or it has no secret to
            // check the digest with.
            Err(Unfollowed::Digest) if !is_resync || handset.device.account.server.is_none() => {}
            Err(other) => return Err(format!("device {at} does not follow a notification: {other}")),
        }
        Ok(())
    }

    async fn cancel(&mut self) {
        let Some(number) = self.asked.len().checked_sub(1).map(|last| self.chance.between(0, last)) else { return };
        let id = self.asked[number].id.clone();
        if !self.server.task(&id).await.status.is_final() {
            self.note(format_args!("task {number} is cancelled"));
            self.server.broker.cancel_task(&self.server.caller, &id, None).await.unwrap();
        }
    }

    /// Something that was sent long ago arrives now, or once more; its answer goes nowhere.
    async fn replay(&mut self, at: usize) {
        let count = self.handsets[at].sent.len();
        if count == 0 {
            return;
        }
        let number = self.chance.below(count);
        let packet = self.handsets[at].sent[number].clone();
        self.handsets[at].may_be_forgotten = true;
        self.note(format_args!("message {number} of device {at} arrives late"));
        let node = self.chance.below(NODES);
        // Whatever is answered, also that it cannot be taken.
        let _ = self.post(node, at, &packet).await;
    }

    /// Sends what a device has to send, and has it hear the answer if there is one.
    async fn exchange(&mut self, at: usize, fate: Fate) -> Result<(), String> {
        let Some(packet) = self.handsets[at].out.clone() else { return Ok(()) };
        let node = self.chance.below(NODES);
        let number = self.handsets[at].sent.len() - 1;
        self.note(format_args!("device {at} sends message {number} to node {node}: {fate:?}"));
        let answer = match self.befall(fate, node, at, packet).await {
            // Who fails to prove who it is has to wait, and a device only sees that it does not get through.
            Err(Trouble::Refused(Refusal::NotNow { .. })) => None,
            Err(Trouble::Refused(refusal)) => return Err(format!("a message of device {at} was refused: {refusal:?}")),
            Err(Trouble::Wrong(why)) => return Err(why),
            Ok(answer) => answer,
        };
        let Some(answer) = answer else {
            let handset = &mut self.handsets[at];
            handset.tries += 1;
            if handset.tries >= TRIES_MAX || handset.is_last_word {
                handset.reboot();
            }
            return Ok(());
        };
        let end = self.hear(at, &answer)?;
        if fate == Fate::HeardTwice && end.is_none() {
            let handset = &mut self.handsets[at];
            let before = handset.out.as_ref().map(|it| it.octets.clone());
            handset.hear(&answer)?;
            handset.sent.pop();
            if handset.out.as_ref().map(|it| it.octets.clone()) != before {
                return Err("an answer that was heard twice was answered otherwise".into());
            }
        }
        Ok(())
    }

    /// The answer that comes back to the device, if one does.
    async fn befall(&mut self, fate: Fate, node: usize, at: usize, packet: Packet) -> Result<Option<Answer>, Trouble> {
        Ok(match fate {
            Fate::RequestLost => None,
            Fate::RequestCut => {
                let length = self.chance.below(packet.octets.len());
                let cut = Packet { octets: packet.octets[..length].to_vec(), ..packet };
                if let Ok(answer) = self.post(node, at, &cut).await {
                    return Err(Trouble::Wrong(format!(
                        "a message cut after {length} octets was answered: {answer:?}"
                    )));
                }
                None
            }
            Fate::ReplyLost | Fate::ReplyCut => {
                let answer = self.post(node, at, &packet).await?;
                let length = self.chance.below(answer.body.len());
                let cut = Answer { body: answer.body[..length].to_vec(), ..answer };
                if fate == Fate::ReplyCut && crate::handset::is_readable(&cut) {
                    return Err(Trouble::Wrong(format!("an answer cut after {length} octets was read")));
                }
                None
            }
            Fate::Arrives | Fate::HeardTwice => Some(self.post(node, at, &packet).await?),
            Fate::ArrivesTwice => {
                let answer = self.post(node, at, &packet).await?;
                let other = self.chance.below(NODES);
                let again = self.post(other, at, &packet).await?;
                if again != answer {
                    let text = format!("a repeated message got another answer: {answer:?} then {again:?}");
                    return Err(Trouble::Wrong(text));
                }
                Some(answer)
            }
        })
    }

    fn hear(&mut self, at: usize, answer: &Answer) -> Result<Option<SessionEnd>, String> {
        let handset = &mut self.handsets[at];
        let size = answer.body.len() as u64;
        let most = handset.message_bytes_max();
        if size > most {
            let text = String::from_utf8_lossy(&answer.body);
            return Err(format!("device {at} got a message of {size} octets, above {most}\n{text}"));
        }
        let end = handset.hear(answer)?;
        // Before a device has proved who it is the server keeps nothing of it, and counts its own messages by the
        // device's: one that leaves out numbers gets some left out.
        let is_own_fault = |it: &str| it.starts_with("MsgID") && handset.has(&Behaviour::SkipsMsgId);
        if let Some(complaint) = handset.device.complaints().iter().find(|it| !is_own_fault(it)) {
            let text = String::from_utf8_lossy(&answer.body);
            return Err(format!("device {at} complains of the server: {complaint}\n{text}"));
        }
        if let Some(end) = &end {
            let text = format!("device {at}: the session ended: {end:?}");
            self.note(format_args!("{text}"));
            if matches!(end, SessionEnd::Violation(_)) {
                return Err(text);
            }
        }
        Ok(end)
    }

    async fn post(&mut self, node: usize, at: usize, packet: &Packet) -> Result<Answer, Refusal> {
        self.figures.messages += 1;
        let token = packet.url.strip_prefix(URL).and_then(|it| it.strip_prefix('/'));
        let (content_type, user_agent) = self.handsets[at].http_headers();
        let post = Post {
            content_type: Some(&content_type),
            user_agent,
            hmac: packet.seal.as_deref(),
            token,
            body: &packet.octets,
            ..Post::default()
        };
        self.server.take(node, post).await
    }

    /// The link is calm and every device comes back, until nothing is left to do.
    async fn settle(&mut self) -> Result<(), String> {
        self.note(format_args!("the link is calm"));
        for _ in 0..SESSIONS_MAX {
            if !self.is_anything_open().await {
                break;
            }
            self.server.pass_s(100);
            self.server.sweep().await;
            for at in 0..self.handsets.len() {
                self.connect(at).await?;
            }
        }
        Ok(())
    }

    async fn is_anything_open(&self) -> bool {
        for asked in &self.asked {
            if !self.server.task(&asked.id).await.status.is_final() {
                return true;
            }
        }
        false
    }

    async fn connect(&mut self, at: usize) -> Result<(), String> {
        self.note(format_args!("device {at} begins a session"));
        self.figures.sessions += 1;
        self.handsets[at].begin(&Initiation::Client);
        for _ in 0..MESSAGES_MAX {
            let Some(packet) = self.handsets[at].out.clone() else { return Ok(()) };
            let node = self.chance.below(NODES);
            let answer = match self.post(node, at, &packet).await {
                Ok(answer) => answer,
                Err(Refusal::NotNow { retry_after_s }) => {
                    self.server.pass_s(i64::from(retry_after_s));
                    continue;
                }
                Err(refusal) => {
                    let text = String::from_utf8_lossy(&packet.octets);
                    return Err(format!("a calm message of device {at} was refused: {refusal:?}\n{text}"));
                }
            };
            match self.hear(at, &answer)? {
                None | Some(SessionEnd::Complete | SessionEnd::Rebooted) => {}
                Some(end) => {
                    let (asked, said) =
                        (String::from_utf8_lossy(&packet.octets), String::from_utf8_lossy(&answer.body));
                    return Err(format!("device {at}: a calm session ended with {end:?}\n{asked}\n{said}"));
                }
            }
        }
        let sent = &self.handsets[at].sent;
        let last: Vec<_> = sent.iter().rev().take(3).map(|it| String::from_utf8_lossy(&it.octets)).collect();
        Err(format!("device {at}: the session does not end; the last messages, backwards: {last:#?}"))
    }

    async fn check(&mut self) -> Result<(), String> {
        for number in 0..self.asked.len() {
            let asked = self.asked[number].clone();
            let task = self.server.task(&asked.id).await;
            let history = self.server.history(&asked.id).await;
            self.figures.tasks += 1;
            self.figures.succeeded += usize::from(task.status == muster_broker::task::TaskStatus::Succeeded);
            self.figures.unknown += usize::from(task.detail.as_deref().is_some_and(|it| it.contains("unknown")));
            asked.check(&task, &history, &self.handsets[asked.handset]).map_err(|why| {
                let mut all = format!("task {number} {asked:?}: {why}\n{task:?}\n");
                for entry in &history {
                    let _ = writeln!(all, "  {} {:?} {:?}", entry.event, entry.status, entry.detail);
                }
                let ledger: Vec<_> = self.handsets[asked.handset]
                    .device
                    .ledger()
                    .counts()
                    .filter(|(path, _, _)| asked.paths.iter().any(|it| it == path))
                    .collect();
                let _ = writeln!(all, "the device did {ledger:?}");
                all
            })?;
        }
        Ok(())
    }
}
