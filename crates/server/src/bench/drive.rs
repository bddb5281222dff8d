//! The load: clients that ask one thing after the other, each on streams of its
//! own. It runs as a process of its own, beside the service, as pgbench does
//! beside PostgreSQL.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lastresort_fact::OrganisationId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::other;
use super::population::text;
use super::wire::Wire;
use crate::running::StartError;

/// What each client asks, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Load {
    /// The yardstick of reads.
    Hello,
    /// One row.
    Get,
    /// A page of fifty.
    List,
    /// A command, answered with the row.
    Write,
    /// A command, and then the row from another connection.
    Readable,
}

/// A load.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) address: SocketAddr,
    pub(super) token: String,
    pub(super) organisations: Vec<OrganisationId>,
    pub(super) load: Load,
    pub(super) clients: u32,
    /// For how long, beside a short while that does not count.
    pub(super) milliseconds: u32,
    /// Only streams of at least so many events.
    pub(super) events_min: u64,
    /// Only so many streams.
    pub(super) streams_max: u32,
    /// Only so many commands in all that count.
    pub(super) commands_max: Option<u32>,
    /// So many a second in all; as many as can be where absent.
    pub(super) per_second: Option<f64>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// So many were answered in full.
    pub(super) done: u32,
    /// In a second.
    pub(super) rate: f64,
    /// How long all but one in a hundred took.
    pub(super) p99_ms: f64,
    /// Answered before the row was there.
    pub(super) later: u32,
    /// What the clients themselves cost, in microseconds of a processor each.
    pub(super) client_us: f64,
}

#[derive(Clone)]
struct Stream {
    path: String,
    version: u64,
}

/// What the clients know before they begin.
#[derive(Default)]
struct Known {
    streams: Vec<Stream>,
    pages: Vec<String>,
}

/// Counted by one client.
#[derive(Default)]
struct Tally {
    micros: Vec<u32>,
    later: u32,
    ended: Option<Instant>,
}

/// Runs a load.
pub(super) async fn drive(plan: Plan) -> Result<Outcome, StartError> {
    let known = if plan.load == Load::Hello { Known::default() } else { learn(&plan).await? };
    let streams = known.streams.len();
    if plan.load != Load::Hello && streams < plan.clients as usize {
        return Err(other(format!("{streams} streams are too few for {} clients", plan.clients)));
    }
    let whole = Duration::from_millis(u64::from(plan.milliseconds));
    let warm = if plan.commands_max.is_some() { Duration::from_millis(200) } else { (whole / 5).min(Duration::from_secs(1)) };
    let (plan, pages) = (Arc::new(plan), Arc::new(known.pages));
    let begun = Instant::now();
    let mut clients = JoinSet::new();
    for nth in 0..plan.clients {
        let own = known.streams.iter().skip(nth as usize).step_by(plan.clients as usize).cloned().collect();
        let (wire, second) = (Wire::connect(plan.address, &plan.token).await?, Wire::connect(plan.address, &plan.token).await?);
        let client = Client { plan: Arc::clone(&plan), pages: Arc::clone(&pages), nth, own, wire, second, chance: u64::from(nth) + 1 };
        clients.spawn(client.run(begun + warm, begun + warm + whole));
    }
    let mut all = Tally::default();
    while let Some(tally) = clients.join_next().await {
        let tally = tally.map_err(other)??;
        all.micros.extend(tally.micros);
        all.later += tally.later;
        all.ended = all.ended.max(tally.ended);
    }
    all.micros.sort_unstable();
    let place = all.micros.len() * 99 / 100;
    let Some(p99) = all.micros.get(place).copied() else { return Err(other("nothing was answered in full")) };
    let done = u32::try_from(all.micros.len()).unwrap_or(u32::MAX);
    let ended = all.ended.map_or(whole, |ended| ended - (begun + warm));
    let lasted = if plan.commands_max.is_some() { ended } else { ended.max(whole) };
    Ok(Outcome {
        done,
        rate: f64::from(done) / lasted.as_secs_f64(),
        p99_ms: f64::from(p99) / 1e3,
        later: all.later,
        client_us: processor_seconds("self").unwrap_or(0.0) * 1e6 / f64::from(done),
    })
}

/// The processor time of a process so far.
pub(super) fn processor_seconds(process: &str) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u32>().ok();
    Some(f64::from(ticks(11)? + ticks(12)?) / 100.0)
}

