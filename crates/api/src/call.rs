//! A request once it is known who sends it. Handlers take one of these and
//! nothing else, so that nobody's path, query or body is looked at before their
//! token: [`Guest`] has a good token, [`Call`] a place in the ledger as well.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse, web};
use futures::future::LocalBoxFuture;
use lastresort_domain::reads::Read;
use lastresort_fact::{Actor, Class, OrganisationId, PersonId, ProgrammeId, Role, Unmet};
use lastresort_ledger::desk::{DeskError, Reader, Seen};
use lastresort_views::Moment;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::access::{Acting, Known};
use crate::body::Body;
use crate::problem::Problem;
use crate::service::{Service, WAIT};
use crate::token::{Bearer, bearer_token};

/// What a handler answers.
pub type Answer = Result<HttpResponse, Problem>;

/// A request with a good token.
pub struct Guest {
    /// The service.
    pub service: Arc<Service>,
    /// The request.
    pub request: HttpRequest,
    /// Whose token it is.
    pub bearer: Bearer,
    payload: Payload,
}

/// A request of somebody known to the organisation it names.
pub struct Call {
    /// The request itself.
    pub guest: Guest,
    /// Whose ledger.
    pub organisation: OrganisationId,
    /// Who asks.
    pub known: Arc<Known>,
}

impl FromRequest for Guest {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let service = request.app_data::<web::Data<Service>>().ok_or_else(|| Problem::fault(&"no service"))?;
            let service = Arc::clone(&**service);
            let bearer = service.verifier.verify(bearer_token(request.headers())?).await?;
            if let Some(limiter) = &service.limiter {
                let state = limiter.check(&format!("{} {}", bearer.issuer, bearer.subject))?;
                request.extensions_mut().insert(state);
            }
            Ok(Self { service, request, bearer, payload })
        })
    }
}

impl FromRequest for Call {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let guest = Guest::from_request(request, payload);
        Box::pin(async move {
            let guest = guest.await?;
            let organisation = guest.id::<OrganisationId>("org")?;
            let known = guest.known(organisation, false).await?;
            // Nobody learns which organisations exist.
            let known = known.ok_or_else(|| Problem::new("not_found"))?;
            guest.log_inspection(organisation, &known)?;
            Ok(Self { guest, organisation, known })
        })
    }
}

impl Guest {
    /// Who they are in an organisation's ledger.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn known(&self, organisation: OrganisationId, fresh: bool) -> Result<Option<Arc<Known>>, Problem> {
        let Service { access, desk, follower, .. } = &*self.service;
        Ok(access.known(desk, follower, organisation, (&self.bearer.issuer, &self.bearer.subject), fresh).await?)
    }

    /// Logs a read of somebody who inspects, in the ledger that was read; rule 22.
    ///
    /// # Errors
    /// 503 where too many wait to be written.
    pub fn log_inspection(&self, organisation: OrganisationId, known: &Known) -> Result<(), Problem> {
        let Self { service, request, .. } = self;
        let at = service.desk.clock.now();
        let inspects = known.held(at).find(|acting| acting.role == Role::Inspector);
        let Some(acting) = inspects.filter(|_| request.method().is_safe()) else { return Ok(()) };
        let named = request.match_info().iter().filter(|(name, _)| *name != "org").find_map(|(_, value)| value.parse().ok());
        let read = Read { route: request.match_pattern().unwrap_or_default(), resource: named, at };
        service.reads.note((organisation, known.person, acting.grant), read)
    }

    /// Whether they are the configured operator.
    #[must_use]
    pub fn is_operator(&self) -> bool {
        self.service.operators.iter().any(|(issuer, subject)| *issuer == self.bearer.issuer && *subject == self.bearer.subject)
    }

    /// A part of the path.
    ///
    /// # Errors
    /// 404 where it cannot name anything.
    pub fn id<T: FromStr>(&self, name: &str) -> Result<T, Problem> {
        let text = self.request.match_info().get(name).filter(|text| !text.chars().any(char::is_control));
        text.and_then(|text| text.parse().ok()).ok_or_else(|| Problem::new("not_found"))
    }

    /// The body, as the contract describes it.
    ///
    /// # Errors
    /// Every fault in it.
    pub async fn body<T: DeserializeOwned + ToSchema + 'static>(&mut self) -> Result<Body<T>, Problem> {
        Body::<T>::from_request(&self.request, &mut self.payload).await
    }

    /// A header's text.
    ///
    /// # Errors
    /// Where it is not printable ASCII, or stands there more than once.
    pub fn header(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut values = self.request.headers().get_all(name);
        let Some(value) = values.next() else { return Ok(None) };
        match (value.to_str(), values.next()) {
            (Ok(text), None) => Ok(Some(text.trim())),
            _ => Err(Problem::new("malformed").detail(format!("The header {name} must stand there once, in printable ASCII."))),
        }
    }

    /// The query's parameters; only those named may stand there, each once.
    ///
    /// # Errors
    /// Each that may not.
    pub fn query(&self, names: &[&str]) -> Result<Query, Problem> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(self.request.query_string())
            .map_err(|_| Problem::new("malformed").detail("The query is not a list of names and values."))?
            .into_inner();
        let mut faults = Vec::new();
        for (index, (name, value)) in pairs.iter().enumerate() {
            if !names.contains(&name.as_str()) {
                faults.push(Unmet::new(
                    "unknown_parameter",
                    format!("{} is no query parameter here; they are {}.", named(name), names.join(", ")),
                ));
            } else if pairs[..index].iter().any(|(other, _)| other == name) {
                faults.push(Unmet::new("unknown_parameter", format!("{name} stands there twice.")));
            } else if value.contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER) || value.len() > 2_000 {
                faults.push(Unmet::new("malformed", format!("{name} is not a text that can be looked for.")));
            }
        }
        match faults.first() {
            Some(first) => Err(Problem::new(&first.code.clone()).errors(faults)),
            None => Ok(Query(pairs)),
        }
    }
}

