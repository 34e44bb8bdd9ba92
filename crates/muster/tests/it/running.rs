//! A server in a process of its own, and the binary as a user runs it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) const PASSWORD: &str = "of the tests";
/// How long anything may take before a test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    /// The output of a command that went well.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.out
    }

    /// The output of a command that found something wrong, and ended with 2.
    #[track_caller]
    pub(crate) fn wrong(self) -> String {
        assert_eq!((self.code, &*self.err), (Some(2), ""), "{self:#?}");
        self.out
    }

    /// The only line of standard error of a command that ended with 1 and said nothing else.
    #[track_caller]
    pub(crate) fn refused(self) -> String {
        assert_eq!(self.code, Some(1), "{self:#?}");
        assert_eq!(self.out, "", "{self:#?}");
        assert!(!self.err.contains("panicked") && !self.err.contains("backtrace"), "{self:#?}");
        let told = self.err.strip_prefix("muster: ").unwrap_or_else(|| panic!("{self:#?}"));
        told.trim_end().to_owned()
    }
}

/// The binary, with nothing of the caller's environment that means something to it.
pub(crate) fn muster<'a>(args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MUSTER_")) {
        command.env_remove(name);
    }
    command.args(args).stdin(Stdio::null());
    command
}

pub(crate) fn run(command: &mut Command) -> Done {
    let output = command.output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    Done { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Runs the binary with a text on its standard input.
pub(crate) fn run_with_input(command: &mut Command, input: &str) -> Done {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    Done { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Asks until the answer is there.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begin.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A server; ends with its handle.
pub(crate) struct Running {
    child: Child,
    pub(crate) ready: Value,
    data: PathBuf,
}

impl Running {
    /// On free ports of loopback.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    pub(crate) fn start_with(data: &Path, more: &[&str]) -> Self {
        Self::spawn(Self::command(data, "127.0.0.1:0", "127.0.0.1:0", more), data).unwrap_or_else(|err| panic!("{err}"))
    }

    /// On the folder and the ports that another one had, which has ended.
    pub(crate) fn again(before: Self) -> Self {
        let (north, south) = (before.address("north"), before.address("south"));
        let data = before.data.clone();
        drop(before);
        // Somebody's outgoing connection may have the port for a moment.
        until("the same ports", || Self::spawn(Self::command(&data, &north, &south, &[]), &data).ok())
    }

    pub(crate) fn command(data: &Path, north: &str, south: &str, more: &[&str]) -> Command {
        let mut command = muster([
            "serve",
            "--ready-json",
            "--log",
            "error",
            "--north",
            north,
            "--south",
            south,
            "--admin",
            "127.0.0.1:0",
        ]);
        command.arg("--data").arg(data).args(more).env("MUSTER_ADMIN_PASSWORD", PASSWORD);
        command
    }

    /// Starts a `serve --ready-json`. The error is what it said instead of getting ready.
    pub(crate) fn spawn(mut command: Command, data: &Path) -> Result<Self, String> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let Ok(ready) = serde_json::from_str(&line) else {
            let mut err = String::new();
            stderr.read_to_string(&mut err).unwrap();
            child.wait().unwrap();
            return Err(err);
        };
        // Shown with a test that fails; a full pipe would stop the server.
        std::thread::spawn(move || {
            BufReader::new(stderr).lines().map_while(Result::ok).for_each(|it| eprintln!("{it}"));
        });
        Ok(Self { child, ready, data: data.to_owned() })
    }

    pub(crate) fn url(&self, listener: &str) -> String {
        self.ready[listener].as_str().unwrap().to_owned()
    }

    /// Address and port of a listener.
    pub(crate) fn address(&self, listener: &str) -> String {
        self.url(listener).split_once("://").unwrap().1.to_owned()
    }

    /// `muster call` as the administrator.
    pub(crate) fn command_call(&self, args: &[&str]) -> Command {
        let mut command = muster(std::iter::once("call").chain(args.iter().copied()));
        command.env("MUSTER_URL", format!("{}/wsi", self.url("north"))).env("MUSTER_PASSWORD", PASSWORD);
        command
    }

    /// The answer of an operation.
    #[track_caller]
    pub(crate) fn call(&self, operation: &str, arguments: &Value) -> Value {
        let arguments = arguments.to_string();
        let out = run(&mut self.command_call(&[operation, "--json", "--args", &arguments])).ok();
        serde_json::from_str(&out).unwrap()
    }

    /// Lets the server know the devices of `muster sim --devices N --seed S`.
    pub(crate) fn import(&self, devices: u64, seed: u64) {
        let file = self.data.join("fleet.json");
        let (devices, seed) = (devices.to_string(), seed.to_string());
        let mut sim = muster(["sim", "--devices", &devices, "--seed", &seed, "--no-run", "--fleet-out"]);
        run(sim.arg(&file)).ok();
        let args = format!("@{}", file.display());
        let answer = run(&mut self.command_call(&["importDeviceInstances", "--json", "--args", &args])).ok();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["created"].to_string(), devices, "{answer}");
    }

    pub(crate) fn tasks(&self, job: &str) -> Vec<Value> {
        let answer = self.call("getTasks", &serde_json::json!({"jobId": job, "page": {"pageSize": 1000}}));
        answer["task"].as_array().unwrap().clone()
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM.
    pub(crate) fn tell_to_end(&self) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
    }

    /// The status it ends with.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        until("the end of the server", || self.child.try_wait().unwrap())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// A line of /proc/PID/status in MiB: `VmRSS` now, `VmHWM` at most so far.
    pub(crate) fn memory_mib(&self, what: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(what)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }

    /// Whether both listeners and the store still answer.
    #[track_caller]
    pub(crate) fn assert_alive(&self) {
        assert_eq!(crate::http::get(&self.address("admin"), "/readyz").status, 200);
        assert_eq!(crate::http::get(&self.address("south"), "/dm").status, 405);
        // Where requests may take a second only, checking a password may be too slow for it on a machine under load.
        until("an answer of the WSI", || {
            (run(&mut self.command_call(&["getServiceInfo"])).code == Some(0)).then_some(())
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only this child, by its handle.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
