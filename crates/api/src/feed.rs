//! The feed: every fact of a ledger, in order, without gaps, as far as the
//! reader may see it. A fact of a resource that they do not read is its position
//! and that alone. Personal fields their grant does not open are
//! `{"withheld": class}`; erased ones are `{"erased": class}`.

use lastresort_domain::reads::Reads;
use lastresort_fact::{Class, Decides as _, EventId, GrantId, Instant, Role, Stamp};
use lastresort_ledger::append::StreamRef;
use lastresort_ledger::keys::Reading;
use lastresort_ledger::store::StoredEvent;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::call::{Answer, Call, Query};
use crate::listing::{limit, limit_of, min_position, page_of};
use crate::problem::Problem;
use crate::resource::json;
use crate::schema::{Shape, Shapes};
use crate::table::{Callers, Entry, PREFIX, Parameter, Table};

/// Who reads the feed.
pub const READERS: &[Role] = &[Role::Inspector, Role::Manager, Role::GovernanceLead, Role::ProviderAdmin, Role::HrSystem];
/// Who is told what inspectors read: those who answer for the place, and inspectors.
const OVERSEERS: &[Role] = &[Role::Inspector, Role::Manager, Role::GovernanceLead];

/// A fact of a ledger.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Event {
    /// Its place in the ledger, from 1, without gaps.
    #[schema(minimum = 1)]
    pub position: u64,
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: EventId,
    /// What happened, in the past tense.
    #[serde(rename = "type")]
    pub kind: String,
    /// The version of its shape.
    pub schema: String,
    /// To what it happened.
    pub stream: Stream,
    /// When it was so.
    pub occurred_at: Instant,
    /// When the ledger took it; never runs backwards.
    pub recorded_at: Instant,
    /// Who caused it: a person's id, `bootstrap` or `operator`.
    pub by: String,
    /// In what role.
    pub role: Role,
    /// By which grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// The fact that led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<EventId>,
    /// The fact it restates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<EventId>,
    /// What it says; its shape is named by `type` and `schema`.
    #[schema(value_type = Object)]
    pub data: Value,
}

/// A fact of which the reader sees that it is there, and nothing else.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithheldEvent {
    /// Its place in the ledger, from 1, without gaps.
    #[schema(minimum = 1)]
    pub position: u64,
}

/// A stream at one of its events.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Stream {
    /// The kind of resource.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id.
    pub id: Uuid,
    /// The version it had after the event.
    #[schema(minimum = 1)]
    pub version: u64,
}

/// The operations.
pub fn operations(table: &mut Table) {
    table.told.stream(Reads::TYPE, OVERSEERS);
    let Shape(item) = event_shapes(&mut table.shapes);
    let answer = table.shapes.page("EventList", &item);
    let all = Entry::get(
        &format!("{PREFIX}/events"),
        "list_events",
        "events",
        Callers::Roles(READERS),
        answer.clone(),
        "Read the facts of the ledger in order, without gaps; an empty page is the end, and of what is not yours to read you get the position.",
    );
    table.add(all.query(parameters()), ledger);
    let one = Entry::get(
        &format!("{PREFIX}/streams/{{type}}/{{id}}/events"),
        "list_stream_events",
        "events",
        Callers::Roles(READERS),
        answer,
        "Read the facts of one resource in order.",
    );
    table.add(one.query(parameters()), stream);
}

/// An event is one of those the domain declares, told apart by their `type`, so
/// that a generated client gives each its own class; or one not known yet, so
/// that a strict one does not fall over it; or one that is not theirs to read,
/// which has no `type`. The known ones have a name of their own: with the others
/// among them TypeScript could not narrow by `type`.
fn event_shapes(shapes: &mut Shapes) -> Shape {
    let Shape(any) = shapes.of::<Event>();
    let mut head = shapes.0.remove("Event").unwrap_or_default();
    let own = ["type", "schema", "data"];
    if let Some(fields) = head["properties"].as_object_mut() {
        fields.retain(|name, _| !own.contains(&name.as_str()));
    }
    if let Some(required) = head["required"].as_array_mut() {
        required.retain(|name| name.as_str().is_none_or(|name| !own.contains(&name)));
    }
    shapes.0.insert("EventHead".to_owned(), head);
    let (mut kinds, mut mapping, mut names) = (Vec::new(), serde_json::Map::new(), Vec::new());
    for (data, Shape(schema)) in crate::events::shapes(shapes) {
        let Some((name, version)) = data.rsplit_once('V') else { continue };
        let (kind, told) = (json!({"type": "string", "const": name}), json!({"type": "string", "const": version}));
        let event = event_shape(&schema["description"], &kind, &told, &Shape::named(&data).0);
        let Shape(own) = Shape::named(&format!("{name}Event"));
        mapping.insert(name.to_owned(), own["$ref"].clone());
        kinds.push(own);
        names.push(name.to_owned());
        shapes.0.insert(format!("{name}Event"), event);
        shapes.0.insert(data, schema);
    }
    let (kind, text) = (json!({"type": "string", "not": {"enum": names}}), json!({"type": "string"}));
    let other = event_shape(&json!("An event this contract does not know yet."), &kind, &text, &json!({"type": "object"}));
    shapes.0.insert("OtherEvent".to_owned(), other);
    let known = json!({
        "description": "A fact that this contract knows; `type` says which.",
        "oneOf": kinds,
        "discriminator": {"propertyName": "type", "mapping": mapping},
    });
    shapes.0.insert("KnownEvent".to_owned(), known);
    let Shape(withheld) = shapes.of::<WithheldEvent>();
    let about = "A fact of a ledger: one that this contract knows, or, in time, another; or one that is not the reader's to see.";
    let any_of_them = json!({"description": about, "oneOf": [Shape::named("KnownEvent").0, Shape::named("OtherEvent").0, withheld]});
    shapes.0.insert("Event".to_owned(), any_of_them);
    Shape(any)
}

