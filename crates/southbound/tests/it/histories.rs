//! Random histories: whatever devices and callers do, and in whatever order, the promises hold.

use muster_broker::job::JobStatus;
use muster_broker::page::PageRequest;
use muster_broker::services::TasksWanted;
use muster_broker::task::{Task, TaskEvent, TaskStatus};
use muster_protocol::syncml::Encoding;
use muster_simulator::account::AuthType;
use muster_simulator::behaviour::Behaviour;
use muster_simulator::tree::{Access, Leaf, Node};
use proptest::prelude::*;

use crate::ask::Ask;
use crate::phone::{Kind, Phone, post};
use crate::world::{ParseId as _, World};

const PHONES: usize = 3;
const ATTEMPTS: u32 = 3;

/// What happens next.
#[derive(Clone, Debug)]
enum Act {
    Ask {
        phone: usize,
        what: What,
        opt_in: bool,
        lives_s: i64,
    },
    /// The device begins a session, leaving one that is open.
    Begin {
        phone: usize,
    },
    /// It sends its next messages, each twice if `repeats`, and hears every answer but the last if `loses`.
    Exchange {
        phone: usize,
        messages: usize,
        repeats: bool,
        loses: bool,
    },
    /// Somebody sends a message that the device sent before.
    Replay {
        phone: usize,
        back: usize,
    },
    Cancel {
        task: usize,
    },
    Pass {
        seconds: i64,
    },
    /// Silent sessions and old tasks are ended.
    Sweep,
    Restart,
    /// A job over all devices begins.
    Job {
        what: What,
    },
    /// Jobs are paused or go on, and the background follows.
    Hold {
        paused: bool,
    },
}

#[derive(Clone, Copy, Debug)]
enum What {
    Read,
    Write,
    Make,
    Remove,
    Execute,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let phone = 0..PHONES;
    let what =
        prop_oneof![Just(What::Read), Just(What::Write), Just(What::Make), Just(What::Remove), Just(What::Execute)];
    let job_what = what.clone();
    let act = prop_oneof![
        6 => (phone.clone(), what, prop::bool::weighted(0.2), prop_oneof![4 => Just(100_000_i64), 1 => 1..200_i64])
            .prop_map(|(phone, what, opt_in, lives_s)| Act::Ask { phone, what, opt_in, lives_s }),
        5 => phone.clone().prop_map(|phone| Act::Begin { phone }),
        9 => (phone.clone(), 1..6_usize, any::<bool>(), any::<bool>())
            .prop_map(|(phone, messages, repeats, loses)| Act::Exchange { phone, messages, repeats, loses }),
        2 => (phone, 0..12_usize).prop_map(|(phone, back)| Act::Replay { phone, back }),
        2 => (0..64_usize).prop_map(|task| Act::Cancel { task }),
        2 => (1..90_i64).prop_map(|seconds| Act::Pass { seconds }),
        1 => Just(Act::Sweep),
        1 => Just(Act::Restart),
        1 => job_what.prop_map(|what| Act::Job { what }),
        2 => any::<bool>().prop_map(|paused| Act::Hold { paused }),
    ];
    prop::collection::vec(act, 1..60)
}

struct Asked {
    id: String,
    phone: usize,
    what: What,
    path: String,
}

struct Run {
    world: World,
    phones: Vec<Phone>,
    sent: Vec<Vec<(String, Vec<u8>)>>,
    asked: Vec<Asked>,
    jobs: Vec<String>,
}

impl Run {
    async fn new() -> Self {
        let world = World::new();
        let kinds = [
            Kind::default(),
            Kind {
                encoding: Encoding::Wbxml,
                auth: AuthType::Basic,
                asks_server: false,
                behaviours: vec![Behaviour::SmallMessages { max_msg_size: 900 }],
            },
            Kind { asks_server: true, behaviours: vec![Behaviour::SkipsMsgId], ..Kind::default() },
        ];
        let mut phones = Vec::new();
        for (number, kind) in kinds.into_iter().enumerate() {
            let phone = Phone::of(&format!("phone{number}"), kind);
            world.record(&phone).await;
            phones.push(phone);
        }
        Self { world, phones, sent: vec![Vec::new(); PHONES], asked: Vec::new(), jobs: Vec::new() }
    }

