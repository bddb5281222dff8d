//! Work beside the requests: what inspectors read is written about once a
//! second and figures are summed up, old command keys are forgotten once a day.

use std::time::{Duration, Instant};

use actix_web::web;
use lastresort_api::service::Service;
use lastresort_ledger::desk::Desk;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How often what inspectors read is written, and figures are summed up.
const READS_LOGGED_EVERY: Duration = Duration::from_secs(1);
/// For how long a command is known by its key.
const KEYS_KNOWN_FOR: chrono::TimeDelta = chrono::TimeDelta::days(30);
/// How often those older are forgotten.
const KEYS_FORGOTTEN_EVERY: Duration = Duration::from_hours(24);

/// The work, on a thread of its own: a command stays on the thread it began on.
pub(crate) struct Beside {
    end: oneshot::Sender<()>,
    ended: oneshot::Receiver<()>,
}

impl Beside {
    /// Begins it.
    pub(crate) fn start(service: web::Data<Service>, figures: PrometheusHandle) -> Self {
        let (end, mut told) = oneshot::channel();
        let (done, ended) = oneshot::channel();
        let runtime = tokio::runtime::Handle::current();
        std::thread::spawn(move || {
            runtime.block_on(async {
                let mut forget_at = Instant::now();
                while timeout(READS_LOGGED_EVERY, &mut told).await.is_err() {
                    service.reads.flush(&service.desk).await;
                    // Else every request's figure would be held until somebody asks for them.
                    figures.run_upkeep();
                    if Instant::now() >= forget_at {
                        forget_commands(&service.desk).await;
                        forget_at = Instant::now() + KEYS_FORGOTTEN_EVERY;
                    }
                }
            });
            drop(service);
            let _nobody_waits = done.send(());
        });
        Self { end, ended }
    }

    /// Ends it.
    pub(crate) async fn stop(self) {
        let _ended_already = self.end.send(());
        let _ended = self.ended.await;
    }
}

/// Forgets keys of commands older than the contract promises to know them. Not
/// on a moved clock: a story that is told again knows its commands by their keys.
async fn forget_commands(desk: &Desk) {
    if desk.clock.is_moved() {
        return;
    }
    let before = lastresort_fact::Instant::from(desk.clock.now().utc() - KEYS_KNOWN_FOR);
    loop {
        match desk.store.forget_commands(before).await {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "old command keys could not be forgotten");
                return;
            }
        }
    }
}
