//! `serve`: until SIGTERM or Ctrl-C, and then gracefully to the end.

use lastresort_fact::OrganisationId;
use lastresort_ledger::clock::Clock;
use lastresort_ledger::desk::Desk;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Settings;
use crate::demo::is_demonstration;
use crate::running::{Running, StartError, desk, start_on};

/// Serves.
pub(super) async fn serve(settings: &Settings) -> Result<(), StartError> {
    let desk = desk(settings, Clock::machine()).await?;
    if let Some(organisation) = demonstration(&desk).await? {
        desk.store.close().await;
        return Err(StartError::Other(format!(
            "the store holds the ledger of {organisation}, which is a demonstration written on a moved clock; serve it with the verb demo, or give this server a store of its own"
        )));
    }
    let running = start_on(settings, desk).await?;
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

/// A ledger that was written on a moved clock, and says so: nothing true is added to it.
async fn demonstration(desk: &Desk) -> Result<Option<OrganisationId>, StartError> {
    for (organisation, _) in desk.store.heads().await? {
        if is_demonstration(desk, organisation).await? {
            return Ok(Some(organisation));
        }
    }
    Ok(None)
}
