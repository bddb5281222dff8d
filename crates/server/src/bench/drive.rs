//! The load: what clients ask, and what came of it. It runs as a process of its
//! own, beside the service, as pgbench does beside PostgreSQL.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lastresort_fact::OrganisationId;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::client::{Client, Tally};
use super::learn::{Known, learn};
use super::other;
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
    /// The process of the service.
    pub(super) service: u32,
    pub(super) organisations: Vec<OrganisationId>,
    pub(super) load: Load,
    pub(super) clients: u32,
    /// For how long, beside a short while that does not count.
    pub(super) milliseconds: u32,
    /// Only streams of at least so many events.
    pub(super) events_min: u64,
    /// Only so many streams.
    pub(super) streams_max: u32,
    /// Each stream is read once before, so that the service keeps what it may.
    pub(super) visited: bool,
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
    /// What one cost the service, in microseconds of a processor.
    pub(super) service_us: f64,
    /// And the clients.
    pub(super) client_us: f64,
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
    let clients = ready(&Arc::new(plan.clone()), known).await?;
    let (from, mut running) = (Instant::now() + warm, JoinSet::new());
    for client in clients {
        running.spawn(client.run(from, from + whole));
    }
    sleep_until(from).await;
    let service = plan.service.to_string();
    let before = (processor_seconds(&service), processor_seconds("self"));
    let mut all = Tally::default();
    while let Some(tally) = running.join_next().await {
        let tally = tally.map_err(other)??;
        all.micros.extend(tally.micros);
        all.later += tally.later;
        all.ended = all.ended.max(tally.ended);
    }
    let after = (processor_seconds(&service), processor_seconds("self"));
    all.micros.sort_unstable();
    let place = all.micros.len() * 99 / 100;
    let Some(p99) = all.micros.get(place).copied() else { return Err(other("nothing was answered in full")) };
    let done = u32::try_from(all.micros.len()).unwrap_or(u32::MAX);
    let ended = all.ended.map_or(whole, |ended| ended - from);
    let lasted = if plan.commands_max.is_some() { ended } else { ended.max(whole) };
    let each =
        |before: Option<f64>, after: Option<f64>| after.zip(before).map_or(0.0, |(after, before)| (after - before) * 1e6 / f64::from(done));
    Ok(Outcome {
        done,
        rate: f64::from(done) / lasted.as_secs_f64(),
        p99_ms: f64::from(p99) / 1e3,
        later: all.later,
        service_us: each(before.0, after.0),
        client_us: each(before.1, after.1),
    })
}

/// The clients, connected; each has visited its streams where they are to be kept.
async fn ready(plan: &Arc<Plan>, mut known: Known) -> Result<Vec<Client>, StartError> {
    let pages = Arc::new(std::mem::take(&mut known.pages));
    let mut visiting = JoinSet::new();
    for nth in 0..plan.clients {
        let client = Client::connect(plan, &known, &pages, nth).await?;
        let visited = plan.visited;
        visiting.spawn(async move { if visited { client.visit().await } else { Ok(client) } });
    }
    let mut clients = Vec::new();
    while let Some(client) = visiting.join_next().await {
        clients.push(client.map_err(other)??);
    }
    Ok(clients)
}

/// The processor time of a process so far.
fn processor_seconds(process: &str) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u32>().ok();
    Some(f64::from(ticks(11)? + ticks(12)?) / 100.0)
}
