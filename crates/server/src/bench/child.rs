//! The processes of a bench: the service and the yardstick of reads, which end
//! with their standard input, so that none is left behind; and the clients.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use clap::ValueEnum;
use lastresort_ledger::clock::Clock;
use serde::{Deserialize, Serialize};

use super::drive::{Outcome, Plan, drive};
use super::{Mode, hello, other};
use crate::config::Settings;
use crate::running::{StartError, start};

/// What a process of a bench is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Part {
    /// The service.
    Serve,
    /// The yardstick of reads.
    Hello,
    /// The clients.
    Drive,
}

#[derive(Serialize, Deserialize)]
struct Listening {
    address: SocketAddr,
}

impl Part {
    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Plays this part until it is over.
    pub(super) async fn play(self, settings: &Settings) -> Result<(), StartError> {
        match self {
            Self::Serve => {
                let running = start(settings, Clock::machine()).await?;
                println!("{}", serde_json::to_string(&Listening { address: running.address }).map_err(other)?);
                rest_of_input().await?;
                running.stop().await.map_err(other)
            }
            Self::Hello => {
                let (address, handle) = hello::start(settings)?;
                println!("{}", serde_json::to_string(&Listening { address }).map_err(other)?);
                rest_of_input().await?;
                handle.stop(true).await;
                Ok(())
            }
            Self::Drive => {
                let plan: Plan = serde_json::from_str(&rest_of_input().await?).map_err(other)?;
                println!("{}", serde_json::to_string(&drive(plan).await?).map_err(other)?);
                Ok(())
            }
        }
    }
}

async fn rest_of_input() -> Result<String, StartError> {
    let reading = tokio::task::spawn_blocking(|| {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    });
    reading.await.map_err(other)?.map_err(other)
}

fn command(part: Part, settings: &Settings, mode: Mode) -> Result<Command, StartError> {
    let mut command = Command::new(std::env::current_exe().map_err(other)?);
    command.args(["bench", "--part", &part.name()]).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.env_remove("LASTRESORT_CONFIG");
    let settings = [
        ("STORE", settings.store.clone()),
        ("KEYS", settings.keys.clone()),
        ("ROOT_KEY", settings.root_key.0.clone()),
        ("CONNECTIONS", settings.connections.to_string()),
        ("WORKERS", settings.workers.to_string()),
        ("AUDIENCE", settings.audience.clone()),
        ("ISSUER", String::new()),
        ("LISTEN", "127.0.0.1:0".to_owned()),
        ("RATE_PER_SECOND", "0".to_owned()),
        ("KEPT_MIB", if mode == Mode::Cold { 0 } else { settings.kept_mib }.to_string()),
    ];
    command.envs(settings.map(|(name, value)| (format!("LASTRESORT_{name}"), value)));
    Ok(command)
}

/// A process that serves.
pub(super) struct Server {
    child: Child,
    /// Where.
    pub(super) address: SocketAddr,
}

impl Server {
    /// Starts it; it answers when this returns.
    pub(super) fn start(part: Part, settings: &Settings, mode: Mode) -> Result<Self, StartError> {
        let mut child = command(part, settings, mode)?.spawn().map_err(other)?;
        let mut line = String::new();
        let read = child.stdout.take().map(|out| BufReader::new(out).read_line(&mut line));
        let listening = serde_json::from_str::<Listening>(&line);
        if let (Some(Ok(_)), Ok(Listening { address })) = (read, listening) {
            return Ok(Self { child, address });
        }
        drop(Self { child, address: SocketAddr::from(([0; 4], 0)) });
        Err(other("a server of the bench did not start"))
    }

    /// The memory it holds, in MB.
    pub(super) fn resident_mb(&self) -> Result<f64, StartError> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).map_err(other)?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix("kB")).and_then(|kib| kib.trim().parse::<u32>().ok());
        kib.map(|kib| f64::from(kib) * 1_024.0 / 1e6).ok_or_else(|| other("a process does not say what memory it holds"))
    }

    /// Its process.
    pub(super) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Lets clients ask it; the most memory it held meanwhile, in MB.
    pub(super) fn driven(&self, settings: &Settings, plan: &Plan) -> Result<(Outcome, f64), StartError> {
        let mut clients = command(Part::Drive, settings, Mode::Kept)?.spawn().map_err(other)?;
        if let Some(mut input) = clients.stdin.take() {
            input.write_all(serde_json::to_string(plan).map_err(other)?.as_bytes()).map_err(other)?;
        }
        let mut most = self.resident_mb()?;
        let status = loop {
            match clients.try_wait().map_err(other)? {
                Some(status) => break status,
                None => sleep(Duration::from_millis(100)),
            }
            most = most.max(self.resident_mb()?);
        };
        let mut told = String::new();
        if let Some(mut out) = clients.stdout.take() {
            out.read_to_string(&mut told).map_err(other)?;
        }
        if !status.success() {
            return Err(other(format!("the clients of the load {:?} gave up", plan.load)));
        }
        Ok((serde_json::from_str(&told).map_err(other)?, most))
    }

    /// Ends it, and waits until it has ended well.
    pub(super) fn stop(mut self) -> Result<(), StartError> {
        drop(self.child.stdin.take());
        let status = self.child.wait().map_err(other)?;
        if status.success() { Ok(()) } else { Err(other("a server of the bench did not end well")) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that ended is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
