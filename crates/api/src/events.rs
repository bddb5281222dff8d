//! The published shapes of events: what `data` in the feed looks like, by the
//! event's name and version.

use lastresort_fact::Happened;
use lastresort_views::Gather;
use serde_json::Value;
use utoipa::ToSchema;

use crate::schema::{Shape, Shapes};

struct Gathered<'a> {
    shapes: &'a mut Shapes,
    found: Vec<(String, Shape)>,
}

impl Gather for Gathered<'_> {
    fn take<E: Happened + ToSchema>(&mut self, _: &'static str) {
        let mut named = Vec::new();
        E::schemas(&mut named);
        for (name, schema) in named {
            if let Ok(value) = serde_json::to_value(schema) {
                self.shapes.0.insert(name, value);
            }
        }
        let schema = serde_json::to_value(E::schema()).unwrap_or_default();
        let variants = schema["oneOf"].as_array().cloned().unwrap_or_else(|| vec![schema]);
        for variant in variants {
            let name = variant["properties"]["type"]["enum"][0].as_str().unwrap_or_default().to_owned();
            let version = E::NAMES.iter().find(|(known, _)| *known == name).map_or("1", |(_, version)| version);
            let mut shape = variant["properties"]["value"].clone();
            if let (Some(fields), Some(said)) = (shape.as_object_mut(), variant["description"].as_str()) {
                fields.insert("description".to_owned(), Value::String(said.to_owned()));
            }
            self.found.push((format!("{name}V{version}"), Shape(shape)));
        }
    }
}

/// Every event's shape under the name the contract gives it.
pub fn shapes(shapes: &mut Shapes) -> Vec<(String, Shape)> {
    let mut gathered = Gathered { shapes, found: Vec::new() };
    lastresort_views::each(&mut gathered);
    gathered.found
}
