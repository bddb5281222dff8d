//! One list shape: a page of rows in a stated order, narrowed by stated
//! parameters, with an opaque place where the next begins.

use actix_web::HttpResponse;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::NaiveDate;
use lastresort_ledger::desk::Seen;
use lastresort_ledger::follow::{Found, Question};
use lastresort_ledger::rows::{Cell, Filter, RowId};
use lastresort_ledger::view::View;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::call::{Answer, Call, Query};
use crate::problem::Problem;
use crate::resource::{Form, Resource, RowOf, Whose, json, reveal};
use crate::schema::Shape;
use crate::sight::{self, reach};
use crate::table::Parameter;

/// The most rows of one page.
pub const LIMIT_MAX: u32 = 200;
/// The rows of a page where nobody says how many.
const LIMIT: u32 = 50;
/// The longest text that is searched for.
const SEARCH_MAX: usize = 100;
/// What is searched for holds no control characters, and neither begins nor ends with space.
const SEARCH_PATTERN: &str = r"^[^\s\u0000-\u001F\u007F-\u009F][^\u0000-\u001F\u007F-\u009F]*[^\s\u0000-\u001F\u007F-\u009F]$";

/// Where a page begins.
#[derive(Debug, Serialize, Deserialize)]
struct Cursor {
    /// Sorted by this, as asked.
    s: Option<String>,
    /// After this value of it.
    c: Option<Cell>,
    /// And after this row.
    i: RowId,
}

/// The parameter that waits for a position.
#[must_use]
pub fn min_position() -> Parameter {
    Parameter {
        name: "min_position",
        about: "Answer only once this position of the ledger is reflected.".to_owned(),
        schema: Shape(json!({"type": "integer", "format": "int64", "minimum": 0})),
    }
}

