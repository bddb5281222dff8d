//! The real program, as an operator runs it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, mpsc};

use serde_json::Value;

use super::Place;

/// The program, serving.
pub struct Binary {
    /// Where it answers, after a restart too.
    pub address: String,
    child: Mutex<Child>,
    log: Log,
}

/// All it has written to its log so far.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Binary {
    /// Serves the store of a place; it answers when this returns.
    pub fn serve(place: &Place) -> Self {
        let log = Log::default();
        let (child, address) = serve(place, "127.0.0.1:0", &log);
        Self { address, child: Mutex::new(child), log }
    }

    /// Waits until it has ended, well, and serves the same store at the same address.
    pub fn serve_again(&self, place: &Place) {
        self.wait();
        let (child, _) = serve(place, &self.address, &self.log);
        *held(&self.child) = child;
    }

    /// Its log so far, at its most talkative.
    pub fn log(&self) -> String {
        held(&self.log.0).clone()
    }

    /// Sends SIGTERM.
    pub fn ask_to_end(&self) {
        let id = held(&self.child).id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("a signal is sent");
        assert!(sent.success());
    }

    /// Lets its files grow, or not, as on a disk that is full.
    pub fn let_files_grow(&self, grow: bool) {
        let (id, size) = (held(&self.child).id(), if grow { "unlimited" } else { "0" });
        let set = Command::new("prlimit").args([format!("--pid={id}"), format!("--fsize={size}:")]).status();
        assert!(set.expect("prlimit runs").success());
    }

    /// Waits until it has ended, well.
    pub fn wait(&self) {
        let status = held(&self.child).wait().expect("it ends");
        assert!(status.success(), "{status}: {}", self.log());
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        // A story that failed leaves no process behind; one that ended is gone already.
        let mut child = held(&self.child);
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(place: &Place, listen: &str, log: &Log) -> (Child, String) {
    // A file that may not grow is an error to it, as on a full disk, and no signal.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(program());
    command.arg("--config").arg(settings_file(place));
    command.args(["--listen", listen, "--log", "json", "--log-filter", "trace", "serve"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let (told, address) = mpsc::channel();
    let (lines, kept) = (BufReader::new(child.stderr.take().expect("its log")), log.clone());
    std::thread::spawn(move || {
        for line in lines.lines().map_while(Result::ok) {
            if let Some(address) = address_in(&line) {
                let _ = told.send(address);
            }
            let mut kept = held(&kept.0);
            kept.push_str(&line);
            kept.push('\n');
        }
    });
    let Ok(address) = address.recv() else { panic!("the program does not serve: {}", held(&log.0)) };
    (child, address)
}

fn address_in(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    let fields = &line["fields"];
    (fields["message"] == "serving").then(|| fields["address"].as_str().map(str::to_owned))?
}

/// The settings of a place, as a file.
#[must_use]
pub fn settings_file(place: &Place) -> PathBuf {
    let file = place.path("lastresort.toml");
    fs::write(&file, toml::to_string(&place.flags()).expect("settings")).expect("written");
    file
}

/// Runs one verb of the program to its end.
#[must_use]
pub fn run(settings: Option<&Path>, arguments: &[&str]) -> Output {
    run_in(&[], settings, arguments)
}

/// The same in an environment that says more.
#[must_use]
pub fn run_in(environment: &[(&str, &str)], settings: Option<&Path>, arguments: &[&str]) -> Output {
    let mut command = Command::new(program());
    command.envs(environment.iter().copied());
    if let Some(settings) = settings {
        command.arg("--config").arg(settings);
    }
    command.args(arguments).output().expect("the program runs")
}

/// The program, built from what stands here.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--package", "lastresort-server", "--bin", "lastresort", "--message-format", "json"]);
        let built = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo runs");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let messages = String::from_utf8_lossy(&built.stdout);
        let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let made = messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).next_back();
        made.expect("cargo says what it made")
    })
}
