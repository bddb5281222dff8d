//! `serve`: until SIGTERM or Ctrl-C, and then gracefully to the end.

use lastresort_domain::organisation::OrganisationKind;
use lastresort_ledger::clock::Clock;
use lastresort_views::organisation::Organisations;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Settings;
use crate::running::{Running, StartError, start};

/// Serves.
pub(super) async fn serve(settings: &Settings) -> Result<(), StartError> {
    let running = start(settings, Clock::machine()).await?;
    warn_of_demonstrations(&running).await?;
    tracing::info!(address = %running.address, store = running.service.desk.store.name(), "serving");
    until_told(running).await
}

/// Runs until told to end; what was accepted by then is kept.
///
/// # Errors
/// Where the server failed.
pub(crate) async fn until_told(running: Running) -> Result<(), StartError> {
    let unheard = |error: std::io::Error| StartError::Other(error.to_string());
    let mut terminate = signal(SignalKind::terminate()).map_err(unheard)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(unheard)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("ending: what was accepted is finished first");
    running.stop().await.map_err(unheard)
}

/// A ledger written on a moved clock says so; served as real, that is worth a warning.
async fn warn_of_demonstrations(running: &Running) -> Result<(), StartError> {
    for (organisation, _) in running.service.desk.store.heads().await? {
        let found = running.service.follower.row::<Organisations>(organisation, &organisation.to_string()).await?;
        if let Some(row) = found.map(|found| found.row).filter(|row| row.demonstration) {
            let kind = if row.kind == OrganisationKind::Client { "client" } else { "provider" };
            tracing::warn!(%organisation, kind, "this ledger was written on a moved clock: what it holds is a demonstration");
        }
    }
    Ok(())
}
