//! The walk through the contract: no operation without its row in the table
//! *no token, wrong role, other organisation*. It reads the contract the
//! service shows, so an operation added tomorrow is in it tomorrow.

use std::collections::{BTreeMap, BTreeSet};

use lastresort_fact::Role;
use lastresort_tests::world::{Answer, Contract, Operation, Organisation, Voice, World, a_uuid};
use reqwest::Method;
use serde_json::{Value, json};

lastresort_tests::on_both_stores!(
    no_operation_answers_without_a_token,
    no_operation_answers_a_wrong_role,
    no_operation_answers_another_organisation,
    every_operation_says_who_may_call_it,
    whoever_changes_a_resource_may_read_it,
);

/// Who may call an operation, beside those in the roles it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Callers {
    Anybody,
    Bearers,
    Operator,
    Roles,
    RolesAndOneself,
}

/// Who may call an operation, as the first sentence of its description says.
fn callers(operation: &Operation) -> Option<Callers> {
    let said = operation.said["description"].as_str()?;
    let (first, _) = said.split_once(". ")?;
    match first {
        "For anybody" => Some(Callers::Anybody),
        "For anybody with a token" => Some(Callers::Bearers),
        "For the configured operator" => Some(Callers::Operator),
        first if first.ends_with(", and whoever it is about") => Some(Callers::RolesAndOneself),
        first => first.starts_with("For `").then_some(Callers::Roles),
    }
}

/// A value that fits a parameter of a path.
fn plausible(contract: &Contract, schema: &Value) -> String {
    let schema = contract.resolve(schema);
    match (&schema["enum"][0], schema["format"].as_str(), schema["type"].as_str()) {
        (Value::String(first), ..) => first.clone(),
        (_, Some("uuid"), _) => a_uuid(),
        (_, _, Some("integer")) => schema["minimum"].as_i64().unwrap_or(1).to_string(),
        _ => "person".to_owned(),
    }
}

/// Asks for an operation of an organisation.
async fn ask(world: &World, voice: &Voice, operation: &Operation, organisation: &str) -> Answer {
    let mut path = operation.path.replace("{org}", organisation);
    for parameter in operation.said["parameters"].as_array().into_iter().flatten().filter(|parameter| parameter["in"] == "path") {
        let name = parameter["name"].as_str().expect("a parameter has a name");
        path = path.replace(&format!("{{{name}}}"), &plausible(world.contract(), &parameter["schema"]));
    }
    let method: Method = operation.method.parse().expect("a method");
    let asking = voice.outside().ask(method, &path).key(&a_uuid()).if_match(1);
    if operation.said["requestBody"].is_object() { asking.json(&json!({})).await } else { asking.await }
}

async fn no_operation_answers_without_a_token(world: &World) {
    let client = world.client().await;
    for operation in world.contract().operations.iter().filter(|operation| callers(operation) != Some(Callers::Anybody)) {
        let answer = ask(world, &world.anybody(), operation, &client.id).await.refused(401, "unauthenticated");
        assert!(answer.header("www-authenticate").is_some(), "{answer}");
    }
}

/// Those in an organisation whom the walk sends: one for each role, and one without any.
async fn everybody(organisation: &Organisation<'_>) -> (BTreeMap<Role, Voice>, Voice) {
    (organisation.people(&Role::GRANTABLE).await, organisation.nobody_yet(Role::Staff).await)
}

async fn no_operation_answers_a_wrong_role(world: &World) {
    let client = world.client().await;
    let (people, without) = everybody(&client).await;
    let head = client.administrator.head().await;
    for operation in &world.contract().operations {
        let allowed: BTreeSet<&str> = operation.names("x-roles").into_iter().collect();
        let wrong = people.iter().filter(|(role, _)| !allowed.contains(role.name())).map(|(_, voice)| voice).chain([&without]);
        for voice in wrong {
            match callers(operation) {
                Some(Callers::Anybody | Callers::Bearers) => {}
                Some(Callers::RolesAndOneself) => only_oneself(&ask(world, voice, operation, &client.id).await, voice),
                Some(Callers::Operator | Callers::Roles) | None => {
                    ask(world, voice, operation, &client.id).await.refused(403, "not_permitted");
                }
            }
        }
    }
    nothing_was_written(&client.administrator, head).await;
}

