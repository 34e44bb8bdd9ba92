//! A simulated device with what it has sent and will send.

use muster_broker::device::AuthType as Weakest;
use muster_broker::services::AccountFields;
use muster_protocol::dm1::MAX_MSG_SIZE_DEFAULT;
use muster_protocol::limits::Limits;
use muster_protocol::syncml::{Encoding, Message};
use muster_simulator::account::{Account, AuthType, ServerSecret};
use muster_simulator::behaviour::{Behaviour, Persona};
use muster_simulator::dm1::{Device, Initiation, SessionEnd};
use muster_simulator::tree::Profile;
use muster_southbound::dm1::Answer;

use crate::chance::Chance;
use crate::imei::imei;

/// Where devices post.
pub(crate) const URL: &str = "http://127.0.0.1/dm";

/// Name and secret with which the server proves who it is.
pub(crate) const SERVER: &str = "server";
pub(crate) const SERVER_SECRET: &str = "server-secret";

/// Kinds of devices that this server speaks with.
const PERSONAS: &[Persona] =
    &[Persona::Dm112, Persona::Libdmclient, Persona::Samsung, Persona::Windows, Persona::Cyanogenmod, Persona::Hotspot];

/// One message on its way.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub(crate) url: String,
    pub(crate) octets: Vec<u8>,
    pub(crate) seal: Option<String>,
}

/// A device and where it is in its session.
pub(crate) struct Handset {
    pub(crate) device: Device,
    pub(crate) imei: String,
    pub(crate) encoding: Encoding,
    pub(crate) persona: Persona,
    pub(crate) behaviours: Vec<Behaviour>,
    /// Name of its account.
    pub(crate) name: String,
    account: AccountFields,
    /// What it sends next, or sends again.
    pub(crate) out: Option<Packet>,
    /// What is sent once more and not listened to: the last word of a session.
    pub(crate) is_last_word: bool,
    /// Everything sent so far.
    pub(crate) sent: Vec<Packet>,
    /// The server may have ended the session since it began, for a message that came late or none that came. It goes on
    /// with the device's next message, if that proves who it is, and does not know any more what size the device takes.
    pub(crate) may_be_forgotten: bool,
    /// How often the packet in `out` was sent in vain.
    pub(crate) tries: usize,
}

impl Handset {
    /// The device with this number of a run.
    pub(crate) fn new(seed: u64, number: usize, chance: &mut Chance) -> Self {
        let serial = (seed * 4 + number as u64) % 1_000_000;
        let tac = 35_000_000 + (seed * 4 / 1_000_000) % 1_000_000;
        let imei = format!("IMEI:{}", imei(tac, serial));
        let name = format!("device {seed}/{number}");
        let persona = if chance.percent(40) { *chance.pick(PERSONAS) } else { Persona::Plain };
        let behaviours = [persona.behaviours(), oddities(chance)].concat();
        let auth = *chance.pick(&[AuthType::Basic, AuthType::Md5, AuthType::Md5, AuthType::Hmac]);
        let server_auth = *chance.pick(&AuthType::ALL[AuthType::ALL.iter().position(|it| *it == auth).unwrap()..]);
        let server = ServerSecret { auth: server_auth, ..ServerSecret::md5(SERVER, SERVER_SECRET, *b"first nonce") };
        let server = chance.percent(50).then_some(server);
        // A server that takes MD5 asks for it, whatever the device would do by itself.
        let weakest = if auth == AuthType::Hmac { *chance.pick(&[AuthType::Md5, AuthType::Hmac]) } else { auth };
        let account = Account {
            server_url: URL.into(),
            server_id: "muster".into(),
            auth,
            weakest,
            client_name: name.clone(),
            client_secret: format!("{name}-secret"),
            client_nonce: chance.percent(70).then(|| format!("{name} first nonce").into_bytes()),
            server,
        };
        let fields = AccountFields {
            auth_type: match weakest {
                AuthType::Basic => Weakest::Basic,
                AuthType::Md5 => Weakest::Digest,
                AuthType::Hmac => Weakest::Hmac,
            },
            client_name: name.clone(),
            client_secret: Some(account.client_secret.clone()),
            client_nonce: account.client_nonce.clone(),
            server_id: Some("muster".into()),
            server_name: account.server.as_ref().map(|it| it.name.clone()),
            server_secret: account.server.as_ref().map(|it| it.secret.clone()),
            server_nonce: account.server.as_ref().map(|it| it.nonce.clone()),
        };
        let profile = Profile {
            dev_id: imei.clone(),
            manufacturer: "Example".into(),
            model: "One".into(),
            device_type: "phone".into(),
            firmware: "1.0".into(),
            software: "2.0".into(),
            hardware: "A".into(),
            language: "en-GB".into(),
        };
        let encoding = *chance.pick(&[Encoding::Xml, Encoding::Wbxml]);
        let device = Device::new(&profile, account, encoding, &behaviours, chance.next());
        Self {
            device,
            imei,
            encoding,
            persona,
            behaviours,
            name,
            account: fields,
            out: None,
            is_last_word: false,
            sent: Vec::new(),
            may_be_forgotten: false,
            tries: 0,
        }
    }

