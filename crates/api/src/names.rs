//! Search by name: names are sealed at rest, so they are opened and searched
//! in memory. An index per organisation, brought up to date when it is asked,
//! and bounded in how many organisations it keeps.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lastresort_fact::{Class, OrganisationId};
use lastresort_ledger::follow::Question;
use lastresort_ledger::keys::Reading;
use lastresort_ledger::rows::{Cell, Filter, RowId};
use lastresort_views::person::{PersonRow, Persons};
use serde_json::Value;

use crate::call::Call;
use crate::problem::Problem;
use crate::resource::json;

/// How many organisations' names are kept.
const KEPT: usize = 64;
/// How many persons one search may find.
const FOUND: usize = 1_000;
const PAGE: u32 = 1_000;

/// Names in memory.
#[derive(Debug, Default)]
pub struct Names(Mutex<HashMap<OrganisationId, Arc<tokio::sync::Mutex<Index>>>>);

#[derive(Debug, Default)]
struct Index {
    /// The generation of rows it was read from.
    generation: i64,
    /// Every row moved up to here is in it.
    position: u64,
    names: HashMap<RowId, String>,
}

impl Names {
    /// Persons whose name holds the text, as a condition for a list.
    ///
    /// # Errors
    /// 400 where the text is too short, or fits too many.
    pub async fn matching(&self, call: &Call, text: &str) -> Result<Filter, Problem> {
        let text = text.trim().to_lowercase();
        if text.chars().count() < 2 {
            return Err(Problem::new("malformed").detail("A name is searched by two characters or more."));
        }
        let index = self.index(call.organisation);
        let mut index = index.lock().await;
        index.catch_up(call).await?;
        let mut ids: Vec<Cell> =
            index.names.iter().filter(|(_, name)| name.contains(&text)).map(|(id, _)| Cell::Text(id.clone())).collect();
        if ids.len() > FOUND {
            return Err(Problem::new("malformed").detail(format!("More than {FOUND} names hold this text; ask for more of it.")));
        }
        ids.sort();
        Ok(Filter::In("id", ids))
    }

    fn index(&self, organisation: OrganisationId) -> Arc<tokio::sync::Mutex<Index>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT && !kept.contains_key(&organisation) {
            kept.clear();
        }
        Arc::clone(kept.entry(organisation).or_default())
    }
}

impl Index {
    async fn catch_up(&mut self, call: &Call) -> Result<(), Problem> {
        let follower = &call.guest.service.follower;
        let state = follower.state(call.organisation).await;
        if state.generation != self.generation {
            *self = Self { generation: state.generation, ..Self::default() };
        }
        // Rows move while pages are read, and one may pass from before the cursor to behind
        // it. So the index is up to what the rows were folded to before the first page; what
        // has moved since is read again by the next search.
        let (since, mut after) = (self.position, None);
        while self.position < state.bookmark {
            let question = Question { filters: vec![Filter::MovedAfter(since)], after: after.take(), limit: PAGE, ..Question::default() };
            let found = follower.ask::<Persons>(call.organisation, question).await?;
            let last = found.last().filter(|_| found.len() == PAGE as usize).map(|found| found.id.clone());
            let rows: Vec<(RowId, PersonRow)> = found.into_iter().map(|found| (found.id, found.row)).collect();
            self.take(call, rows).await?;
            match last {
                Some(last) => after = Some((None, last)),
                None => self.position = state.bookmark,
            }
        }
        Ok(())
    }

    async fn take(&mut self, call: &Call, rows: Vec<(RowId, PersonRow)>) -> Result<(), Problem> {
        let mut opened: Vec<Value> = rows.iter().map(|(_, row)| json(&row.profile)).collect::<Result<_, _>>()?;
        let opens = |class: Class| class == Class::Identity;
        let mut readings: Vec<_> = opened.iter_mut().map(|value| Reading { value, at: None, opens: &opens }).collect();
        let desk = &call.guest.service.desk;
        desk.keys.reveal(&*desk.store, call.organisation, &mut readings).await?;
        for ((id, _), profile) in rows.into_iter().zip(opened) {
            let part = |name: &str| profile["value"][name].as_str().unwrap_or_default().to_lowercase();
            self.names.insert(id, format!("{} {}", part("given_name"), part("family_name")));
        }
        Ok(())
    }
}
