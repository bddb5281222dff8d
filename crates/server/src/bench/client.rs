//! One client: it asks one thing after the other, on streams of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::drive::{Load, Plan};
use super::learn::{Known, Stream};
use super::other;
use super::population::text;
use super::wire::Wire;
use crate::running::StartError;

/// Counted by one client.
#[derive(Default)]
pub(super) struct Tally {
    /// How long each answer took.
    pub(super) micros: Vec<u32>,
    /// So many were answered before the row was there.
    pub(super) later: u32,
    /// When the last came that counts.
    pub(super) ended: Option<Instant>,
}

/// A client.
pub(super) struct Client {
    plan: Arc<Plan>,
    pages: Arc<Vec<String>>,
    nth: u32,
    own: Vec<Stream>,
    wire: Wire,
    /// Only where it is used: servers deal connections out to their threads in turn.
    second: Option<Wire>,
    chance: u64,
}

impl Client {
    /// Connects the client of this number.
    pub(super) async fn connect(plan: &Arc<Plan>, known: &Known, pages: &Arc<Vec<String>>, nth: u32) -> Result<Self, StartError> {
        let own = known.streams.iter().skip(nth as usize).step_by(plan.clients as usize).cloned().collect();
        let wire = Wire::connect(plan.address, &plan.token).await?;
        let second = if plan.load == Load::Readable { Some(Wire::connect(plan.address, &plan.token).await?) } else { None };
        Ok(Self { plan: Arc::clone(plan), pages: Arc::clone(pages), nth, own, wire, second, chance: u64::from(nth) + 1 })
    }

    /// Reads each of its streams once, so that the service keeps what it may.
    pub(super) async fn visit(mut self) -> Result<Self, StartError> {
        for at in 0..self.own.len() {
            let path = self.own[at].path.clone();
            self.read(&path).await?;
        }
        Ok(self)
    }

    /// Asks until then; only what is answered within counts.
    pub(super) async fn run(mut self, from: Instant, until: Instant) -> Result<Tally, StartError> {
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
                let reply = self.second.as_mut().ok_or_else(|| other("no second connection"))?.get(&path).await?;
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