    async fn act(&mut self, act: &Act) {
        match *act {
            Act::Ask { phone, what, opt_in, lives_s } => self.ask(phone, what, opt_in, lives_s).await,
            Act::Begin { phone } => self.phones[phone].begin(),
            Act::Exchange { phone, messages, repeats, loses } => {
                for number in 1..=messages {
                    if self.phones[phone].out.is_none() {
                        break;
                    }
                    self.exchange(phone, repeats, loses && number == messages).await;
                }
            }
            Act::Replay { phone, back } => {
                let sent = &self.sent[phone];
                if let Some((url, octets)) = sent.len().checked_sub(back + 1).and_then(|at| sent.get(at)) {
                    post(&self.world, url, octets, self.phones[phone].device.encoding()).await.unwrap();
                }
            }
            Act::Cancel { task } => {
                if let Some(asked) = self.asked.get(task)
                    && !self.world.status(&asked.id).await.is_final()
                {
                    self.world.cancel(&asked.id).await;
                }
            }
            Act::Pass { seconds } => self.world.pass_s(seconds),
            Act::Sweep => self.sweep().await,
            Act::Restart => self.world.reopen(),
            Act::Job { what } => self.job(what).await,
            Act::Hold { paused } => self.hold(paused).await,
        }
    }

    async fn sweep(&self) {
        self.world.sweep().await;
        self.world.store().task_expire(self.world.now(), 100).await.unwrap();
    }

    async fn ask(&mut self, phone: usize, what: What, opt_in: bool, lives_s: i64) {
        // Each task has a node of its own, so that the device can tell what became of it.
        let path = format!("./Vendor/Example/Settings/N{}", self.asked.len());
        self.prepare(phone, what, &path);
        let ask = asking(what, &path).lives_s(&self.world, lives_s);
        let ask = if opt_in { ask.opt_in() } else { ask };
        let id = ask.of(&self.phones[phone], &self.world).await;
        self.asked.push(Asked { id, phone, what, path });
    }

    async fn job(&mut self, what: What) {
        let path = format!("./Vendor/Example/Settings/J{}", self.asked.len());
        (0..PHONES).for_each(|phone| self.prepare(phone, what, &path));
        let phones: Vec<&Phone> = self.phones.iter().collect();
        let job = asking(what, &path).job(&phones, Some(7), &self.world).await;
        self.world.pump().await;
        let wanted = TasksWanted { job_id: Some(job.clone()), ..TasksWanted::default() };
        let tasks = self.world.broker().tasks(&self.world.caller, wanted, &PageRequest::default()).await.unwrap();
        for task in tasks.items {
            let phone = self.phones.iter().position(|it| Some(it.imei.parse_id()) == task.expected).unwrap();
            self.asked.push(Asked { id: task.id.to_string(), phone, what, path: path.clone() });
        }
        self.jobs.push(job);
    }

    async fn hold(&self, paused: bool) {
        for job in &self.jobs {
            // A job that is complete is neither paused nor goes on.
            let (broker, caller) = (self.world.broker(), &self.world.caller);
            let _ = match paused {
                true => broker.pause_job(caller, job, None).await,
                false => broker.restart_job(caller, job, false, None).await,
            };
        }
        if !self.jobs.is_empty() {
            self.world.pump().await;
        }
    }

    /// Makes what the operation needs on the device.
    fn prepare(&mut self, phone: usize, what: What, path: &str) {
        let device = &mut self.phones[phone].device;
        if !matches!(what, What::Make) {
            let mut node = Node::leaf(Access::ALL, Leaf::text("old"));
            node.permanent = false;
            device.tree.install(path, node).unwrap();
        }
    }

    async fn exchange(&mut self, phone: usize, repeats: bool, loses: bool) {
        let device = &mut self.phones[phone];
        let answer = device.send(&self.world).await.unwrap();
        self.sent[phone].push(device.sent.clone());
        if repeats {
            let again = device.send_again(&self.world).await.unwrap();
            // Of a message that was not let in nothing is kept, but its answer is the same too.
            assert_eq!(again, answer, "a repeated message gets the same answer");
        }
        if !loses && device.hear(&answer).is_some() {
            device.out = None;
        }
    }

