//! From a request to facts: who may, what is asked, under which key and
//! version; then the desk, and the resource as it became.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use lastresort_domain::Action;
use lastresort_domain::grant::{Grant, outlives_employment};
use lastresort_domain::organisation::Organisation;
use lastresort_domain::person::Person;
use lastresort_fact::{EventId, Instant, Refusal, Role};
use lastresort_ledger::append::CommandKey;
use lastresort_ledger::desk::{DeskError, Done, Expect, Order, States as _, Work};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::{Acting, Known};
use crate::call::{Answer, Call, Guest};
use crate::problem::Problem;
use crate::resource::{At, Caused, CommandOf, Resource, replayed, show};
use crate::service::WAIT;

/// How a command stands to the version the caller saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// It changes or closes something: `If-Match` is required.
    Required,
    /// It adds something: `If-Match` is honoured where it is sent.
    Optional,
}

/// A command with the time of which it tells.
#[derive(Clone, Debug)]
pub struct Asking<C> {
    /// What is asked.
    pub command: C,
    /// When what is told was so; now, where absent.
    pub occurred_at: Option<Instant>,
    /// The fact it corrects.
    pub supersedes: Option<EventId>,
}

impl<C> From<C> for Asking<C> {
    fn from(command: C) -> Self {
        Self { command, occurred_at: None, supersedes: None }
    }
}

impl<C> Asking<C> {
    /// The command, told of another time.
    pub const fn told(command: C, occurred_at: Option<Instant>) -> Self {
        Self { command, occurred_at, supersedes: None }
    }

    /// The same, in place of what a fact said.
    #[must_use]
    pub fn correcting(mut self, supersedes: Option<EventId>) -> Self {
        self.supersedes = supersedes;
        self
    }
}

/// A command ready to be run.
pub struct Ready<C> {
    /// Which stream.
    pub id: Uuid,
    /// What that stream must be.
    pub expect: Expect,
    /// What is asked.
    pub asking: Asking<C>,
    /// By which right.
    pub acting: Acting,
    /// The body in canonical form, for the key.
    pub body: String,
    /// The status to answer with.
    pub status: StatusCode,
}

impl Guest {
    /// The version the caller saw, from `If-Match`.
    ///
    /// # Errors
    /// 400 where it is no `ETag` of ours.
    pub fn if_match(&self) -> Result<Option<u64>, Problem> {
        let Some(text) = self.header("If-Match")? else { return Ok(None) };
        let version = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .and_then(|text| text.parse::<u64>().ok().filter(|version| version.to_string() == text));
        let malformed = || Problem::new("malformed").detail("If-Match must be the ETag of this resource, such as \"3\".");
        version.map(Some).ok_or_else(malformed)
    }

    /// What the stream must be, by `If-Match` and whether it is required.
    ///
    /// # Errors
    /// 428 where it is required and absent.
    pub fn expect(&self, version: Version) -> Result<Expect, Problem> {
        match (self.if_match()?, version) {
            (Some(seen), _) => Ok(Expect::Version(seen)),
            (None, Version::Optional) => Ok(Expect::Exists),
            (None, Version::Required) => Err(Problem::new("version_required")),
        }
    }

    /// The command's key: the client's, bound to who sends it, or one of ours.
    ///
    /// # Errors
    /// 400 where it cannot be one, or a machine sent none.
    pub fn key(
        &self,
        organisation: lastresort_fact::OrganisationId,
        actor: &str,
        machine: bool,
        body: &str,
    ) -> Result<(CommandKey, bool), Problem> {
        let keys = &self.service.desk.keys;
        let given = self.header("Idempotency-Key")?;
        if given.is_some_and(|key| key.is_empty() || key.len() > 255) {
            return Err(Problem::new("key_malformed"));
        }
        if machine && given.is_none() {
            return Err(Problem::new("key_required"));
        }
        let ours = lastresort_ledger::ids::new().to_string();
        let key = keys.digest(organisation, "command", &[actor, given.unwrap_or(&ours)]);
        let body = keys.digest(organisation, "body", &[self.request.method().as_str(), self.request.path(), body]);
        Ok((CommandKey { key, body }, given.is_some()))
    }
}

impl Call {
    /// The right to do something to a resource: where only a grant for one
    /// programme gives it, one that reaches the resource's own.
    ///
    /// # Errors
    /// 403 that names what is missing.
    pub async fn right_to<R: Resource>(&mut self, action: impl Action, id: Option<Uuid>) -> Result<Acting, Problem> {
        if let Some(scopes) = &self.guest.bearer.scopes
            && scopes.iter().any(|scope| scope.starts_with("lastresort:"))
            && !scopes.iter().any(|scope| scope == "lastresort:write")
        {
            return Err(Problem::new("not_permitted").detail("The token's scopes allow reading only."));
        }
        let acting = self.acting(action.roles(), None).await?;
        match (acting.scope, id) {
            (lastresort_fact::Scope::Programme(_), Some(id)) => {
                let row = self.guest.service.follower.row::<R::View>(self.organisation, &id.to_string()).await?;
                let programme = row.and_then(|found| R::programme(&found.row));
                self.acting(action.roles(), programme).await
            }
            _ => Ok(acting),
        }
    }

