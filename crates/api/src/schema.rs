//! The shapes of bodies and answers, gathered while the table is written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::body::TEXT_PATTERN;
use crate::resource::{AllowedAction, Resource};

/// A shape named by the contract, or given in place.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape(pub Value);

impl Shape {
    /// No body at all.
    #[must_use]
    pub const fn nothing() -> Self {
        Self(Value::Null)
    }

    /// A named one.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(json!({"$ref": format!("#/components/schemas/{name}")}))
    }

    /// Whether there is a body.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.0.is_null()
    }
}

/// Every named shape of the contract.
#[derive(Debug, Default)]
pub struct Shapes(pub BTreeMap<String, Value>);

impl Shapes {
    /// The shape of a type, with all it names.
    pub fn of<T: ToSchema>(&mut self) -> Shape {
        let mut named = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut named);
        for (name, schema) in named {
            self.keep(name, &schema);
        }
        Shape::named(&T::name())
    }

    /// A resource as it is answered: what is shown of it, what may be done to
    /// it, and what a command caused.
    pub fn answer<R: Resource>(&mut self) -> Shape {
        let Shape(shown) = self.of::<R::Shown>();
        let Shape(action) = self.of::<AllowedAction>();
        let name = format!("{}Answer", R::Shown::name());
        let more = json!({
            "type": "object",
            "required": ["allowed_actions"],
            "properties": {
                "allowed_actions": {"type": "array", "items": action, "description": "What the caller may do to it, and what stands in the way."},
                "events": {
                    "type": "array",
                    "items": {"type": "string", "format": "uuid"},
                    "description": "After a command: the ids of the facts it caused.",
                },
            },
        });
        self.0.insert(name.clone(), json!({"allOf": [shown, more]}));
        Shape::named(&name)
    }

    /// A page of resources.
    pub fn list<R: Resource>(&mut self) -> Shape {
        let Shape(shown) = self.of::<R::Shown>();
        self.page(&format!("{}List", R::Shown::name()), &shown)
    }

    /// A page of anything.
    pub fn page(&mut self, name: &str, item: &Value) -> Shape {
        let page = json!({
            "type": "object",
            "required": ["items", "position"],
            "properties": {
                "items": {"type": "array", "items": item},
                "next": {"type": "string", "description": "Where the next page begins, to be handed back; absent on the last."},
                "position": {"type": "integer", "format": "int64", "minimum": 0, "description": "The ledger's position this reflects."},
            },
        });
        self.0.insert(name.to_owned(), page);
        Shape::named(name)
    }

    /// Says of these bodies, and of all they name, what [`Body`](crate::body::Body)
    /// enforces everywhere: what a text may hold, and that no field is unknown.
    pub fn say_rules<'a>(&mut self, bodies: impl Iterator<Item = &'a Shape>) {
        let mut names = Vec::new();
        bodies.for_each(|Shape(body)| references(body, &mut names));
        let mut said = BTreeSet::new();
        while let Some(name) = names.pop() {
            let Some(shape) = self.0.get_mut(&name).filter(|_| said.insert(name)) else { continue };
            say_rules(shape);
            references(shape, &mut names);
        }
    }

    fn keep(&mut self, name: String, schema: &RefOr<Schema>) {
        // A type that only refers to another has no shape of its own.
        if let Ok(value) = serde_json::to_value(schema) {
            self.0.insert(name, value);
        }
    }
}

/// The named shapes that a shape names.
fn references(shape: &Value, names: &mut Vec<String>) {
    match shape {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(|to| to.as_str()?.strip_prefix("#/components/schemas/"));
            names.extend(name.map(str::to_owned));
            fields.values().for_each(|field| references(field, names));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn say_rules(shape: &mut Value) {
    let told = ["pattern", "format", "enum", "const"].iter().any(|keyword| shape.get(keyword).is_some());
    let kinds = &shape["type"];
    if !told && (kinds == "string" || kinds.as_array().is_some_and(|kinds| kinds.contains(&json!("string")))) {
        shape["pattern"] = json!(TEXT_PATTERN);
    }
    if shape["properties"].is_object() && shape["type"] == "object" && shape.get("additionalProperties").is_none() {
        shape["additionalProperties"] = json!(false);
    }
    match shape {
        Value::Object(fields) => fields.values_mut().for_each(say_rules),
        Value::Array(items) => items.iter_mut().for_each(say_rules),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The schema of a plain type, given in place.
#[must_use]
pub fn inline<T: PartialSchema>() -> Shape {
    Shape(serde_json::to_value(T::schema()).unwrap_or_default())
}
