//! The contract: the table of contents as OpenAPI 3.1. What each operation can
//! refuse follows from what it is, so it is said here once for all of them.

use actix_web::http::Method;
use lastresort_fact::Role;
use serde_json::{Map, Value, json};

use crate::command::{Receipt, Version};
use crate::problem::{MEDIA_TYPE, Problem, known};
use crate::schema::Shape;
use crate::table::{Callers, Operation, Table};

const ABOUT: &str = "The system of record for restraint-reduction trainer development: who was taught what, by whom, and judged \
competent by which rater, on every day. What happens is kept as immutable facts, one ledger per organisation; every answer is folded \
from them.\n\nErrors are problems (RFC 9457) with stable codes, each explained at `/problems/{code}`. Commands take an `Idempotency-Key`; \
those that change or close something take the resource's `ETag` as `If-Match`. Personal data is a value, or `{\"withheld\": class}` where \
your grant does not open it, or `{\"erased\": class}`. Enumerations are open: expect values you do not know.";

const GROUPS: &[(&str, &str)] = &[
    ("organisations", "Providers and clients: their units and policy."),
    ("persons", "Staff, the other party's people, and machines."),
    ("grants", "Who may act in what role."),
    ("curricula", "What is taught: versioned strands, modules and competencies, in the provider's ledger."),
    ("needs-analyses", "Training needs analyses, authorised by the client's governance lead."),
    ("programmes", "Staged programmes, with the versions they pin."),
    ("candidates", "One person's way through one programme."),
    ("sessions", "Deliveries: course days, co-delivered days, workshops."),
    ("events", "The facts themselves, in order."),
    ("me", "Who you are."),
    ("service", "Health, figures and the contract itself."),
];

/// The contract as it is printed, served and committed.
#[must_use]
pub fn text(table: Table) -> String {
    format!("{:#}\n", contract(table))
}

/// The contract as JSON.
#[must_use]
pub fn contract(mut table: Table) -> Value {
    let (problem, receipt) = (table.shapes.of::<Problem>(), table.shapes.of::<Receipt>());
    let mut paths: Map<String, Value> = Map::new();
    for operation in &table.operations {
        let item = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
        item[operation.method.as_str().to_lowercase()] = said(operation, &problem, &receipt);
    }
    table.shapes.say_rules(table.operations.iter().filter_map(|operation| operation.body.as_ref()));
    let used: Vec<&str> = table.operations.iter().map(|operation| operation.tag).collect();
    let tags: Vec<Value> =
        GROUPS.iter().filter(|(name, _)| used.contains(name)).map(|(name, about)| json!({"name": name, "description": about})).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "lastresort",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "contact": {"name": "The lastresort maintainers", "url": "https://lastresort.example/"},
        },
        "servers": [{"url": "/", "description": "This service."}],
        "security": [{"bearer": []}],
        "tags": tags,
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "A JWT of a configured issuer, signed with EdDSA, ES256 or RS256. What its bearer may do, grants in the ledger say; \
    the scope lastresort:read narrows it to reading.",
            }},
            "schemas": table.shapes.0,
        },
    })
}

fn said(operation: &Operation, problem: &Shape, receipt: &Shape) -> Value {
    let mut parameters = path_parameters(&operation.path);
    parameters.extend(
        operation
            .query
            .iter()
            .map(|parameter| json!({"name": parameter.name, "in": "query", "description": parameter.about, "schema": parameter.schema.0})),
    );
    parameters.extend(command_parameters(operation));
    let mut said = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": format!("{} {}{}", callers(operation.callers), operation.summary, in_part(&operation.in_part)),
        "responses": responses(operation, problem, receipt),
    });
    if !parameters.is_empty() {
        said["parameters"] = Value::Array(parameters);
    }
    if let Some(body) = &operation.body {
        said["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": body.0}}});
    }
    if matches!(operation.callers, Callers::Anybody) {
        said["security"] = json!([]);
    }
    match operation.callers {
        Callers::Anybody | Callers::Bearers => {}
        Callers::Operator => said["x-roles"] = json!(["operator"]),
        Callers::Roles(roles) | Callers::RolesAndOneself(roles) => said["x-roles"] = json!([roles, &operation.in_part].concat()),
    }
    said
}

fn names(roles: &[Role]) -> String {
    roles.iter().map(|role| format!("`{}`", role.name())).collect::<Vec<_>>().join(", ")
}

fn in_part(roles: &[Role]) -> String {
    if roles.is_empty() { String::new() } else { format!(" For {} in part: what is not theirs to see is left out.", names(roles)) }
}

fn callers(callers: Callers) -> String {
    match callers {
        Callers::Anybody => "For anybody.".to_owned(),
        Callers::Bearers => "For anybody with a token.".to_owned(),
        Callers::Operator => "For the configured operator.".to_owned(),
        Callers::Roles(roles) => format!("For {}.", names(roles)),
        Callers::RolesAndOneself(roles) => format!("For {}, and whoever it is about.", names(roles)),
    }
}

