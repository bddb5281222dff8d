//! What a resource is: an aggregate that decides, a view that is read, and the
//! few words that join them. Everything else – reading one, listing many,
//! running a command, telling what may be done next – is the same for all.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, LOCATION};
use lastresort_domain::{Action as _, Guarded};
use lastresort_fact::{Actor, Asked, Class, EventId, OrganisationId, PersonId, ProgrammeId, Role, Unmet};
use lastresort_ledger::desk::{DeskError, Reader, Seen, States};
use lastresort_ledger::keys::Reading;
use lastresort_ledger::rows::{Filter, RowId};
use lastresort_ledger::view::View;
use lastresort_views::{Ledgers, Moment};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::call::{Answer, Call};
use crate::problem::Problem;
use crate::sight::{self, Part};

/// The row of a resource's view.
pub type RowOf<R> = <<R as Resource>::View as View>::Row;
/// What may be asked of a resource's aggregate.
pub type CommandOf<R> = <<R as Resource>::State as lastresort_fact::Decides>::Command;
/// What a decision of a resource's aggregate rests on.
pub type FactsOf<R> = <<R as Resource>::State as lastresort_fact::Decides>::Facts;

/// A resource of the contract.
pub trait Resource: Sized + 'static {
    /// What decides.
    type State: Guarded<Command: Clone>;
    /// What is read.
    type View: View<World = Ledgers>;
    /// What is shown of a row.
    type Shown: Serialize + ToSchema;
    /// Its name in paths, plural.
    const PATH: &'static str;
    /// The name of its id in paths, singular.
    const ID: &'static str;
    /// Who reads all of them; whoever one is about reads that one.
    const READERS: &'static [Role];
    /// Who else reads all of them, and what part of each.
    const PARTS: &'static [Part<Self>] = &[];
    /// The condition that a row is about somebody, so that they find their own in lists.
    const ABOUT: Option<fn(PersonId) -> Filter> = None;
    /// The column that says to which programme a row belongs.
    const PROGRAMME: Option<&'static str> = None;
    /// What lists can be narrowed by.
    const FILTERS: &'static [Sieve] = &[];
    /// The columns lists can be sorted by; by id where none is asked.
    const SORTS: &'static [&'static str] = &[];
    /// What lists can be searched by, where they can.
    const SEARCH: Option<&'static str> = None;

    /// What is shown of a row at a moment.
    fn shown(row: &RowOf<Self>, moment: Moment) -> Self::Shown;
    /// What is shown of a row to somebody who has a part in it; nothing where they have none.
    #[must_use]
    fn part(_: &RowOf<Self>, _: &Call) -> Option<Self::Shown> {
        None
    }
    /// Of people whose rows the caller reads in part, those whose rows they read whole.
    #[expect(async_fn_in_trait, reason = "handlers stay on their thread")]
    #[must_use]
    async fn entrusted(_: &Call, _: &[PersonId], _: Moment) -> Result<BTreeSet<PersonId>, Problem> {
        Ok(BTreeSet::new())
    }
    /// The version of its stream.
    fn version(row: &RowOf<Self>) -> u64;
    /// Whom it is about.
    #[must_use]
    fn about(_: &RowOf<Self>) -> Option<PersonId> {
        None
    }
    /// Whether somebody is assigned to it, as mentor, assessor or trainer.
    #[must_use]
    fn assigned(_: &RowOf<Self>, _: PersonId, _: Moment) -> bool {
        false
    }
    /// To which programme it belongs.
    #[must_use]
    fn programme(_: &RowOf<Self>) -> Option<ProgrammeId> {
        None
    }
    /// What a decision rests on: the same for a command and for telling beforehand.
    #[expect(async_fn_in_trait, reason = "handlers stay on their thread")]
    async fn facts(states: &mut impl States, at: &At<'_, Self>) -> Result<FactsOf<Self>, DeskError>;
    /// The values that a command gives back, so that another stream may take them: kind and parts.
    #[must_use]
    fn releases(_: &CommandOf<Self>, _: &Self::State) -> Vec<(&'static str, Vec<String>)> {
        Vec::new()
    }
    /// The values only one stream may hold that a command takes: kind and parts.
    #[must_use]
    fn claims(_: &CommandOf<Self>, _: &Self::State) -> Vec<(&'static str, Vec<String>)> {
        Vec::new()
    }
}