    /// Lets every device connect until nothing is left to do.
    async fn settle(&mut self) {
        self.hold(false).await;
        self.world.pass_s(100);
        self.sweep().await;
        for phone in &mut self.phones {
            for _ in 0..=ATTEMPTS {
                phone.connect(&self.world).await;
            }
        }
        self.world.pump().await;
    }

    async fn check(&self) {
        for job in &self.jobs {
            let job = self.world.broker().job_by_id(&self.world.caller, job).await.unwrap();
            assert_eq!(job.job.status, JobStatus::Completed, "{job:?}");
        }
        for asked in &self.asked {
            let task = self.world.task(&asked.id).await;
            self.check_life(&task).await;
            self.check_device(asked, &task);
        }
    }

    async fn check_life(&self, task: &Task) {
        assert!(task.status.is_final(), "{task:?}");
        assert!(task.detail.as_deref().is_some_and(|it| !it.is_empty()), "no reason: {task:?}");
        assert!(task.finished_at.is_some() && task.plan.is_none() && task.attempts <= ATTEMPTS, "{task:?}");
        let history = self.world.history(&task.id.to_string()).await;
        assert_eq!(history.len(), task.history_len as usize);
        for (number, pair) in history.windows(2).enumerate() {
            assert_eq!(pair[0].number as usize, number);
            assert!(pair[0].at <= pair[1].at);
            assert!(may_follow(pair[0].status, pair[1].status), "{pair:?}");
        }
        assert_eq!(history.last().unwrap().status, task.status);
    }

    fn check_device(&self, asked: &Asked, task: &Task) {
        let phone = &self.phones[asked.phone];
        let (value, path) = (phone.text(&asked.path), asked.path.as_str());
        let done = task.status == TaskStatus::Succeeded;
        let what = format!("{task:?}");
        match asked.what {
            What::Read if done => assert_eq!(task.result[0].value.as_deref(), Some("old"), "{what}"),
            What::Read => {}
            What::Write => assert!(!done || value == Some("new"), "{what}"),
            What::Make => {
                assert!(!done || value == Some("new"), "{what}");
                assert!(phone.did("Add", path) <= 1, "{what}");
            }
            What::Remove => {
                assert!(!done || value.is_none(), "{what}");
                assert!(phone.did("Delete", path) <= 1, "{what}");
            }
            What::Execute => {
                assert!(!done || phone.did("Exec", path) == 1, "{what}");
                assert!(phone.did("Exec", path) <= 1, "{what}");
            }
        }
        let commands = ["Get", "Replace", "Add", "Delete", "Exec"];
        if task.attempts == 0 {
            assert!(commands.iter().all(|it| phone.did(it, path) == 0), "{what}");
        }
    }
}

/// The operation that is asked for with this node.
fn asking(what: What, path: &str) -> Ask {
    let ask = match what {
        What::Read => Ask::query(&[path]),
        What::Write => Ask::update(&[(path, "new")]),
        What::Make => Ask::create(&[(path, "new")]),
        What::Remove => Ask::delete(&[path]),
        What::Execute => Ask::execute(path),
    };
    ask.attempts(ATTEMPTS)
}

/// Whether the contract has a way from one status to the other in one step.
fn may_follow(from: TaskStatus, to: TaskStatus) -> bool {
    let events = [
        TaskEvent::Connected,
        TaskEvent::UserAsked,
        TaskEvent::UserAccepted,
        TaskEvent::UserDeclined,
        TaskEvent::Done,
        TaskEvent::GivenUp,
        TaskEvent::AttemptFailed { attempts_left: 0 },
        TaskEvent::AttemptFailed { attempts_left: 1 },
        TaskEvent::CancelAsked,
        TaskEvent::TimeOver,
        TaskEvent::JobPaused,
        TaskEvent::JobResumed,
    ];
    from == to || events.iter().any(|event| from.after(*event) == Ok(to))
}

/// Histories tried, unless `PROPTEST_CASES` says otherwise: some ten seconds of them.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|it| it.parse().ok()).unwrap_or(64)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_ends_in_final_states_that_agree_with_the_devices(acts in acts()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut run = Run::new().await;
            for act in &acts {
                run.act(act).await;
            }
            run.settle().await;
            run.check().await;
        });
    }
}