    /// A command's circumstances.
    ///
    /// # Errors
    /// Where its key cannot be used.
    pub fn order(&self, acting: Acting, body: &str, occurred_at: Option<Instant>, status: StatusCode) -> Result<Order, Problem> {
        let (key, key_given) = self.guest.key(self.organisation, &self.known.person.to_string(), self.known.machine, body)?;
        Ok(Order {
            organisation: self.organisation,
            by: self.actor(),
            role: acting.role,
            grant: Some(acting.grant),
            scope: acting.scope,
            occurred_at,
            cause: None,
            supersedes: None,
            key,
            key_given,
            correlation: lastresort_ledger::ids::new(),
            opens: false,
            status: status.as_u16(),
        })
    }

    /// Runs a command on one resource and answers with it.
    ///
    /// # Errors
    /// Every reason why nothing was written.
    pub async fn perform<R: Resource>(self, ready: Ready<CommandOf<R>>) -> Answer {
        let Ready { id, expect, asking, acting, body, status } = ready;
        let order = Order { supersedes: asking.supersedes, ..self.order(acting, &body, asking.occurred_at, status)? };
        let known = &self.known;
        let command = &asking.command;
        let done = self
            .guest
            .service
            .desk
            .run(&order, async |work| {
                rest_on_right(work, acting, known).await?;
                decide::<R>(work, id, expect, command).await
            })
            .await?;
        self.settle::<R>(&done, id).await
    }

    /// Answers with a resource once the rows show what was done to it.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn settle<R: Resource>(&self, done: &Done, id: Uuid) -> Answer {
        let receipt = &done.receipt;
        // A replay answers for the stream it wrote, whatever id this request drew.
        let kind = <R::State as lastresort_fact::Decides>::TYPE;
        let id = receipt.streams.iter().find(|(stream, _)| stream.kind == kind).map_or(id, |(stream, _)| stream.id);
        let caused = Caused {
            status: StatusCode::from_u16(receipt.status).unwrap_or(StatusCode::OK),
            position: receipt.position,
            events: receipt.events.clone(),
            replayed: done.replayed,
            seen: done.seen.clone(),
        };
        if self.guest.service.follower.wait_for(self.organisation, receipt.position, WAIT).await {
            return show::<R>(self, id, Some(&caused)).await;
        }
        Ok(later(&caused, id))
    }
}

/// What is said of a command that is done and not yet in the rows.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Receipt {
    /// The resource it was done to.
    pub id: Uuid,
    /// The ledger's position after it.
    #[schema(minimum = 1)]
    pub position: u64,
    /// The ids of the facts it caused.
    pub events: Vec<EventId>,
}

/// Done, and not yet in the rows.
fn later(caused: &Caused, id: Uuid) -> HttpResponse {
    let mut answer = HttpResponse::Accepted();
    answer.insert_header(("Ledger-Position", caused.position.to_string()));
    replayed(&mut answer, caused);
    answer.json(Receipt { id, position: caused.position, events: caused.events.clone() })
}

/// Lets one resource decide, taking and giving back the values only one may hold.
///
/// # Errors
/// What the domain refuses.
pub async fn decide<R: Resource>(work: &mut Work<'_>, id: Uuid, expect: Expect, command: &CommandOf<R>) -> Result<(), DeskError> {
    let (state, version) = work.state::<R::State>(id).await?;
    if version == 0 && matches!(expect, Expect::Exists | Expect::Version(_)) {
        return Err(DeskError::Missing(<R::State as lastresort_fact::Decides>::TYPE));
    }
    let at = At { organisation: work.organisation(), id, by: work.asked()?.by, state: &state, command: Some(command) };
    let facts = R::facts(work, &at).await?;
    for (kind, parts) in R::claims(command, &state) {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        work.claim(kind, &parts, <R::State as lastresort_fact::Decides>::TYPE, id);
    }
    for (kind, parts) in R::releases(command, &state) {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        work.release(kind, &parts);
    }
    work.decide_on(id, (state, version), expect, command.clone(), &facts).await?;
    Ok(())
}

/// Rests a command on the right it is sent under, as it is believed to be: the
/// grant, and that whoever holds it has not left. Where either has moved
/// meanwhile, the append finds it so, and the command is decided again.
///
/// # Errors
/// Where the right does not hold any more.
pub async fn rest_on_right(work: &mut Work<'_>, acting: Acting, known: &Known) -> Result<(), DeskError> {
    let (Acting { role, grant, .. }, person) = (acting, known.person);
    let may_leave = outlives_employment(role);
    if work.believes::<Grant>(grant.0, acting.version) && (may_leave || work.believes::<Person>(person.0, known.version)) {
        return Ok(());
    }
    let (grant, _) = work.state::<Grant>(grant.0).await?;
    let stays = may_leave || {
        let (calendar, _) = work.state::<Organisation>(work.organisation().0).await?;
        let (holder, _) = work.state::<Person>(person.0).await?;
        !holder.left_by(calendar.day(work.now()))
    };
    if stays && grant.holds(person, role, work.now()) {
        return Ok(());
    }
    Err(Refusal::one("not_permitted", format!("The grant as {} does not hold any more.", Role::name(role))).into())
}
