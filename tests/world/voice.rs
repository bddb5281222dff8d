//! Who speaks in a story: people and machines with tokens, in organisations.

use std::collections::BTreeMap;
use std::sync::Arc;

use lastresort_fact::Role;
use lastresort_server::issuer::ISSUER;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, Asking, Wire, World};

/// Somebody who can be heard by the service.
#[derive(Clone)]
pub struct Voice {
    /// Their id in the organisation; empty for whoever is in none.
    pub id: String,
    /// Whom their token names.
    pub subject: String,
    /// What they bring.
    pub token: Option<String>,
    /// Under what the paths they say stand.
    pub base: String,
    /// A machine brings a new key with every command.
    pub(crate) machine: bool,
    pub(crate) wire: Arc<Wire>,
}

/// An organisation whose ledger is open.
pub struct Organisation<'a> {
    /// Its id.
    pub id: String,
    /// Whoever administers it first: a client's manager, a provider's administrator.
    pub administrator: Voice,
    world: &'a World,
}

impl Voice {
    pub(super) fn anybody(wire: &Arc<Wire>) -> Self {
        Self { id: String::new(), subject: String::new(), token: None, base: String::new(), machine: false, wire: Arc::clone(wire) }
    }

    /// The same, bringing this token.
    pub fn bearing(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same as somebody of an organisation: paths are its own from now on.
    pub fn of(&self, organisation: &str, id: &str) -> Self {
        Self { id: id.to_owned(), base: format!("/v1/organisations/{organisation}"), ..self.clone() }
    }

    /// The same, outside every organisation.
    pub fn outside(&self) -> Self {
        Self { id: String::new(), base: String::new(), ..self.clone() }
    }

    /// Reads.
    pub fn get(&self, path: &str) -> Asking {
        self.ask(Method::GET, path)
    }

    /// Sends a command.
    pub fn post(&self, path: &str, body: Value) -> Asking {
        self.ask(Method::POST, path).json(&body)
    }

    /// States a resource under an id of the caller's own.
    pub fn put(&self, path: &str, body: Value) -> Asking {
        self.ask(Method::PUT, path).json(&body)
    }

    /// Asks for anything at all.
    pub fn ask(&self, method: Method, path: &str) -> Asking {
        Asking::new(self, method, path)
    }

    /// The position of the last fact in the ledger.
    pub async fn head(&self) -> u64 {
        self.get("/events?after=9007199254740991").await.ok()["position"].as_u64().expect("a position")
    }

    /// Every item of a list, page by page.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut next = String::new();
        loop {
            let page = self.get(&format!("{path}{next}")).await.ok().page();
            items.extend(page.items);
            let Some(begins) = page.next else { return items };
            let place = if path.contains("/events") { "after" } else { "cursor" };
            next = format!("{}{place}={begins}", if path.contains('?') { '&' } else { '?' });
        }
    }
}

impl<'a> Organisation<'a> {
    pub(super) fn new(world: &'a World, id: String, administrator: Voice) -> Self {
        Self { id, administrator, world }
    }

    /// Somebody new who acts in this role, everywhere in the organisation.
    pub async fn person(&self, role: Role) -> Voice {
        let person = self.nobody_yet(role).await;
        self.grant(&person, role).await;
        person
    }

    /// Somebody new with a login, and no grant so far; a machine where the role is one's.
    pub async fn nobody_yet(&self, role: Role) -> Voice {
        self.somebody(role, None).await
    }

    /// The same of another organisation's people.
    pub async fn of(&self, employer: &str, role: Role) -> Voice {
        self.somebody(role, Some(employer)).await
    }

    async fn somebody(&self, role: Role, employer: Option<&str>) -> Voice {
        let machine = matches!(role, Role::HrSystem | Role::IncidentSystem | Role::LearningPlatform);
        let subject = self.world.subject(role.name());
        let body = json!({
            "kind": if machine { "machine" } else { "human" },
            "profile": {"given_name": "Somebody", "family_name": "Called So"},
            "login": {"issuer": ISSUER, "subject": subject},
            "employer": employer,
        });
        let registered = self.administrator.post("/persons", body).await.created();
        let voice = self.world.login(&subject).of(&self.id, registered.id());
        Voice { machine, ..voice }
    }

    /// Gives somebody the right to act in a role; an inspector's has an end.
    pub async fn grant(&self, person: &Voice, role: Role) -> Answer {
        let to = (role == Role::Inspector).then_some("2031-01-01T00:00:00Z");
        self.administrator.post("/grants", json!({"person": person.id, "role": role, "to": to})).await.created()
    }

    /// Opens a unit and says its id.
    pub async fn unit(&self, code: &str) -> String {
        let body = json!({"code": code, "name": "A house by the burn", "setting": "care_home", "places": 8});
        let opened = self.administrator.post("/units", body).await.ok();
        let units = opened["units"].as_array().expect("units");
        let unit = units.iter().find(|unit| unit["code"] == code).expect("the unit just opened");
        unit["id"].as_str().expect("an id").to_owned()
    }

    /// Somebody new in each of these roles.
    pub async fn people(&self, roles: &[Role]) -> BTreeMap<Role, Voice> {
        let mut people = BTreeMap::new();
        for role in roles {
            people.insert(*role, self.person(*role).await);
        }
        people
    }
}