/// Where a decision is made.
pub struct At<'a, R: Resource> {
    /// Whose ledger.
    pub organisation: OrganisationId,
    /// Which stream.
    pub id: Uuid,
    /// Who asks.
    pub by: Actor,
    /// Its state.
    pub state: &'a R::State,
    /// What is asked; none where somebody wants to know beforehand.
    pub command: Option<&'a CommandOf<R>>,
}

/// Something a list can be narrowed by.
pub struct Sieve {
    /// The parameter's name.
    pub name: &'static str,
    /// What it holds.
    pub form: Form,
    /// What it leaves, for the contract.
    pub about: &'static str,
    /// The conditions a value makes.
    pub filters: fn(&str) -> Vec<Filter>,
}

/// What a parameter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A UUID.
    Id,
    /// A date.
    Date,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// An action of a resource, and what stands in the way of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AllowedAction {
    /// Its name.
    pub action: String,
    /// The method to send it with.
    pub method: String,
    /// Where to.
    pub href: String,
    /// Whether it would be done.
    pub allowed: bool,
    /// Everything that stands in its way.
    pub blocked_by: Vec<Unmet>,
}

/// What came of a command, beside the resource.
#[derive(Clone, Debug)]
pub struct Caused {
    /// The status to answer with.
    pub status: StatusCode,
    /// The ledger's position after it.
    pub position: u64,
    /// The facts it caused.
    pub events: Vec<EventId>,
    /// It was done before.
    pub replayed: bool,
    /// The states it ended with.
    pub seen: Seen,
}

/// One resource, with what the caller may do to it.
///
/// # Errors
/// 404 where there is none, 403 where it is not theirs to read.
pub async fn read<R: Resource>(call: &Call, id: Uuid) -> Answer {
    let query = call.guest.query(&["min_position"])?;
    call.fresh(&query).await?;
    show::<R>(call, id, None).await
}

/// One resource as an answer to a read, or to the command that caused it.
///
/// # Errors
/// 404 where there is none, 403 where it is not theirs to read.
pub async fn show<R: Resource>(call: &Call, id: Uuid, caused: Option<&Caused>) -> Answer {
    let (follower, organisation, name) = (&call.guest.service.follower, call.organisation, id.to_string());
    let (position, found) = match caused {
        Some(caused) => (caused.position, follower.row_at::<R::View>(organisation, &name, caused.position).await?),
        None => (follower.state(organisation).await.bookmark, follower.row::<R::View>(organisation, &name).await?),
    };
    let found = found.ok_or_else(|| sight::missing::<R>(call))?;
    let mut reader = call.reader(caused.map(|caused| caused.seen.clone()).unwrap_or_default());
    let moment = call.moment(&mut reader).await?;
    let mut value = match sight::seen::<R>(call, &[&found.row], moment).await?.pop().flatten() {
        Some(shown) => json(&shown)?,
        None if caused.is_some() => json!({"id": id, "version": R::version(&found.row)}),
        None => return Err(sight::refused::<R>()),
    };
    reveal(call, &mut [(&mut value, Whose::of::<R>(call, &found.row, moment))]).await?;
    let fields = value.as_object_mut().ok_or_else(|| Problem::fault(&"a resource is no object"))?;
    fields.insert("allowed_actions".to_owned(), json(&allowed_actions::<R>(call, reader, &found.row, id).await?)?);
    let mut answer = HttpResponse::build(caused.map_or(StatusCode::OK, |caused| caused.status));
    if let Some(caused) = caused {
        fields.insert("events".to_owned(), json(&caused.events)?);
        replayed(&mut answer, caused);
        if caused.status == StatusCode::CREATED {
            answer.insert_header((LOCATION, format!("/v1/organisations/{}/{}/{id}", call.organisation, R::PATH)));
        }
    }
    answer.insert_header((ETAG, format!("\"{}\"", R::version(&found.row))));
    answer.insert_header(("Ledger-Position", position.to_string()));
    Ok(answer.json(value))
}

