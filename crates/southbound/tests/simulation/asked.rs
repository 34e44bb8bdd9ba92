//! Tasks of a run: what is asked for, and what must be true of it at the end.

use muster_broker::operation::{Arguments, Parameter};
use muster_broker::schedule::Schedule;
use muster_broker::services::OperationRequest;
use muster_broker::task::{HistoryEntry, Task, TaskEvent, TaskStatus};
use muster_simulator::tree::{Access, Leaf, Node};

use crate::chance::Chance;
use crate::ground::Server;
use crate::handset::Handset;

/// Attempts of each task.
pub(crate) const ATTEMPTS: u32 = 3;
/// What every node holds before it is written.
const OLD: &str = "old";

/// What a task does to its nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Read,
    Write,
    Make,
    Remove,
    Execute,
    Discover,
    Connect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrapped {
    Plain,
    Atomic,
    Sequence,
}

/// A task.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) id: String,
    pub(crate) handset: usize,
    pub(crate) what: What,
    pub(crate) wrapped: Wrapped,
    repeatable: bool,
    pub(crate) paths: Vec<String>,
    /// A node that is to be changed and is not there.
    missing: Option<String>,
    new: New,
}

/// What is written; too long for a log.
#[derive(Clone)]
struct New(String);

impl std::fmt::Debug for New {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} octets", self.0.len())
    }
}

impl Asked {
    /// Asks for something on nodes of its own, so that the device can tell what became of it.
    pub(crate) async fn ask(
        server: &Server,
        chance: &mut Chance,
        number: usize,
        at: usize,
        handset: &mut Handset,
    ) -> Self {
        let what = chance.weighted(&[
            (3, What::Read),
            (4, What::Write),
            (4, What::Make),
            (3, What::Remove),
            (4, What::Execute),
            (1, What::Discover),
            (1, What::Connect),
        ]);
        let several = matches!(what, What::Read | What::Write | What::Make | What::Remove);
        let count = if several { chance.between(1, 4) } else { 1 };
        let wrapped = match what {
            What::Write | What::Make | What::Remove => {
                chance.weighted(&[(4, Wrapped::Plain), (2, Wrapped::Atomic), (1, Wrapped::Sequence)])
            }
            _ => Wrapped::Plain,
        };
        let root = format!("./Vendor/Example/Settings/T{number}");
        let paths: Vec<String> = match what {
            What::Discover => vec![root.clone()],
            _ => (0..count).map(|it| format!("{root}-{it}")).collect(),
        };
        let length = chance.weighted(&[(20, 5), (4, 400), (2, 3_000), (2, 9_000), (1, 40_000)]);
        let new: String = ('a'..='z').cycle().take(length).collect();
        let repeatable = what == What::Execute && chance.percent(30);
        let lacks_one = chance.percent(8) && matches!(what, What::Read | What::Write | What::Remove | What::Execute);
        let missing = paths.first().filter(|_| lacks_one).cloned();
        prepare(what, &paths, handset, missing.as_ref());
        let id = request(server, what, wrapped, repeatable, &paths, &new, chance, &handset.imei).await;
        Self { id, handset: at, what, wrapped, repeatable, paths, missing, new: New(new) }
    }

    /// What must be true of the task and the device once nothing is left to do.
    pub(crate) fn check(&self, task: &Task, history: &[HistoryEntry], handset: &Handset) -> Result<(), String> {
        self.check_life(task, history)?;
        let was_sent = history.iter().any(|it| it.event == "CommandsSent");
        self.check_counts(handset, was_sent)?;
        if task.status == TaskStatus::Rejected && was_sent {
            return Err("commands were sent though the user, or the policy, refused".into());
        }
        if self.wrapped == Wrapped::Atomic {
            self.check_whole(handset)?;
        }
        if task.status == TaskStatus::Succeeded {
            self.check_done(task, handset)
        } else {
            self.check_failed(task, handset)
        }
    }