/// Nothing since that position, but what an inspector read.
async fn nothing_was_written(manager: &Voice, head: u64) {
    let since = manager.get(&format!("/events?after={head}")).await.ok();
    let written = since.page().items.into_iter().find(|fact| fact["type"] != "ReadsLogged");
    assert!(written.is_none(), "a refusal wrote something: {since}");
}

/// A refusal, or a list of nothing but what is about the caller.
fn only_oneself(answer: &Answer, voice: &Voice) {
    if answer.status == 200 {
        let others = answer.page().items.into_iter().find(|item| !item.to_string().contains(&voice.id));
        assert!(others.is_none(), "this is about somebody else: {answer}");
    } else {
        let _ = answer.clone().refused(403, "not_permitted");
    }
}

async fn no_operation_answers_another_organisation(world: &World) {
    let (client, elsewhere) = (world.client().await, world.client().await);
    let (people, without) = everybody(&elsewhere).await;
    let head = client.administrator.head().await;
    for operation in world.contract().operations.iter().filter(|operation| operation.path.contains("{org}")) {
        let expected = if callers(operation) == Some(Callers::Operator) { (403, "not_permitted") } else { (404, "not_found") };
        for voice in people.values().chain([&without]) {
            ask(world, voice, operation, &client.id).await.refused(expected.0, expected.1);
        }
    }
    nothing_was_written(&client.administrator, head).await;
}

async fn every_operation_says_who_may_call_it(world: &World) {
    let known: BTreeSet<&str> = Role::GRANTABLE.iter().map(|role| role.name()).chain(["bootstrap", "operator"]).collect();
    for operation in &world.contract().operations {
        let (name, roles) = (operation.id(), operation.names("x-roles"));
        let callers = callers(operation).unwrap_or_else(|| panic!("{name} does not say who may call it"));
        let open = matches!(callers, Callers::Anybody | Callers::Bearers);
        assert_eq!(open, roles.is_empty(), "{name}: {roles:?}");
        assert!(roles.iter().all(|role| known.contains(role)), "{name}: {roles:?}");
        assert_eq!(callers == Callers::Anybody, operation.said["security"] == json!([]), "{name}");
        assert!(callers != Callers::Anybody || !operation.path.starts_with("/v1"), "{name} is open to anybody");
    }
}

/// The shape an operation answers with.
fn shape(operation: &Operation) -> Option<&str> {
    let place = |status| format!("/responses/{status}/content/application~1json/schema/$ref");
    [200, 201].into_iter().find_map(|status| operation.said.pointer(&place(status))?.as_str())
}

async fn whoever_changes_a_resource_may_read_it(world: &World) {
    let (reads, commands): (Vec<_>, Vec<_>) = world.contract().operations.iter().partition(|operation| operation.method == "GET");
    let readers: BTreeMap<_, _> = reads.iter().filter_map(|operation| Some((shape(operation)?, *operation))).collect();
    for operation in commands {
        let Some(read) = shape(operation).and_then(|shape| readers.get(shape)) else { continue };
        let oneself = callers(read) == Some(Callers::RolesAndOneself);
        let sees = |role: &&str| match *role {
            "candidate" | "staff" if oneself => true,
            "bootstrap" | "operator" => true,
            role => read.names("x-roles").contains(&role),
        };
        let blind: Vec<_> = operation.names("x-roles").into_iter().filter(|role| !sees(role)).collect();
        assert!(blind.is_empty(), "{} is answered with what {blind:?} may not read", operation.id());
    }
}
