//! What a bench tells: rows, each one figure of one work, and beside them what
//! they rest on.

use std::collections::BTreeMap;

use serde::Serialize;

/// One figure.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    /// What was done.
    pub(super) work: &'static str,
    /// With what kept in memory.
    pub(super) mode: Option<&'static str>,
    /// On which store.
    pub(super) store: Option<&'static str>,
    /// In so many ledgers.
    pub(super) organisations: Option<u16>,
    /// By so many clients.
    pub(super) clients: Option<u32>,
    /// The figure.
    pub(super) ours: f64,
    /// Of what.
    pub(super) unit: String,
    /// How long all but one in a hundred took.
    pub(super) p99_ms: Option<f64>,
    /// What it is held against, where that was measured in this run.
    pub(super) yardstick: Option<f64>,
    /// Our part of it.
    pub(super) ratio: Option<f64>,
}

/// Everything told.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The processors that clients, service and database share.
    pub(super) cores: usize,
    /// Whether this is a release build; the figures of any other mean nothing.
    pub(super) release: bool,
    /// The settings that the store's durability rests on, as it reports them.
    pub(super) durability: BTreeMap<String, String>,
    /// The figures.
    pub(super) rows: Vec<Row>,
}

impl Row {
    /// Held against a yardstick.
    pub(super) fn against(self, yardstick: f64) -> Self {
        let yardstick = rounded(yardstick);
        Self { yardstick: Some(yardstick), ratio: Some(rounded(self.ours / yardstick)), ..self }
    }
}

/// A figure in as many digits as it is worth.
pub(super) fn rounded(value: f64) -> f64 {
    let worth = if value.abs() < 100.0 { 1_000.0 } else { 10.0 };
    (value * worth).round() / worth
}