    fn check_life(&self, task: &Task, history: &[HistoryEntry]) -> Result<(), String> {
        if !task.status.is_final() {
            return Err(format!("it never ends: {:?}", task.status));
        }
        if task.detail.as_deref().is_none_or(str::is_empty) {
            return Err("no reason is given".into());
        }
        if task.finished_at.is_none() || task.plan.is_some() || task.attempts > ATTEMPTS {
            return Err("its record is not that of a task that ended".into());
        }
        if history.len() != task.history_len as usize || history.last().is_none_or(|it| it.status != task.status) {
            return Err("its history does not lead to where it is".into());
        }
        for (number, pair) in history.windows(2).enumerate() {
            let [before, after] = pair else { continue };
            let follows = before.number as usize == number && before.at <= after.at;
            if !follows || !may_follow(before.status, after.status) {
                return Err(format!("its history has a jump: {before:?} then {after:?}"));
            }
        }
        Ok(())
    }

    /// Nothing is done twice that must not be, and nothing that was not sent.
    fn check_counts(&self, handset: &Handset, was_sent: bool) -> Result<(), String> {
        for path in &self.paths {
            for command in ["Get", "Replace", "Add", "Delete", "Exec"] {
                let count = handset.count(command, path);
                if count > 0 && !was_sent {
                    return Err(format!("{command} {path} was carried out and never sent"));
                }
                let is_idempotent = matches!(command, "Get" | "Replace") || self.repeatable;
                if count > 1 && !is_idempotent {
                    return Err(format!("{command} {path} was carried out {count} times"));
                }
            }
        }
        Ok(())
    }

    /// All of an Atomic or nothing.
    fn check_whole(&self, handset: &Handset) -> Result<(), String> {
        let all: Vec<&String> = self.paths.iter().filter(|path| !self.is_missing(path)).collect();
        let changed = all.iter().filter(|path| self.is_changed(handset, path)).count();
        if changed == 0 || changed == all.len() {
            Ok(())
        } else {
            Err(format!("{changed} of {} nodes of an Atomic are changed", all.len()))
        }
    }

    fn is_missing(&self, path: &str) -> bool {
        self.missing.as_deref() == Some(path)
    }

    fn is_changed(&self, handset: &Handset, path: &str) -> bool {
        match self.what {
            What::Write | What::Make => handset.device.tree.text(path) == Some(&self.new.0),
            What::Remove => handset.count("Delete", path) > 0,
            What::Execute => handset.count("Exec", path) > 0,
            What::Read | What::Discover | What::Connect => false,
        }
    }

    fn check_done(&self, task: &Task, handset: &Handset) -> Result<(), String> {
        for path in &self.paths {
            let value = handset.device.tree.text(path);
            let is_so = match self.what {
                What::Read => {
                    task.result.iter().any(|it| it.path == *path && it.value.as_deref() == Some(OLD))
                        && value == Some(OLD)
                }
                What::Write => value == Some(&self.new.0),
                What::Make => value == Some(&self.new.0) && handset.count("Add", path) == 1,
                // Of a Delete that was lost, a node that is not there is taken for the work.
                What::Remove => value.is_none() && (handset.count("Delete", path) == 1 || self.is_missing(path)),
                What::Execute => handset.count("Exec", path) >= 1,
                What::Discover => ["A", "B"].iter().all(|name| {
                    let below = format!("{path}/{name}");
                    task.result.iter().any(|it| it.path == below && it.value.as_deref() == Some(OLD))
                }),
                What::Connect => true,
            };
            if !is_so {
                return Err(format!("it succeeded, and the device has {value:?} at {path}; result {:?}", task.result));
            }
        }
        Ok(())
    }