/// The parameter that bounds a page.
#[must_use]
pub fn limit() -> Parameter {
    let schema = Shape(json!({"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT}));
    Parameter { name: "limit", about: "At most so many items.".to_owned(), schema }
}

/// The parameters of a resource's list.
#[must_use]
pub fn parameters<R: Resource>() -> Vec<Parameter> {
    let cursor = Shape(json!({"type": "string", "maxLength": 1000}));
    let mut all = vec![
        limit(),
        Parameter { name: "cursor", about: "The place where the page begins: `next` of the page before.".to_owned(), schema: cursor },
        min_position(),
    ];
    if !R::SORTS.is_empty() {
        let sorts: Vec<String> = R::SORTS.iter().flat_map(|name| [(*name).to_owned(), format!("-{name}")]).collect();
        let about = "Sorted by this, downwards with a minus; by id where absent.".to_owned();
        all.push(Parameter { name: "sort", about, schema: Shape(json!({"type": "string", "enum": sorts})) });
    }
    if let Some(name) = R::SEARCH {
        let about = "Whose name holds this text, in whatever case.".to_owned();
        all.push(Parameter {
            name,
            about,
            schema: Shape(json!({"type": "string", "minLength": 2, "maxLength": SEARCH_MAX, "pattern": SEARCH_PATTERN})),
        });
    }
    all.extend(R::FILTERS.iter().map(|sieve| Parameter {
        name: sieve.name,
        about: sieve.about.to_owned(),
        schema: Shape(match sieve.form {
            Form::Id => json!({"type": "string", "format": "uuid"}),
            Form::Date => json!({"type": "string", "format": "date"}),
            Form::Word(words) => json!({"type": "string", "enum": words}),
        }),
    }));
    all
}

/// A page of rows.
///
/// # Errors
/// 400 for what cannot be asked, 403 where nothing is theirs to read.
pub async fn list<R: Resource>(call: &Call) -> Answer {
    let names: Vec<&str> = parameters::<R>().iter().map(|parameter| parameter.name).collect();
    let query = call.guest.query(&names)?;
    sight::permit_query::<R>(call, &query)?;
    call.fresh(&query).await?;
    let mut question = question::<R>(call, &query)?;
    if let Some(text) = R::SEARCH.and_then(|name| query.text(name)) {
        if text.chars().count() > SEARCH_MAX {
            return Err(Problem::new("malformed").detail(format!("A name is searched by {SEARCH_MAX} characters at most.")));
        }
        question.filters.push(call.guest.service.names.matching(call, text).await?);
    }
    let page = question.limit;
    question.limit += 1;
    let (sort, order) = (query.text("sort").map(str::to_owned), question.order);
    let position = call.guest.service.follower.state(call.organisation).await.bookmark;
    let mut found = call.guest.service.follower.ask::<R::View>(call.organisation, question).await?;
    let more = found.len() > page as usize;
    found.truncate(page as usize);
    let next = found.last().filter(|_| more).map(|last| next::<R>(call, sort, order, last)).transpose()?;
    let moment = call.moment(&mut call.reader(Seen::default())).await?;
    let rows: Vec<&RowOf<R>> = found.iter().map(|found| &found.row).collect();
    let seen = sight::seen::<R>(call, &rows, moment).await?;
    let seen: Vec<_> = rows.into_iter().zip(seen).filter_map(|(row, shown)| Some((row, shown?))).collect();
    let mut items = seen.iter().map(|(_, shown)| json(shown)).collect::<Result<Vec<_>, _>>()?;
    let mut shown: Vec<_> = items.iter_mut().zip(&seen).map(|(item, (row, _))| (item, Whose::of::<R>(call, row, moment))).collect();
    reveal(call, &mut shown).await?;
    Ok(page_of(&items, next, position))
}

/// A page as it is answered.
#[must_use]
pub fn page_of(items: &[Value], next: Option<String>, position: u64) -> HttpResponse {
    let mut page = json!({"items": items, "position": position});
    if let Some(next) = next {
        page["next"] = Value::String(next);
    }
    HttpResponse::Ok().insert_header(("Ledger-Position", position.to_string())).json(page)
}

/// How many a page may hold.
///
/// # Errors
/// 400 where it cannot.
pub fn limit_of(query: &Query) -> Result<u32, Problem> {
    let form = format!("a whole number from 1 to {LIMIT_MAX}");
    let limit = query.get::<u32>("limit", &form)?.unwrap_or(LIMIT);
    if (1..=LIMIT_MAX).contains(&limit) { Ok(limit) } else { Err(Problem::new("malformed").detail(format!("limit must be {form}."))) }
}

fn question<R: Resource>(call: &Call, query: &Query) -> Result<Question, Problem> {
    let mut filters = reach::<R>(call)?;
    for sieve in R::FILTERS {
        let Some(text) = query.text(sieve.name) else { continue };
        let (fits, form) = match sieve.form {
            Form::Id => (text.parse::<Uuid>().is_ok(), "an id".to_owned()),
            Form::Date => (text.len() == 10 && text.parse::<NaiveDate>().is_ok(), "a date such as 2021-03-08".to_owned()),
            Form::Word(words) => (words.contains(&text), format!("one of {}", words.join(", "))),
        };
        if !fits {
            return Err(Problem::new("malformed").detail(format!("The query parameter {} must be {form}.", sieve.name)));
        }
        let text = if sieve.form == Form::Id { text.to_lowercase() } else { text.to_owned() };
        filters.extend((sieve.filters)(&text));
    }
    let sort = query.text("sort");
    let (order, descending) = match sort.map(|text| text.strip_prefix('-').map_or((text, false), |name| (name, true))) {
        None => (None, false),
        Some((name, descending)) => {
            let known = R::SORTS.iter().find(|known| **known == name);
            let unknown = || Problem::new("malformed").detail(format!("Lists here are sorted by {}.", R::SORTS.join(", ")));
            (Some(*known.ok_or_else(unknown)?), descending)
        }
    };
    let after = query.text("cursor").map(|text| place(call, text, sort)).transpose()?;
    Ok(Question { filters, order, descending, after, limit: limit_of(query)? })
}

/// The place a cursor names, if it is one of ours for this order.
fn place(call: &Call, text: &str, sort: Option<&str>) -> Result<(Option<Cell>, RowId), Problem> {
    let forged = || Problem::new("malformed").detail("The cursor is none that this list gave out in this order.");
    let (body, seal) = text.split_once('.').ok_or_else(forged)?;
    if seal != sealed(call, body) {
        return Err(forged());
    }
    let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| forged())?;
    let cursor: Cursor = serde_json::from_slice(&bytes).map_err(|_| forged())?;
    if cursor.s.as_deref() == sort { Ok((cursor.c, cursor.i)) } else { Err(forged()) }
}

fn next<R: Resource>(call: &Call, sort: Option<String>, order: Option<&str>, last: &Found<RowOf<R>>) -> Result<String, Problem> {
    let column = order.and_then(|name| R::View::COLUMNS.iter().position(|column| column.name == name));
    let value = column.and_then(|index| R::View::cells(&last.row).into_iter().nth(index));
    let cursor = Cursor { s: sort, c: value, i: last.id.clone() };
    let body = serde_json::to_vec(&cursor).map_err(|error| Problem::fault(&error))?;
    let body = URL_SAFE_NO_PAD.encode(body);
    let seal = sealed(call, &body);
    Ok(format!("{body}.{seal}"))
}

/// A short seal, so that a cursor is ours and of this list.
fn sealed(call: &Call, body: &str) -> String {
    let digest = call.guest.service.desk.keys.digest(call.organisation, "cursor", &[call.guest.request.path(), body]);
    URL_SAFE_NO_PAD.encode(&digest[..12])
}

/// A condition that a column is this text.
#[must_use]
pub fn is(column: &'static str, text: &str) -> Filter {
    Filter::Is(column, Cell::Text(text.to_owned()))
}
