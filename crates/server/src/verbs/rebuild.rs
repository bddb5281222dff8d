//! `rebuild`: rows folded anew beside those that answer, then switched.

use std::time::Instant;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use lastresort_fact::OrganisationId;
use lastresort_ledger::clock::Clock;
use lastresort_ledger::follow::rebuild;
use uuid::Uuid;

use crate::config::Settings;
use crate::running::{StartError, desk};

/// Which ledgers.
#[derive(Debug, Args)]
pub(super) struct Rebuild {
    /// One organisation; all where absent.
    organisation: Option<Uuid>,
}

impl Rebuild {
    pub(super) async fn run(self, settings: &Settings) -> Result<(), StartError> {
        let desk = desk(settings, Clock::machine()).await?;
        let heads = desk.store.heads().await?;
        let asked = self.organisation.map(OrganisationId);
        let heads: Vec<_> = heads.into_iter().filter(|(organisation, _)| asked.is_none_or(|asked| asked == *organisation)).collect();
        if let (Some(asked), true) = (asked, heads.is_empty()) {
            return Err(StartError::Other(format!("there is no ledger of {asked}")));
        }
        let views = lastresort_views::all();
        for (organisation, head) in heads {
            let bar = ProgressBar::new(head.position);
            let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} events, {per_sec}, {eta} left");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_prefix(organisation.to_string());
            let begun = Instant::now();
            let folded = rebuild(&desk.store, &views, organisation, &desk.clock, &mut |position, head| {
                bar.set_length(head);
                bar.set_position(position);
            })
            .await?;
            bar.finish();
            let per_second = u128::from(folded) * 1_000 / begun.elapsed().as_millis().max(1);
            println!("{organisation}: {folded} events folded, {per_second} a second");
        }
        desk.store.close().await;
        Ok(())
    }
}