fn path_parameters(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names
        .map(|name| {
            let (about, schema) = match name {
                "org" => ("The organisation.".to_owned(), json!({"type": "string", "format": "uuid"})),
                "source" => {
                    ("Which other system.".to_owned(), json!({"type": "string", "pattern": "^[a-z0-9][a-z0-9-]*$", "maxLength": 50}))
                }
                "external_id" => ("That system's id.".to_owned(), json!({"type": "string", "minLength": 1, "maxLength": 200})),
                "number" => ("Which version, counted from 1.".to_owned(), json!({"type": "integer", "format": "int32", "minimum": 1})),
                "type" => ("The kind of resource.".to_owned(), json!({"type": "string", "maxLength": 50})),
                "code" => ("The problem's code.".to_owned(), json!({"type": "string", "maxLength": 50})),
                "stage" => {
                    ("The stage.".to_owned(), Value::Object(Map::from_iter([("$ref".to_owned(), json!("#/components/schemas/Stage"))])))
                }
                other => (format!("The {}.", other.replace(['-', '_'], " ")), json!({"type": "string", "format": "uuid"})),
            };
            json!({"name": name, "in": "path", "required": true, "description": about, "schema": schema})
        })
        .collect()
}

fn command_parameters(operation: &Operation) -> Vec<Value> {
    let Some(version) = operation.command else { return Vec::new() };
    let mut parameters = vec![json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": false,
        "description": "Sent again with the same body, it answers the first receipt again. Machines must send one.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    })];
    if let Some(version) = version {
        let required = version == Version::Required;
        parameters.push(json!({
            "name": "If-Match",
            "in": "header",
            "required": required,
            "description": "The `ETag` of the version this was decided on.",
            "schema": {"type": "string", "pattern": "^\"(0|[1-9][0-9]{0,17})\"$"},
        }));
    }
    parameters
}

fn responses(operation: &Operation, problem: &Shape, receipt: &Shape) -> Value {
    let mut responses = Map::new();
    let (status, answer) = &operation.answer;
    let mut good = json!({"description": "Done.", "headers": headers(operation)});
    if !answer.is_nothing() {
        let media_type = if answer.0 == json!({"type": "string"}) { "text/plain" } else { "application/json" };
        good["content"] = json!({media_type: {"schema": answer.0}});
    }
    if good["headers"].as_object().is_some_and(Map::is_empty) {
        good.as_object_mut().map(|fields| fields.remove("headers"));
    }
    responses.insert(status.as_str().to_owned(), good);
    if operation.command.is_some() {
        let said = "Done, and not yet shown: read again with `min_position`.";
        responses.insert("202".to_owned(), json!({"description": said, "content": {"application/json": {"schema": receipt.0}}}));
    }
    if operation.id == "get_readiness" {
        let said = "Not ready, and why.";
        responses.insert("503".to_owned(), json!({"description": said, "content": {"application/json": {"schema": answer.0}}}));
    }
    for code in refusals(operation) {
        let Some(entry) = known(code) else { continue };
        let status = entry.status.to_string();
        let answer = json!({"description": entry.title, "content": {MEDIA_TYPE: {"schema": problem.0}}});
        responses.entry(status).or_insert(answer);
    }
    Value::Object(responses)
}

fn headers(operation: &Operation) -> Value {
    let mut headers = Map::new();
    let mut say = |name: &str, about: &str, schema: Value| {
        headers.insert(name.to_owned(), json!({"description": about, "schema": schema}));
    };
    if operation.path.contains("{org}") {
        say("Ledger-Position", "The ledger's position this reflects.", json!({"type": "integer", "format": "int64"}));
    }
    let one = operation.answer.1.0["$ref"].as_str().is_some_and(|name| name.ends_with("Answer"));
    if one {
        say("ETag", "The version of the resource.", json!({"type": "string"}));
    }
    if operation.command.is_some() {
        say("Idempotent-Replayed", "Present where this was done before under the same key.", json!({"type": "string", "enum": ["true"]}));
    }
    Value::Object(headers)
}

/// The codes an operation can refuse with, by what it is.
fn refusals(operation: &Operation) -> Vec<&'static str> {
    let mut codes = Vec::new();
    if !matches!(operation.callers, Callers::Anybody) {
        codes.extend(["unauthenticated", "rate_limited", "unavailable"]);
    }
    if matches!(operation.callers, Callers::Roles(_) | Callers::RolesAndOneself(_) | Callers::Operator) {
        codes.push("not_permitted");
    }
    if operation.path.contains('{') {
        codes.push("not_found");
    }
    if !operation.query.is_empty() || operation.command.is_some() {
        codes.push("malformed");
    }
    if operation.command.is_some() {
        codes.extend(["refused", "invalid"]);
    }
    if operation.body.is_some() {
        codes.extend(["too_large", "media_type_not_supported"]);
    }
    match operation.command {
        Some(Some(Version::Required)) => codes.extend(["version_stale", "version_required"]),
        Some(Some(Version::Optional)) => codes.push("version_stale"),
        Some(None) | None => {}
    }
    if operation.method == Method::GET && matches!(operation.callers, Callers::Bearers) {
        codes.push("malformed");
    }
    codes
}
