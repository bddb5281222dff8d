//! A published event's shape only grows: every line of the golden file is still
//! as the contract describes it, and it holds no field that the contract forgot.

use lastresort_api::{contract, routes};
use serde_json::{Map, Value, json};

const GOLDEN: &str = include_str!("../../views/golden/events.ndjson");

/// As a reader sees it whose grants open nothing.
fn withheld(value: &mut Value) {
    if let Some(class) = value.get("$l") {
        *value = json!({"withheld": class});
    }
    match value {
        Value::Object(fields) => fields.values_mut().for_each(withheld),
        Value::Array(items) => items.iter_mut().for_each(withheld),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Objects with no other fields than those they name: one that was dropped from the contract is missed.
fn closed(schema: &mut Value) {
    if schema["type"] == "object" && schema["properties"].is_object() {
        schema["additionalProperties"] = json!(false);
    }
    match schema {
        Value::Object(fields) => fields.values_mut().for_each(closed),
        Value::Array(items) => items.iter_mut().for_each(closed),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_event_ever_written_is_as_the_contract_describes_it() {
    let mut components = contract::contract(routes::table())["components"].take();
    closed(&mut components["schemas"]);
    for line in GOLDEN.lines() {
        let mut event: Value = serde_json::from_str(line).expect("a line is JSON");
        let (name, version) = (event["type"].as_str().expect("a type"), event["version"].as_str().expect("a version"));
        let shape = format!("{name}V{version}");
        assert!(components["schemas"].get(&shape).is_some(), "the contract does not say any more what {shape} is");
        let schema = json!({"$ref": format!("#/components/schemas/{shape}"), "components": components});
        let mut data = event["payload"]["event"].as_object_mut().and_then(|event| event.remove("value"));
        let data = data.get_or_insert_with(|| Value::Object(Map::new()));
        withheld(data);
        let validator = jsonschema::draft202012::new(&schema).expect("a schema");
        let faults: Vec<_> = validator.iter_errors(data).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        assert!(faults.is_empty(), "{shape} in the contract does not describe {data} any more: {faults:#?}");
    }
}
