//! The contract as the running service shows it. Every answer of every story
//! is held to it: its status, kind, headers and every field.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

use super::Answer;

/// The contract.
pub struct Contract {
    document: Value,
    /// Its operations, those first whose paths say more.
    pub operations: Vec<Operation>,
    compiled: Mutex<HashMap<String, Arc<Validator>>>,
}

/// One operation of it.
pub struct Operation {
    /// How it is asked for, in capitals.
    pub method: String,
    /// Where, with names in braces.
    pub path: String,
    /// What is said of it.
    pub said: Value,
}

impl Contract {
    pub(super) async fn read(http: &reqwest::Client, base_url: &str) -> Self {
        let answer = http.get(format!("{base_url}/openapi.json")).send().await.expect("the service shows its contract");
        let document: Value = answer.json().await.expect("the contract is JSON");
        let paths = document["paths"].as_object().expect("a contract has paths");
        let mut operations: Vec<_> = paths.iter().flat_map(|(path, item)| operations(path, item)).collect();
        operations.sort_by_key(|operation| operation.path.replace('{', "\u{7f}"));
        Self { document, operations, compiled: Mutex::default() }
    }

    /// The operation that a request is.
    pub fn operation(&self, method: &str, path: &str) -> Option<&Operation> {
        let path = path.split('?').next().unwrap_or_default();
        self.operations.iter().find(|operation| operation.method == method && fits(&operation.path, path))
    }

    /// Fails where an answer is not as the contract has it.
    pub fn hold(&self, answer: &Answer) {
        let kind = answer.header("content-type").unwrap_or_default();
        assert!(answer.status < 400 || kind == "application/problem+json" || answer.status == 503, "an error is a problem: {answer}");
        // What is too long is refused before anybody knows what was asked for.
        let too_long = [414, 431].contains(&answer.status);
        let Some(operation) = self.operation(answer.method.as_str(), &answer.path).filter(|_| !too_long) else { return };
        let said = &operation.said["responses"][answer.status.to_string()];
        assert!(said.is_object(), "the contract does not know this status of {}: {answer}", operation.id());
        for (name, _) in said["headers"].as_object().into_iter().flatten() {
            let only_sometimes = name == "Idempotent-Replayed";
            assert!(only_sometimes || answer.header(name).is_some(), "the contract promises the header {name}: {answer}");
        }
        let Some(content) = said["content"].as_object() else { return };
        let plain = kind.split(';').next().unwrap_or_default();
        assert!(content.contains_key(plain), "the contract does not know this kind of body: {answer}");
        if plain.ends_with("json") {
            self.hold_body(&format!("{} {}", operation.id(), answer.status), &content[plain]["schema"], answer);
        }
    }

    fn hold_body(&self, name: &str, schema: &Value, answer: &Answer) {
        let validator = self.validator(name, schema);
        let faults: Vec<_> = validator.iter_errors(&answer.body).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(faults.is_empty(), "not as the contract has it:\n{}\n{answer}", faults.join("\n"));
    }

    fn validator(&self, name: &str, schema: &Value) -> Arc<Validator> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let made = compiled.entry(name.to_owned()).or_insert_with(|| {
            // A field the contract does not name is one no generated client can read.
            let whole = json!({"allOf": [schema], "unevaluatedProperties": false, "components": self.document["components"]});
            let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
            Arc::new(options.build(&whole).unwrap_or_else(|error| panic!("the schema of {name} is none: {error}")))
        });
        Arc::clone(made)
    }

    /// What a reference in the contract names, or the value itself.
    pub fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let named = value["$ref"].as_str().and_then(|name| self.document.pointer(name.trim_start_matches('#')));
        named.map_or(value, |named| self.resolve(named))
    }
}

impl Operation {
    /// Its name.
    pub fn id(&self) -> &str {
        self.said["operationId"].as_str().unwrap_or("an operation without a name")
    }

    /// The values of one of its lists of names.
    pub fn names(&self, field: &str) -> Vec<&str> {
        self.said[field].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

fn operations<'a>(path: &'a str, item: &'a Value) -> impl Iterator<Item = Operation> + 'a {
    item.as_object().into_iter().flatten().map(|(method, said)| Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        said: said.clone(),
    })
}

fn fits(template: &str, path: &str) -> bool {
    let (mut asked, mut named) = (path.split('/'), template.split('/'));
    let same = named.by_ref().all(|name| asked.next().is_some_and(|part| name == part || (name.starts_with('{') && !part.is_empty())));
    same && asked.next().is_none()
}
