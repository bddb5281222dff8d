//! The works, one after the other, each on a service started for it.

use std::thread::sleep;
use std::time::{Duration, Instant};

use lastresort_fact::OrganisationId;
use lastresort_ledger::clock::Clock;
use lastresort_ledger::desk::Desk;
use lastresort_ledger::fold::STEP;
use lastresort_ledger::follow::rebuild;

use super::child::{Part, Server};
use super::drive::{Load, Outcome, Plan};
use super::population::{Population, SUBJECT, folded, ours};
use super::row::{Report, Row, rounded};
use super::{Bench, Mode, Work};
use crate::config::{Settings, StoreAt};
use crate::issuer::LocalIssuer;
use crate::running::{StartError, desk};

/// The events of a stream.
pub(super) const LENGTH: u16 = 20;

/// What is measured, and what was found so far.
pub(super) struct Measuring<'a> {
    pub(super) asked: &'a Bench,
    settings: Settings,
    rows: Vec<Row>,
}

impl<'a> Measuring<'a> {
    pub(super) fn new(asked: &'a Bench, settings: &Settings) -> Self {
        // Its tokens are its own.
        Self { asked, settings: Settings { issuer: String::new(), ..settings.clone() }, rows: Vec::new() }
    }

    pub(super) async fn report(mut self) -> Result<Report, StartError> {
        let desk = desk(&self.settings, Clock::machine()).await?;
        ours(&desk).await?;
        for population in self.populations() {
            population.seed(&desk).await?;
        }
        folded(&desk).await?;
        let durability = desk.store.durability().await?.into_iter().collect();
        if self.does(Work::Replay) && !self.asked.seed_only {
            self.replay(&desk).await?;
        }
        desk.store.close().await;
        // On SQLite nobody else may write while this is open.
        drop(desk);
        if !self.asked.seed_only {
            self.over_http()?;
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Report { cores, release: !cfg!(debug_assertions), durability, rows: self.rows })
    }

    fn does(&self, work: Work) -> bool {
        self.asked.work.contains(&work)
    }

    fn populations(&self) -> Vec<Population> {
        let mut all = Vec::new();
        if [Work::W, Work::Get, Work::List, Work::Readable, Work::Memory].iter().any(|work| self.does(*work)) {
            all.extend(self.asked.organisations.iter().map(|organisations| self.population(*organisations)));
        }
        if self.does(Work::Replay) {
            all.push(self.replayed());
        }
        if self.does(Work::Growth) {
            all.extend(self.growths().iter().flat_map(|growth| [growth.small, growth.large]));
        }
        all
    }

    fn population(&self, organisations: u16) -> Population {
        Population { organisations, streams: self.asked.streams, length: LENGTH }
    }

    fn replayed(&self) -> Population {
        Population { organisations: 1, streams: self.asked.events.div_ceil(u32::from(LENGTH)), length: LENGTH }
    }

    fn over_http(&mut self) -> Result<(), StartError> {
        let most = self.asked.clients.iter().copied().max().unwrap_or(1);
        let hello = if [Work::Hello, Work::Get, Work::List].iter().any(|work| self.does(*work)) { Some(self.hello(most)?) } else { None };
        for mode in self.asked.mode.clone() {
            if self.does(Work::Memory) {
                self.memory(mode)?;
            }
            let server = Server::start(Part::Serve, &self.settings, mode)?;
            if self.does(Work::W) {
                for organisations in self.asked.organisations.clone() {
                    for clients in self.asked.clients.clone() {
                        self.w(&server, mode, self.population(organisations), clients)?;
                    }
                }
            }
            for (work, name, load) in [(Work::Get, "get", Load::Get), (Work::List, "list", Load::List)] {
                if let Some(hello) = hello.filter(|_| self.does(work)) {
                    let population = self.first();
                    let (outcome, _) = self.load(&server, mode, population, load, most)?;
                    let row = self.row(name, mode, population, Some(most), outcome.rate, "1/s");
                    self.tell(Row { p99_ms: Some(rounded(outcome.p99_ms)), ..row }.against(hello));
                }
            }
            if self.does(Work::Readable) {
                self.readable(&server, mode)?;
            }
            if self.does(Work::Growth) {
                for growth in self.growths() {
                    self.growth(&server, mode, &growth)?;
                }
            }
            server.stop()?;
        }
        Ok(())
    }

    /// The ledgers that works are done in that are not done in several.
    fn first(&self) -> Population {
        self.population(self.asked.organisations.first().copied().unwrap_or(1))
    }

    pub(super) fn fewest(&self) -> u32 {
        self.asked.clients.iter().copied().min().unwrap_or(1)
    }

    pub(super) fn plan(&self, server: &Server, mode: Mode, population: Population, load: Load, clients: u32) -> Result<Plan, StartError> {
        let issuer = LocalIssuer::open(&self.settings.keys_folder()?, &self.settings.audience)?;
        Ok(Plan {
            address: server.address,
            service: server.process(),
            token: issuer.token(SUBJECT, Duration::from_hours(24))?,
            organisations: population.ledgers(),
            load,
            clients,
            milliseconds: self.asked.milliseconds,
            events_min: u64::from(population.length),
            streams_max: population.streams,
            visited: mode == Mode::Kept && load != Load::Hello,
            commands_max: None,
            per_second: None,
        })
    }

