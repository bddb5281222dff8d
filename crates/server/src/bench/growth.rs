//! What becomes of `W` when something has grown: its streams, its ledger, or the
//! number of ledgers. Small and large take the same few commands, so that what
//! is small stays so.

use super::child::Server;
use super::drive::{Load, Plan};
use super::population::Population;
use super::work::{LENGTH, Measuring};
use super::{Mode, other};
use crate::running::StartError;

/// So many commands say what growth costs.
const SAMPLE: u32 = 3_000;

impl Measuring<'_> {
    /// What grows, by how much: streams, ledgers, and how many of them there are.
    pub(super) fn growths(&self) -> [Growth; 3] {
        let streams = self.asked.streams;
        let one = |streams, length| Population { organisations: 1, streams, length };
        let (few, many) = ((streams / 20).max(16), streams.min(1_000));
        let long = LENGTH * u16::try_from((streams / 100).clamp(2, 100)).unwrap_or(100);
        let ledgers = u16::try_from(many).unwrap_or(u16::MAX);
        let spread = |organisations| Population { organisations, streams: many, length: LENGTH };
        [
            Growth { work: "growth of streams", small: one(few, LENGTH), large: one((streams / 100).max(16), long), touched: u32::MAX },
            Growth { work: "growth of a ledger", small: one(few, LENGTH), large: one(streams, LENGTH), touched: few },
            Growth { work: "growth of ledgers", small: spread(16.min(ledgers / 2)), large: spread(ledgers), touched: u32::MAX },
        ]
    }

    /// What a command costs in what has grown, as a multiple of what it cost before.
    pub(super) fn growth(&mut self, server: &Server, mode: Mode, growth: &Growth) -> Result<(), StartError> {
        let clients = self.fewest().min(16);
        let mut rates = Vec::new();
        for population in [growth.small, growth.large] {
            let plan = self.plan(server, mode, population, Load::Write, clients)?;
            let streams_max = population.streams.min(growth.touched);
            rates.push(self.driven(server, &Plan { streams_max, commands_max: Some(SAMPLE), ..plan })?.0.rate);
        }
        let [small, large] = rates.as_slice() else { return Err(other("growth has two sizes")) };
        let unit = growth.unit();
        self.tell(self.row(growth.work, mode, growth.large, Some(clients), small / large, &unit));
        Ok(())
    }
}

/// Something that grows.
pub(super) struct Growth {
    work: &'static str,
    /// What it was.
    pub(super) small: Population,
    /// What it became.
    pub(super) large: Population,
    touched: u32,
}

impl Growth {
    /// The same work in the small one, with what makes the difference.
    fn unit(&self) -> String {
        let all = |population: Population| population.streams * u32::from(population.length);
        let Self { small, large, .. } = *self;
        if small.length != large.length {
            return format!("× the cost at streams of {} events, at {}", small.length, large.length);
        }
        if small.organisations != large.organisations {
            return format!("× the cost in {} ledgers, in {}", small.organisations, large.organisations);
        }
        format!("× the cost in a ledger of {} events, in one of {}", all(small), all(large))
    }
}