    /// The account as it is given to the server.
    pub(crate) fn account_fields(&self) -> AccountFields {
        self.account.clone()
    }

    /// Begins a session; one that is open is left.
    pub(crate) fn begin(&mut self, initiation: &Initiation) {
        let message = self.device.start(initiation);
        self.is_last_word = false;
        self.may_be_forgotten = false;
        self.put_out(&message);
    }

    fn put_out(&mut self, message: &Message) {
        let octets = self.device.write(message).unwrap();
        let packet = Packet { url: self.device.next_url().to_owned(), seal: self.device.seal(&octets), octets };
        self.sent.push(packet.clone());
        self.out = Some(packet);
        self.tries = 0;
    }

    /// Hears the answer to what it sent last. How the session ended, if it did.
    pub(crate) fn hear(&mut self, answer: &Answer) -> Result<Option<SessionEnd>, String> {
        let message = Message::decode(answer.encoding, &answer.body, &Limits::DEVICE)
            .map_err(|error| format!("an answer cannot be read: {error}"))?;
        if std::mem::take(&mut self.is_last_word) {
            self.out = None;
            return Ok(None);
        }
        let step = self.device.receive_sealed(&message, &answer.body, answer.hmac.as_deref());
        self.out = None;
        if let Some(reply) = &step.reply {
            self.put_out(reply);
            self.is_last_word = step.finished.is_some();
        }
        Ok(step.finished)
    }

    /// The session is lost; the tree stays.
    pub(crate) fn reboot(&mut self) {
        self.device.reboot();
        self.out = None;
        self.is_last_word = false;
    }

    /// `Content-Type` and `User-Agent` of its messages.
    pub(crate) fn http_headers(&self) -> (String, Option<&str>) {
        let usual = self.encoding.media_type();
        let mut content_type = usual.to_owned();
        let mut user_agent = None;
        for behaviour in &self.behaviours {
            match behaviour {
                Behaviour::ContentType(name) => {
                    let suffix = usual.rsplit_once('+').map_or("xml", |(_, suffix)| suffix);
                    content_type = format!("{name}+{suffix}");
                }
                Behaviour::UserAgent(name) => user_agent = Some(name.as_str()),
                _ => {}
            }
        }
        (content_type, user_agent)
    }

    /// Octets of the largest message that the server may send.
    pub(crate) fn message_bytes_max(&self) -> u64 {
        let announced = self.device.message_bytes_max();
        if self.may_be_forgotten { announced.max(MAX_MSG_SIZE_DEFAULT) } else { announced }
    }

    pub(crate) fn count(&self, command: &str, path: &str) -> u32 {
        self.device.ledger().count(path, command)
    }

    pub(crate) fn has(&self, wanted: &Behaviour) -> bool {
        self.behaviours.contains(wanted)
    }
}

/// What a device does that the specification allows, or that was seen.
fn oddities(chance: &mut Chance) -> Vec<Behaviour> {
    let mut odd = Vec::new();
    let all = [
        Behaviour::SkipsMsgId,
        Behaviour::IgnoresRespUri,
        Behaviour::StatusesOutOfOrder,
        Behaviour::OneCommandPerMessage,
        Behaviour::OneStatusForItems,
        Behaviour::NoMsgRefInResults,
        Behaviour::MetaBesideItems,
        Behaviour::NoMetaInResults,
        Behaviour::NoHeaderRefs,
        Behaviour::PublicIdAsText,
        Behaviour::LowerCaseSessionId,
        Behaviour::DevInfoWithNodes,
        Behaviour::Declines,
        Behaviour::NoAnswerFromUser,
        Behaviour::Cancels,
        Behaviour::Events(vec!["org.example.hello".into()]),
        Behaviour::EveryMessageProvesServer,
        Behaviour::NonceIsText,
        Behaviour::EmptyNonceIsSpecial,
        Behaviour::NoLargeObjects,
        Behaviour::SmallObjects { max_obj_size: 2_500 },
    ];
    odd.extend(all.into_iter().filter(|_| chance.percent(8)));
    if chance.percent(15) {
        odd.push(Behaviour::SmallMessages { max_msg_size: chance.between(1_600, 4_000) });
    }
    odd
}

/// Whether an answer can be taken for a message.
pub(crate) fn is_readable(answer: &Answer) -> bool {
    Message::decode(answer.encoding, &answer.body, &Limits::DEVICE).is_ok()
}