    /// Lets clients ask; what came of it, and the most memory the service held.
    fn load(&self, server: &Server, mode: Mode, population: Population, load: Load, clients: u32) -> Result<(Outcome, f64), StartError> {
        self.driven(server, &self.plan(server, mode, population, load, clients)?)
    }

    pub(super) fn driven(&self, server: &Server, plan: &Plan) -> Result<(Outcome, f64), StartError> {
        let (outcome, most) = server.driven(&self.settings, plan)?;
        let Outcome { rate, p99_ms, later, service_us, client_us, .. } = outcome;
        eprintln!(
            "{:?}, {} clients: {rate:.0}/s, p99 {p99_ms:.1} ms, {later} answered without the row; \
             of a processor, each: service {service_us:.0} µs, clients {client_us:.0} µs",
            plan.load, plan.clients
        );
        Ok((outcome, most))
    }

    pub(super) fn row(&self, work: &'static str, mode: Mode, population: Population, clients: Option<u32>, ours: f64, unit: &str) -> Row {
        let store = match self.settings.store_at() {
            Ok(StoreAt::Sqlite(_)) | Err(_) => "sqlite",
            Ok(StoreAt::Postgres(_)) => "postgres",
        };
        let organisations = Some(population.organisations);
        let (unit, ours) = (unit.to_owned(), rounded(ours));
        Row {
            work,
            mode: Some(mode.name()),
            store: Some(store),
            organisations,
            clients,
            ours,
            unit,
            p99_ms: None,
            yardstick: None,
            ratio: None,
        }
    }

    pub(super) fn tell(&mut self, row: Row) {
        self.rows.push(row);
    }

    fn hello(&mut self, clients: u32) -> Result<f64, StartError> {
        let server = Server::start(Part::Hello, &self.settings, Mode::Cold)?;
        let (outcome, _) = self.load(&server, Mode::Cold, self.first(), Load::Hello, clients)?;
        server.stop()?;
        let row = self.row("hello", Mode::Cold, self.first(), Some(clients), outcome.rate, "1/s");
        let p99_ms = Some(rounded(outcome.p99_ms));
        self.tell(Row { mode: None, store: None, organisations: None, p99_ms, ..row });
        Ok(outcome.rate)
    }

    fn w(&mut self, server: &Server, mode: Mode, population: Population, clients: u32) -> Result<f64, StartError> {
        let (outcome, _) = self.load(server, mode, population, Load::Write, clients)?;
        let row = self.row("W", mode, population, Some(clients), outcome.rate, "1/s");
        self.tell(Row { p99_ms: Some(rounded(outcome.p99_ms)), ..row });
        Ok(outcome.rate)
    }

    /// At half the rate at which it can write, how long until a write is read.
    fn readable(&mut self, server: &Server, mode: Mode) -> Result<(), StartError> {
        let (population, clients) = (self.first(), self.fewest());
        let found = self.rows.iter().rfind(|row| row.work == "W" && row.mode == Some(mode.name()) && row.clients == Some(clients));
        let rate = match found.map(|row| row.ours) {
            Some(rate) => rate,
            None => self.load(server, mode, population, Load::Write, clients)?.0.rate,
        };
        let plan = self.plan(server, mode, population, Load::Readable, clients)?;
        let (outcome, _) = self.driven(server, &Plan { per_second: Some(rate / 2.0), ..plan })?;
        let row = self.row("readable", mode, population, Some(clients), outcome.p99_ms, "ms");
        self.tell(Row { p99_ms: Some(rounded(outcome.p99_ms)), ..row });
        Ok(())
    }

    fn memory(&mut self, mode: Mode) -> Result<(), StartError> {
        let (population, clients) = (self.first(), self.fewest());
        let server = Server::start(Part::Serve, &self.settings, mode)?;
        sleep(Duration::from_secs(1));
        let idle = server.resident_mb()?;
        let (_, most) = self.load(&server, mode, population, Load::Write, clients)?;
        server.stop()?;
        self.tell(self.row("memory idle", mode, population, None, idle, "MB"));
        self.tell(self.row("memory under W", mode, population, Some(clients), most, "MB"));
        Ok(())
    }

    /// Folds a ledger into all views, and reads it raw.
    async fn replay(&mut self, desk: &Desk) -> Result<(), StartError> {
        let population = self.replayed();
        let Some(organisation) = population.ledgers().first().copied() else { return Ok(()) };
        // Twice, so that neither is helped by what the other left in memory.
        read(desk, organisation).await?;
        let (events, raw) = read(desk, organisation).await?;
        let begun = Instant::now();
        rebuild(&desk.store, &lastresort_views::all(), organisation, &desk.clock, &mut |_, _| {}).await?;
        let row = self.row("replay", Mode::Cold, population, None, events / begun.elapsed().as_secs_f64(), "events/s");
        self.tell(Row { mode: None, ..row }.against(raw));
        Ok(())
    }
}

/// Reads a ledger raw: how many events it has, and how many a second were read.
async fn read(desk: &Desk, organisation: OrganisationId) -> Result<(f64, f64), StartError> {
    let begun = Instant::now();
    let (mut after, mut read) = (0, 0.0);
    loop {
        let events = desk.store.read(organisation, after, STEP).await?;
        let Some(last) = events.last() else { return Ok((read, read / begun.elapsed().as_secs_f64())) };
        after = last.position;
        read += f64::from(u32::try_from(events.len()).unwrap_or(u32::MAX));
    }
}