/// A parameter's name, as far as it is fit to be told back.
fn named(name: &str) -> String {
    let fit: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')).take(50).collect();
    if fit.is_empty() { "One of them".to_owned() } else { fit }
}

/// A query's parameters.
#[derive(Debug)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// A parameter's text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// A parameter, parsed.
    ///
    /// # Errors
    /// 400 where it is not of its form.
    pub fn get<T: FromStr>(&self, name: &str, form: &dyn Display) -> Result<Option<T>, Problem> {
        let malformed = || Problem::new("malformed").detail(format!("The query parameter {name} must be {form}."));
        self.text(name).map(|text| text.parse().map_err(|_| malformed())).transpose()
    }
}

impl Call {
    /// Who asks, as facts name them.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::Person(self.known.person)
    }

    /// States as they are now, for readers; those seen already as they were seen.
    #[must_use]
    pub fn reader(&self, seen: Seen) -> Reader<'_> {
        Reader::new(&self.guest.service.desk, self.organisation, seen)
    }

    /// The moment it is here.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn moment(&self, reader: &mut Reader<'_>) -> Result<Moment, Problem> {
        Ok(crate::service::moment(reader, self.organisation).await?)
    }

    /// The right to act in one of these roles.
    ///
    /// # Errors
    /// 403 that names what is missing.
    pub async fn acting(&mut self, roles: &[Role], programme: Option<ProgrammeId>) -> Result<Acting, Problem> {
        let now = self.guest.service.desk.clock.now();
        if let Some(acting) = self.known.acting(roles, programme, now) {
            return Ok(acting);
        }
        // What is believed may be half a second old; a refusal looks again.
        if let Some(known) = self.guest.known(self.organisation, true).await? {
            self.known = known;
        }
        let unmet = lastresort_domain::guard::not_permitted(roles);
        self.known
            .acting(roles, programme, now)
            .ok_or_else(|| Problem::new("not_permitted").detail(unmet.detail.clone()).errors(vec![unmet]))
    }

    /// Whether a class of personal data is open to them, who may be assigned to
    /// whoever it is about; of themselves all is.
    #[must_use]
    pub fn opens(&self, class: Class, about: Option<PersonId>, assigned: bool) -> bool {
        self.opens_in(None, class, about, assigned)
    }

    /// The same of something that belongs to a programme: a grant opens no more than it reaches.
    #[must_use]
    pub fn opens_in(&self, programme: Option<ProgrammeId>, class: Class, about: Option<PersonId>, assigned: bool) -> bool {
        let now = self.guest.service.desk.clock.now();
        let opens = |acting: Acting| acting.scope.reaches(programme) && lastresort_domain::person::opens(acting.role, class, assigned);
        about == Some(self.known.person) || self.known.held(now).any(opens)
    }

    /// Waits, within a bound, until the rows show what a read asks for with `min_position`.
    ///
    /// # Errors
    /// 400 for a position that nobody was given yet, 503 where they do not in time.
    pub async fn fresh(&self, query: &Query) -> Result<(), Problem> {
        let Some(position) = query.get::<u64>("min_position", &"a position of this ledger")? else { return Ok(()) };
        let Service { follower, desk, .. } = &*self.guest.service;
        if follower.state(self.organisation).await.bookmark >= position {
            return Ok(());
        }
        if desk.store.head(self.organisation).await?.is_none_or(|head| head.position < position) {
            return Err(Problem::new("malformed").detail("The query parameter min_position lies beyond the end of this ledger."));
        }
        if follower.wait_for(self.organisation, position, WAIT).await {
            return Ok(());
        }
        Err(Problem::new("unavailable").detail("The rows have not reached that position yet.").retry_after(1))
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Refused(refusal) => Self::from_refusal(refusal),
            DeskError::Stale { actual, moved } => {
                let problem = Self::new("version_stale").version(actual);
                match moved {
                    Some((by, role)) => problem.moved_by(by.to_string(), role.name()),
                    None => problem,
                }
            }
            DeskError::Missing(_) => Self::new("not_found"),
            DeskError::KeyReused => Self::new("key_reused"),
            DeskError::ClaimTaken { kind, .. } => Self::from_refusal(claim_taken(&kind).into()),
            DeskError::TooLarge => Self::new("event_too_large"),
            DeskError::Erased => Self::new("erased"),
            DeskError::Busy => Self::new("busy"),
            DeskError::Store(error) => error.into(),
        }
    }
}

/// What it means that another stream holds a value.
fn claim_taken(kind: &str) -> Unmet {
    match kind {
        "external_id" => Unmet::new("duplicate_person", "Somebody is known by this external id already."),
        LOGIN_KIND => Unmet::new("duplicate_person", "This login is somebody else's."),
        "candidate" => Unmet::new("already_done", "This person is a candidate of this programme already."),
        _ => Unmet::new("already_done", "Another resource holds this value already."),
    }
}

const LOGIN_KIND: &str = crate::access::LOGIN;

impl From<lastresort_ledger::store::StoreError> for Problem {
    fn from(error: lastresort_ledger::store::StoreError) -> Self {
        use lastresort_ledger::store::StoreError;
        match error {
            StoreError::Unavailable(why) | StoreError::InUse(why) => {
                tracing::error!(%why, "the store is unavailable");
                Self::new("unavailable")
            }
            StoreError::Corrupt(why) => Self::fault(&why),
        }
    }
}
