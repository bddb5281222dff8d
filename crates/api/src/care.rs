//! The care of the rows: what could not be folded and waits, and folding a
//! ledger anew beside the rows that answer. Nothing here writes to a ledger.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use lastresort_fact::{Instant, OrganisationId, Role};
use lastresort_ledger::follow::rebuild;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::call::{Answer, Call, Guest};
use crate::problem::Problem;
use crate::schema::Shape;
use crate::service::Service;
use crate::table::{Callers, Entry, PREFIX, Table};

/// Who looks after the rows.
const CARERS: &[Role] = &[Role::Manager, Role::GovernanceLead, Role::ProviderAdmin];

/// How many operations are remembered.
const REMEMBERED: usize = 1_000;

/// A row that could not be folded: it stays as it was until somebody retries.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ParkedRow {
    /// The view it belongs to.
    pub view: String,
    /// Which row.
    pub id: String,
    /// The position of the fact that could not be folded.
    #[schema(minimum = 1)]
    pub position: u64,
    /// Why.
    pub reason: String,
    /// Since when.
    pub parked_at: Instant,
}

/// The parked rows of a ledger.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ParkedRows {
    /// All of them, by view and id.
    pub items: Vec<ParkedRow>,
}

/// What a retry came to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Retried {
    /// Rows that are folded again.
    #[schema(minimum = 0)]
    pub folded: u64,
    /// Rows that are still parked.
    #[schema(minimum = 0)]
    pub parked: u64,
}

/// Where an operation stands. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationStatus {
    /// It goes on.
    Running,
    /// It is done.
    Done,
    /// It failed; nothing was changed.
    Failed,
}

/// Work that takes long.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LongWork {
    /// Its id.
    pub id: Uuid,
    /// The organisation it is for.
    #[schema(value_type = Uuid)]
    pub organisation: OrganisationId,
    /// Where it stands.
    pub status: OperationStatus,
    /// So much is done.
    #[schema(minimum = 0)]
    pub done: u64,
    /// Of so much.
    #[schema(minimum = 0)]
    pub of: u64,
}

/// The operations of this process.
#[derive(Debug, Default)]
pub struct Operations(Mutex<BTreeMap<Uuid, LongWork>>);

impl Operations {
    fn begin(&self, organisation: OrganisationId) -> LongWork {
        let work = LongWork { id: lastresort_ledger::ids::new(), organisation, status: OperationStatus::Running, done: 0, of: 0 };
        let mut all = self.all();
        if all.len() >= REMEMBERED {
            all.pop_first();
        }
        all.insert(work.id, work.clone());
        work
    }

    fn get(&self, id: Uuid) -> Option<LongWork> {
        self.all().get(&id).cloned()
    }

    fn tell(&self, id: Uuid, tell: impl FnOnce(&mut LongWork)) {
        if let Some(work) = self.all().get_mut(&id) {
            tell(work);
        }
    }

    fn all(&self) -> std::sync::MutexGuard<'_, BTreeMap<Uuid, LongWork>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The operations of the contract.
pub fn operations(table: &mut Table) {
    let parked = table.shapes.of::<ParkedRows>();
    let path = format!("{PREFIX}/parked-rows");
    let about = "List the rows that could not be folded and wait.";
    table.add(Entry::get(&path, "list_parked_rows", "service", Callers::Roles(CARERS), parked, about), list);
    let retried = table.shapes.of::<Retried>();
    let about = "Fold the parked rows anew.";
    let entry = Entry::get(&format!("{path}/retry"), "retry_parked_rows", "service", Callers::Roles(CARERS), retried, about);
    table.add(Entry { method: Method::POST, ..entry }, retry);
    let work = table.shapes.of::<LongWork>();
    let about = "Fold all rows of a ledger anew, beside those that answer, and switch over.";
    let entry = Entry::get(&format!("{PREFIX}/rebuilds"), "rebuild_rows", "service", Callers::Operator, Shape::nothing(), about);
    table.add(Entry { method: Method::POST, answer: (StatusCode::ACCEPTED, work.clone()), ..entry }, begin_rebuild);
    let about = "Read how far long work is.";
    table.add(Entry::get("/v1/operations/{operation}", "get_operation", "service", Callers::Operator, work, about), progress);
}

async fn parked(call: &Call) -> Result<Vec<ParkedRow>, Problem> {
    let found = call.guest.service.follower.parked(call.organisation).await?;
    let shown = found.into_iter().map(|row| ParkedRow {
        view: row.table,
        id: row.id,
        position: row.position,
        reason: row.reason,
        parked_at: row.parked_at,
    });
    Ok(shown.collect())
}

async fn list(mut call: Call) -> Answer {
    call.acting(CARERS, None).await?;
    call.guest.query(&[])?;
    Ok(HttpResponse::Ok().json(ParkedRows { items: parked(&call).await? }))
}

async fn retry(mut call: Call) -> Answer {
    call.acting(CARERS, None).await?;
    let folded = call.guest.service.follower.retry_parked(call.organisation).await?;
    Ok(HttpResponse::Ok().json(Retried { folded: folded as u64, parked: parked(&call).await?.len() as u64 }))
}

async fn begin_rebuild(guest: Guest) -> Answer {
    if !guest.is_operator() {
        return Err(Problem::new("not_permitted").detail("Only the configured operator has rows folded anew."));
    }
    let organisation: OrganisationId = guest.id("org")?;
    guest.service.desk.store.head(organisation).await?.ok_or_else(|| Problem::new("not_found"))?;
    let work = guest.service.operations.begin(organisation);
    let (service, id) = (Arc::clone(&guest.service), work.id);
    actix_web::rt::spawn(async move { fold_anew(&service, organisation, id).await });
    Ok(HttpResponse::Accepted().insert_header(("Location", format!("/v1/operations/{id}"))).json(work))
}

async fn fold_anew(service: &Arc<Service>, organisation: OrganisationId, id: Uuid) {
    let telling = Arc::clone(service);
    let mut progress = move |done, of| telling.operations.tell(id, |work| (work.done, work.of) = (done, of));
    let views = lastresort_views::all();
    let folded = rebuild(&service.desk.store, &views, organisation, &service.desk.clock, &mut progress).await;
    match folded {
        Ok(done) => service.operations.tell(id, |work| (work.done, work.of, work.status) = (done, done, OperationStatus::Done)),
        Err(error) => {
            tracing::error!(%organisation, %error, "rows could not be folded anew");
            service.operations.tell(id, |work| work.status = OperationStatus::Failed);
        }
    }
}

async fn progress(guest: Guest) -> Answer {
    if !guest.is_operator() {
        return Err(Problem::new("not_permitted").detail("Only the configured operator follows long work."));
    }
    let work = guest.service.operations.get(guest.id("operation")?).ok_or_else(|| Problem::new("not_found"))?;
    Ok(HttpResponse::Ok().json(work))
}
