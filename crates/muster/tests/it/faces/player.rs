//! Worlds that take steps, each over one face.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use muster_broker::access::{Grant, GrantTenant, Granted, Origin, Principal};
use muster_broker::ledger::Deed;
use muster_broker::ports::Environment as _;
use muster_northbound::contract::{OperationDescriptor, answer_to_json, operation, request_from_json};
use muster_protocol::soap::Version;
use serde_json::{Value, json};

use super::step::Step;
use crate::running::{muster, run};
use crate::wsi_world::{HASH, World, envelope};

/// What a step came to.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    Answer(Value),
    /// Code, name and variables.
    Fault(String, String, Vec<String>),
}

impl Outcome {
    /// As the documents of REST tell it: there a parameter is called as the address calls it, so that the first variable,
    /// which is the name of one, may be another.
    fn of_rest(self) -> Self {
        match self {
            Self::Fault(code, name, variables) => Self::Fault(code, name, variables.into_iter().skip(1).collect()),
            answer @ Self::Answer(_) => answer,
        }
    }
}

/// A way to the server.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Face {
    Soap(Version),
    Rest,
    /// `muster call`, and `muster call --rest`.
    CommandLine(Way),
}

/// How the command line asks.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Soap,
    Rest,
}

impl Face {
    /// Every way; the others must do what the first does.
    const ALL: [Self; 5] = [
        Self::Soap(Version::Soap11),
        Self::Soap(Version::Soap12),
        Self::Rest,
        Self::CommandLine(Way::Soap),
        Self::CommandLine(Way::Rest),
    ];

    fn is_rest(self) -> bool {
        matches!(self, Self::Rest | Self::CommandLine(Way::Rest))
    }
}

struct Player {
    face: Face,
    world: World,
    /// Where the command line finds the WSI.
    url: String,
    sessions: BTreeMap<&'static str, String>,
    known: BTreeMap<&'static str, String>,
}

/// Gives every face the same steps and compares what they come to. The operations that were answered, on each face.
pub(super) async fn compare(subject: &str, steps: Vec<Step>) -> BTreeSet<&'static str> {
    let mut players = Vec::new();
    for face in Face::ALL {
        players.push(Player::new(face, &steps).await);
    }
    let mut answered = BTreeSet::new();
    for (index, step) in steps.iter().enumerate() {
        let place = format!("{subject}, step {index}, {} ({} {})", step.operation, step.method, step.path);
        let mut first: Option<(Outcome, String)> = None;
        for player in &mut players {
            let face = player.face;
            let outcome = player.take(step).await;
            let state = if step.is_last { String::new() } else { player.world.state(&player.sessions["root"]).await };
            match &first {
                None => {
                    if let Outcome::Answer(_) = outcome {
                        answered.insert(step.operation);
                    }
                    first = Some((outcome, state));
                }
                Some((wanted, wanted_state)) => {
                    let is_rest = face.is_rest();
                    let [got, wanted] = [outcome, wanted.clone()].map(|it| if is_rest { it.of_rest() } else { it });
                    assert_eq!(got, wanted, "{place}: {face:?}");
                    assert_eq!(&state, wanted_state, "{place}: the state after {face:?}");
                }
            }
        }
    }
    answered
}

impl Player {
    /// A world in which everybody has logged in who gives one of the steps.
    async fn new(face: Face, steps: &[Step]) -> Self {
        let world = World::new().await;
        let mut sessions = BTreeMap::new();
        let everything = Grant::whole(Granted::Role("administrator".to_owned()), GrantTenant::Any);
        let operator = Principal { grants: vec![everything], ..Principal::of_role("operator", "acme", "", &HASH) };
        world.broker.store().principal_put(operator, Deed::local("acme", "test", world.clock.now())).await.unwrap();
        let callers: BTreeSet<_> = steps.iter().filter_map(|step| step.caller).chain(["root"]).collect();
        for name in callers {
            // Without the password, whose check is meant to take long.
            let account = world.broker.account(name).await.unwrap().unwrap();
            let origin = Origin::local(world.broker.environment().uuid());
            let opened = world.broker.login(&account, None, origin).await.unwrap();
            sessions.insert(name, opened.session_id);
        }
        let url = match face {
            Face::CommandLine(_) => serve(&world).await,
            Face::Soap(_) | Face::Rest => String::new(),
        };
        Self { face, world, url, sessions, known: BTreeMap::new() }
    }

    async fn take(&mut self, step: &Step) -> Outcome {
        let descriptor = operation(step.operation).unwrap();
        let mut outcome = match self.face {
            Face::Soap(version) => self.soap(version, step, descriptor).await,
            Face::Rest => self.rest(step, descriptor).await,
            Face::CommandLine(way) => self.command_line(way, step).await,
        };
        if let Some((name, pointer)) = step.kept {
            // A step may be taken twice and be refused the second time.
            if let Outcome::Answer(answer) = &outcome {
                let value = answer.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {answer}"));
                self.known.insert(name, value.as_str().unwrap().to_owned());
            }
        }
        if let Outcome::Answer(answer) = &mut outcome {
            self.blank(step.operation, answer);
        }
        outcome
    }