fn event_shape(about: &Value, kind: &Value, schema: &Value, data: &Value) -> Value {
    let own =
        json!({"type": "object", "required": ["type", "schema", "data"], "properties": {"type": kind, "schema": schema, "data": data}});
    json!({"description": about, "allOf": [Shape::named("EventHead").0, own]})
}

fn parameters() -> Vec<Parameter> {
    let schema = Shape(json!({"type": "integer", "format": "int64", "minimum": 0, "default": 0}));
    vec![Parameter { name: "after", about: "What follows this position.".to_owned(), schema }, limit(), min_position()]
}

async fn ledger(mut call: Call) -> Answer {
    let (after, limit) = asked(&mut call).await?;
    let events = call.guest.service.desk.store.read(call.organisation, after, limit).await?;
    page(&call, events).await
}

async fn stream(mut call: Call) -> Answer {
    let stream = StreamRef { kind: call.guest.id("type")?, id: call.guest.id("id")? };
    let (after, limit) = asked(&mut call).await?;
    call.guest.service.told.permit(&call.roles_everywhere(), &stream.kind)?;
    let events = call.guest.service.desk.store.read_stream(call.organisation, &stream, after, limit).await?;
    if events.is_empty() && after == 0 {
        return Err(Problem::new("not_found"));
    }
    page(&call, events).await
}

async fn asked(call: &mut Call) -> Result<(u64, u32), Problem> {
    let acting = call.acting(READERS, None).await?;
    if !acting.scope.reaches(None) {
        return Err(Problem::new("not_permitted").detail("The feed needs a grant for the whole organisation."));
    }
    let query: Query = call.guest.query(&["after", "limit", "min_position"])?;
    let after = query.get::<u64>("after", &"a position of this ledger")?.unwrap_or(0);
    if i64::try_from(after).is_err() {
        return Err(Problem::new("malformed").detail("The query parameter after must be a position of this ledger."));
    }
    let limit = limit_of(&query)?;
    call.fresh(&query).await?;
    Ok((after, limit))
}

/// A stored fact, its body not looked at.
#[derive(Deserialize)]
struct Written {
    stamp: Stamp,
    event: Told,
}

#[derive(Deserialize)]
struct Told {
    value: Value,
}

async fn page(call: &Call, stored: Vec<StoredEvent>) -> Answer {
    let opens = |class: Class| call.opens(class, None, false);
    let (told, roles) = (&call.guest.service.told, call.roles_everywhere());
    let mut written = Vec::with_capacity(stored.len());
    for event in &stored {
        let read = || serde_json::from_str::<Written>(&event.payload).map_err(|error| Problem::fault(&error));
        written.push(told.tells(&roles, event).then(read).transpose()?);
    }
    let mut readings: Vec<_> = written
        .iter_mut()
        .zip(&stored)
        .filter_map(|(written, event)| {
            let value = &mut written.as_mut()?.event.value;
            Some(Reading { value, at: Some((event.stream.clone(), event.sequence)), opens: &opens })
        })
        .collect();
    let desk = &call.guest.service.desk;
    desk.keys.reveal(&*desk.store, call.organisation, &mut readings).await?;
    let next = stored.last().map(|event| event.position.to_string());
    let head = desk.store.head(call.organisation).await?.map_or(0, |head| head.position);
    let items = stored.into_iter().zip(written).map(|(event, written)| match written {
        Some(written) => json(&shown(event, written)),
        None => json(&WithheldEvent { position: event.position }),
    });
    let items: Vec<Value> = items.collect::<Result<_, _>>()?;
    Ok(page_of(&items, next, head))
}

fn shown(event: StoredEvent, written: Written) -> Event {
    let Stamp { by, role, grant, occurred_at, cause, supersedes, .. } = written.stamp;
    Event {
        position: event.position,
        id: event.event_id,
        kind: event.event_type,
        schema: event.event_version,
        stream: Stream { kind: event.stream.kind, id: event.stream.id, version: event.sequence },
        occurred_at,
        recorded_at: event.recorded_at,
        by: by.to_string(),
        role,
        grant,
        cause,
        supersedes,
        data: written.event.value,
    }
}