/// Lists what there is: streams with their versions, and where pages begin.
async fn learn(plan: &Plan) -> Result<Known, StartError> {
    let mut wire = Wire::connect(plan.address, &plan.token).await?;
    let mut known = Known::default();
    for organisation in &plan.organisations {
        let persons = format!("/v1/organisations/{organisation}/persons");
        let mut place = String::new();
        loop {
            let path = format!("{persons}?limit=200{place}");
            let reply = wire.get(&path).await?;
            if reply.status != 200 {
                return Err(reply.unwanted(&path));
            }
            let page: Value = serde_json::from_slice(reply.body).map_err(other)?;
            let items = page["items"].as_array().map_or(&[][..], Vec::as_slice);
            if items.len() >= 50 || known.pages.is_empty() {
                known.pages.push(format!("{persons}?limit=50{place}"));
            }
            for item in items {
                let (Some(id), Some(version)) = (item["id"].as_str(), item["version"].as_u64()) else { continue };
                if version >= plan.events_min {
                    known.streams.push(Stream { path: format!("{persons}/{id}"), version });
                }
            }
            let Some(next) = page["next"].as_str().filter(|_| known.streams.len() < plan.streams_max as usize) else { break };
            place = format!("&cursor={next}");
        }
    }
    known.streams.truncate(plan.streams_max as usize);
    Ok(known)
}

struct Client {
    plan: Arc<Plan>,
    pages: Arc<Vec<String>>,
    nth: u32,
    own: Vec<Stream>,
    wire: Wire,
    second: Wire,
    chance: u64,
}

impl Client {
    async fn run(mut self, from: Instant, until: Instant) -> Result<Tally, StartError> {
        let mut tally = Tally::default();
        let most = self.plan.commands_max.map_or(usize::MAX, |most| (most / self.plan.clients) as usize);
        let pace = self.plan.per_second.map(|per_second| Duration::from_secs_f64(f64::from(self.plan.clients) / per_second));
        let mut next = Instant::now() + pace.unwrap_or_default() * self.nth / self.plan.clients;
        let who = format!("{} {}", self.nth, lastresort_ledger::ids::new());
        for count in 0_u32.. {
            if let Some(pace) = pace {
                sleep_until(next).await;
                next = (next + pace).max(Instant::now());
            }
            let begun = Instant::now();
            if begun >= until || tally.micros.len() >= most {
                break;
            }
            let whole = self.once(&who, count).await?;
            let ended = Instant::now();
            // Each client's first answer counts, however late.
            if ended > from && (ended <= until || tally.micros.is_empty()) {
                tally.ended = Some(ended);
                if whole {
                    tally.micros.push(u32::try_from((ended - begun).as_micros()).unwrap_or(u32::MAX));
                } else {
                    tally.later += 1;
                }
            }
        }
        Ok(tally)
    }

    /// One question; whether it was answered in full.
    async fn once(&mut self, who: &str, count: u32) -> Result<bool, StartError> {
        match self.plan.load {
            Load::Hello => self.read("/hello").await,
            Load::Get => {
                let at = self.some(self.own.len());
                let path = self.own[at].path.clone();
                self.read(&path).await
            }
            Load::List => {
                let pages = Arc::clone(&self.pages);
                let at = self.some(pages.len());
                self.read(&pages[at]).await
            }
            Load::Write => self.write(who, count).await.map(|(_, _, whole)| whole),
            Load::Readable => {
                let (at, position, _) = self.write(who, count).await?;
                let path = format!("{}?min_position={position}", self.own[at].path);
                let reply = self.second.get(&path).await?;
                if reply.status == 200 && reply.number("etag") == Some(self.own[at].version) {
                    Ok(true)
                } else {
                    Err(reply.unwanted(&path))
                }
            }
        }
    }

    async fn read(&mut self, path: &str) -> Result<bool, StartError> {
        let reply = self.wire.get(path).await?;
        if reply.status == 200 { Ok(true) } else { Err(reply.unwanted(path)) }
    }

    /// Writes to one of its streams: which, the position, and whether the row came with the answer.
    async fn write(&mut self, who: &str, count: u32) -> Result<(usize, u64, bool), StartError> {
        let at = self.some(self.own.len());
        let path = format!("{}/profile", self.own[at].path);
        let body = format!("{{\"given_name\":\"{}\"}}", text(who, count));
        let version = self.own[at].version;
        let reply = self.wire.post(&path, version, &body).await?;
        let whole = reply.status == 200 && reply.number("etag") == Some(version + 1);
        let Some(position) = reply.number("ledger-position").filter(|_| whole || reply.status == 202) else {
            return Err(reply.unwanted(&path));
        };
        self.own[at].version += 1;
        Ok((at, position, whole))
    }

    /// One of so many, by chance: xorshift.
    fn some(&mut self, of: usize) -> usize {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        usize::try_from(self.chance >> 1).unwrap_or(0) % of.max(1)
    }
}