/// Marks an answer that was given before.
pub fn replayed(answer: &mut actix_web::HttpResponseBuilder, caused: &Caused) {
    if caused.replayed {
        answer.insert_header(("Idempotent-Replayed", "true"));
    }
}

/// What the caller may do to a resource, by the guards its commands use.
async fn allowed_actions<R: Resource>(
    call: &Call,
    mut reader: Reader<'_>,
    row: &RowOf<R>,
    id: Uuid,
) -> Result<Vec<AllowedAction>, Problem> {
    let (mut state, version) = reader.state::<R::State>(id).await?;
    if version < R::version(row) {
        // Somebody went on since it was seen.
        reader = call.reader(Seen::default());
        (state, _) = reader.state::<R::State>(id).await?;
    }
    let at = At { organisation: call.organisation, id, by: call.actor(), state: &state, command: None };
    let facts = R::facts(&mut reader, &at).await?;
    let now = reader.now();
    let programme = state.programme(&facts);
    let actions = state.actions().into_iter().map(|action| {
        let acting = call.known.acting(action.roles(), programme, now).or_else(|| call.known.held(now).next());
        let asked = Asked {
            by: call.actor(),
            role: acting.map_or(Role::Staff, |acting| acting.role),
            grant: acting.map(|acting| acting.grant),
            scope: acting.map(|acting| acting.scope).unwrap_or_default(),
            at: now,
            occurred_at: now,
            cause: None,
            supersedes: None,
        };
        // In no role that may, the command is refused before anything else is looked at.
        let blocked_by = if action.roles().contains(&asked.role) {
            Problem::told_of(state.foretold(action, &asked, &facts))
        } else {
            vec![lastresort_domain::guard::not_permitted(action.roles())]
        };
        let (method, href) = call.guest.service.places.place(R::ID, action.name(), call.organisation, id, action.part());
        AllowedAction { action: action.name().to_owned(), method, href, allowed: blocked_by.is_empty(), blocked_by }
    });
    Ok(actions.collect())
}

/// Whose something is, to whoever reads it.
#[derive(Clone, Copy, Debug)]
pub struct Whose {
    programme: Option<ProgrammeId>,
    about: Option<PersonId>,
    assigned: bool,
}

impl Whose {
    /// Whose a row is to the caller.
    pub fn of<R: Resource>(call: &Call, row: &RowOf<R>, moment: Moment) -> Self {
        Self { programme: R::programme(row), about: R::about(row), assigned: R::assigned(row, call.known.person, moment) }
    }
}

/// Puts in place of sealed fields what the caller may see of them.
///
/// # Errors
/// Where keys cannot be read.
pub async fn reveal(call: &Call, values: &mut [(&mut Value, Whose)]) -> Result<(), Problem> {
    let opens: Vec<_> = values
        .iter()
        .map(|(_, whose)| *whose)
        .map(|whose| move |class: Class| call.opens_in(whose.programme, class, whose.about, whose.assigned))
        .collect();
    let mut readings: Vec<Reading<'_>> =
        values.iter_mut().zip(&opens).map(|((value, _), opens)| Reading { value, at: None, opens }).collect();
    let desk = &call.guest.service.desk;
    Ok(desk.keys.reveal(&*desk.store, call.organisation, &mut readings).await?)
}

/// A value as JSON.
///
/// # Errors
/// A fault of ours.
pub fn json(value: &impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(value).map_err(|error| Problem::fault(&error))
}

/// A row's id as its stream's.
///
/// # Errors
/// A fault of ours.
pub fn stream_id(id: &RowId) -> Result<Uuid, Problem> {
    id.parse().map_err(|error| Problem::fault(&error))
}