    /// What failed as not carried out was not; what the device confirmed was.
    fn check_failed(&self, task: &Task, handset: &Handset) -> Result<(), String> {
        if !matches!(self.what, What::Make | What::Remove) || self.wrapped == Wrapped::Atomic {
            return Ok(());
        }
        let command = if self.what == What::Make { "Add" } else { "Delete" };
        for node in &task.result {
            let Some(status) = node.status.filter(|_| !self.is_missing(&node.path)) else { continue };
            let said_done = (200..300).contains(&status) && !matches!(status, 214..=216);
            if said_done != (handset.count(command, &node.path) == 1) {
                return Err(format!(
                    "{command} {}: the result says {status}, the device did it {} times",
                    node.path,
                    handset.count(command, &node.path)
                ));
            }
        }
        Ok(())
    }
}

/// Makes what the operation needs on the device, or not.
fn prepare(what: What, paths: &[String], handset: &mut Handset, missing: Option<&String>) {
    let exists = |path: &&String| what != What::Make && missing != Some(*path);
    let paths: Vec<String> = match what {
        What::Discover => ["A", "B"].iter().map(|name| format!("{}/{name}", paths[0])).collect(),
        _ => paths.iter().filter(exists).cloned().collect(),
    };
    for path in paths {
        let mut node = Node::leaf(Access::ALL, Leaf::text(OLD));
        node.permanent = false;
        handset.device.tree.install(&path, node).unwrap();
    }
}

#[expect(clippy::too_many_arguments, reason = "all of it is one question")]
async fn request(
    server: &Server,
    what: What,
    wrapped: Wrapped,
    repeatable: bool,
    paths: &[String],
    new: &str,
    chance: &mut Chance,
    imei: &str,
) -> String {
    let value = matches!(what, What::Write | What::Make).then(|| new.to_owned());
    let parameter = |path: &String| Parameter { path: path.clone(), value: value.clone(), ..Parameter::default() };
    let mut option: Vec<(String, String)> = Vec::new();
    let mut set = |name: &str| option.push((name.to_owned(), "true".to_owned()));
    match wrapped {
        Wrapped::Atomic => set("atomic"),
        Wrapped::Sequence => set("sequence"),
        Wrapped::Plain => {}
    }
    if what == What::Make {
        set("create");
    }
    if repeatable {
        set("repeatable");
    }
    let operation = match what {
        What::Read => "QUERY",
        What::Write | What::Make => "UPDATE",
        What::Remove => "DELETE",
        What::Execute => "EXECUTE",
        What::Discover => "DISCOVER",
        What::Connect => "SESSION",
    };
    let arguments = Arguments {
        parameter: if what == What::Connect { Vec::new() } else { paths.iter().map(parameter).collect() },
        option,
        ..Arguments::default()
    };
    let lives_s = if chance.percent(10) { chance.between(1, 200) } else { 100_000 };
    let request = OperationRequest {
        operation: operation.to_owned(),
        phone_number: None,
        opt_in: chance.percent(20),
        policy: 20,
        test_cycle: false,
        device_id: Some(muster_broker::identity::DeviceId::from_caller(imei).unwrap()),
        arguments,
        callback: None,
        schedule: Schedule {
            attempts_max: Some(ATTEMPTS),
            end: Some(server.now().plus_s(lives_s as i64)),
            ..Schedule::default()
        },
        request: None,
    };
    server.broker.do_operation(&server.caller, request).await.unwrap()
}

/// Whether the contract has a way from one status to the other in one step.
fn may_follow(from: TaskStatus, to: TaskStatus) -> bool {
    let events = [
        TaskEvent::Notified,
        TaskEvent::Connected,
        TaskEvent::UserAsked,
        TaskEvent::UserAccepted,
        TaskEvent::UserDeclined,
        TaskEvent::DeviceCarriesOn,
        TaskEvent::DeviceReported,
        TaskEvent::Done,
        TaskEvent::GivenUp,
        TaskEvent::AttemptFailed { attempts_left: 0 },
        TaskEvent::AttemptFailed { attempts_left: 1 },
        TaskEvent::CancelAsked,
        TaskEvent::TimeOver,
    ];
    from == to || events.iter().any(|event| from.after(*event) == Ok(to))
}