    /// Blanks what may differ between worlds or faces, having looked at it.
    fn blank(&self, operation: &str, answer: &mut Value) {
        // The key of a store makes it, so that only whether it is there can be compared.
        if let Some(token) = answer.get_mut("nextPageToken") {
            *token = json!("…");
        }
        // The log tells the face, and its hashes are over that.
        if operation == "verifyAuditLog"
            && let Some(Value::String(head)) = answer.get_mut("head")
        {
            assert_eq!(head.split_once(':').unwrap().1.len(), 64);
            *head = head.split_once(':').unwrap().0.to_owned();
        }
        if operation != "getAuditEntries" {
            return;
        }
        let face = if self.face.is_rest() { "REST" } else { "SOAP" };
        for entry in answer["auditEntry"].as_array_mut().into_iter().flatten() {
            // Sessions are made by SOAP, and what is not asked for comes from the test itself.
            let is_asked = !matches!(entry["operation"].as_str().unwrap(), "login" | "test");
            assert!(!is_asked || entry["face"] == face || entry["face"] == "LOCAL", "{entry}");
            assert_eq!(entry["hash"].as_str().unwrap().len(), 64);
            entry["face"] = json!("…");
            entry["hash"] = json!("…");
        }
    }

    fn filled(&self, text: &str) -> String {
        self.known.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }

    fn filled_value(&self, value: &Value) -> Value {
        serde_json::from_str(&self.filled(&value.to_string())).unwrap()
    }

    async fn soap(&self, version: Version, step: &Step, descriptor: &'static OperationDescriptor) -> Outcome {
        let mut parameters = self.filled_value(&step.parameters);
        if let Some(caller) = step.caller {
            parameters["userSession"] = json!({"sessionId": self.sessions[caller]});
        }
        let body = String::from_utf8(request_from_json(descriptor, &parameters).unwrap()).unwrap();
        let reply = self.world.post(version, envelope(version, "", &body)).await;
        let content = reply.content();
        if content.name.local == "Fault" {
            let told = reply.fault();
            return Outcome::Fault(told.message_id, told.name, told.variables);
        }
        Outcome::Answer(answer_to_json(descriptor, &content))
    }

    async fn rest(&self, step: &Step, descriptor: &'static OperationDescriptor) -> Outcome {
        let session = step.caller.map(|caller| self.sessions[caller].as_str());
        let (path, body) = (self.filled(&step.path), step.body.as_ref().map(|body| self.filled_value(body)));
        let reply = self.world.rest_with(&step.method, &path, session, &step.headers, body).await;
        if !reply.status.is_success() {
            let told = reply.json();
            return fault(&told, "variables");
        }
        Outcome::Answer(if reply.text.is_empty() { Value::Null } else { as_contract(reply.json(), descriptor) })
    }

    /// As a user of the command line does it, who has a session.
    async fn command_line(&self, way: Way, step: &Step) -> Outcome {
        let parameters = self.filled_value(&step.parameters).to_string();
        let mut command = muster(["call", step.operation, "--json", "--args", &parameters]);
        command.env("MUSTER_URL", &self.url);
        if let Some(caller) = step.caller {
            command.env("MUSTER_SESSION", &self.sessions[caller]);
        }
        if way == Way::Rest {
            command.arg("--rest");
        }
        let done = tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap();
        let told: Value = serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{error}: {done:?}"));
        match done.code {
            Some(0) => Outcome::Answer(told),
            Some(1) => fault(&told["fault"], "variable"),
            _ => panic!("{done:?}"),
        }
    }
}

/// Lets a world be reached over a socket.
async fn serve(world: &World) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = world.router().into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    format!("http://{address}/wsi")
}

fn fault(told: &Value, variables: &str) -> Outcome {
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{told}")).to_owned();
    let variables = told[variables].as_array().unwrap_or_else(|| panic!("{told}")).iter().map(text).collect();
    Outcome::Fault(text(&told["messageId"]), text(&told["name"]), variables)
}

/// An answer of REST with the names that the contract has: those of pages, and of single values.
fn as_contract(mut answer: Value, descriptor: &OperationDescriptor) -> Value {
    use muster_northbound::contract::Kind;
    let result = descriptor.result.as_ref().unwrap();
    let Kind::Record(record) = result.kind else { return answer[result.name].take() };
    let Some(items) = answer.get("items").cloned() else { return answer };
    let is_page = record.fields.iter().any(|field| field.name == "totalCount");
    if !is_page {
        // A query that found one.
        assert_eq!(answer["totalCount"], 1);
        return items[0].clone();
    }
    let members = answer.as_object_mut().unwrap();
    members.remove("items");
    let list = record.fields.iter().find(|field| field.cardinality.repeats()).unwrap();
    members.insert(list.name.to_owned(), items);
    if let Some(next) = members.remove("nextCursor") {
        members.insert("nextPageToken".to_owned(), next);
    }
    answer
}
