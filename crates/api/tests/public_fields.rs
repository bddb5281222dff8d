//! Deny by default: a field of an event is personal, and sealed, unless the
//! committed list says that it is public, and why.

use lastresort_api::events::shapes;
use lastresort_api::schema::{Shape, Shapes};
use serde_json::Value;

const LIST: &str = include_str!("../public-fields.tsv");

/// Every field of an event that is not sealed, as `Event.field.part`.
fn open_fields(name: &str, schema: &Value, all: &Shapes, found: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = reference.rsplit('/').next().unwrap_or_default();
        if !target.starts_with("Personal") {
            let schema = all.0.get(target).unwrap_or_else(|| panic!("{name} refers to {target}, which is no shape"));
            open_fields(name, schema, all, found);
        }
        return;
    }
    let alternatives: Vec<&Value> = ["oneOf", "anyOf", "allOf"].iter().filter_map(|word| schema[*word].as_array()).flatten().collect();
    if !alternatives.is_empty() {
        let real = alternatives.into_iter().filter(|one| one["type"] != "null");
        real.for_each(|one| open_fields(name, one, all, found));
    } else if let Some(fields) = schema["properties"].as_object() {
        for (field, schema) in fields {
            open_fields(&format!("{name}.{field}"), schema, all, found);
        }
    } else if schema["items"].is_object() {
        open_fields(name, &schema["items"], all, found);
    } else {
        found.push(name.to_owned());
    }
}

fn covers(pattern: &str, field: &str) -> bool {
    pattern.strip_prefix("*.").map_or(pattern == field, |tail| field.ends_with(&format!(".{tail}")))
}

#[test]
fn every_field_that_is_not_sealed_is_on_the_list_with_its_reason() {
    let mut all = Shapes::default();
    let events = shapes(&mut all);
    let mut fields = Vec::new();
    for (name, Shape(schema)) in &events {
        let event = name.rsplit_once('V').map_or(name.as_str(), |(event, _)| event);
        open_fields(event, schema, &all, &mut fields);
    }
    fields.sort();
    fields.dedup();
    let lines = LIST.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let list: Vec<&str> = lines.map(|line| line.split_once('\t').unwrap_or_else(|| panic!("{line} gives no reason")).0).collect();
    let unlisted: Vec<_> = fields.iter().filter(|field| !list.iter().any(|pattern| covers(pattern, field))).collect();
    assert!(unlisted.is_empty(), "seal these fields, or say in public-fields.tsv why they are public: {unlisted:#?}");
    let stale: Vec<_> = list.iter().filter(|pattern| !fields.iter().any(|field| covers(pattern, field))).collect();
    assert!(stale.is_empty(), "the list names fields that are not there: {stale:#?}");
}
