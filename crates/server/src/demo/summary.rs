//! What the demonstration tells whoever starts it: `demo.json`, and lines to
//! paste for each kind of user.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use lastresort_fact::OrganisationId;
use lastresort_ledger::desk::Desk;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::story::DAY;
use super::{CLIENT, DemoError, PROVIDER, read_file};
use crate::issuer::LocalIssuer;
use crate::running::StartError;

/// The subjects behind the tokens, by what they are called in `demo.json`.
const SUBJECTS: [(&str, &str); 13] = [
    ("provider_admin", "T01"),
    ("mentor", "T02"),
    ("assessor", "T04"),
    ("verifier", "T06"),
    ("candidate", "E0001"),
    ("manager", "E0026"),
    ("governance_lead", "E0023"),
    ("appeal_reviewer", "T07"),
    ("staff", "E0010"),
    ("hr_system", "hr-system"),
    ("incident_system", "incident-system"),
    ("learning_platform", "learning-platform"),
    ("inspector", "inspector"),
];

/// The ids of what was told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    /// Candidates, by their number at the client.
    pub(super) candidates: BTreeMap<String, String>,
    /// The programme.
    pub(super) programme: String,
    /// Modules, by their code.
    pub(super) modules: BTreeMap<String, String>,
    /// Sessions, in order.
    pub(super) sessions: Vec<String>,
}

impl Told {
    /// What an earlier start told, if its ledgers are in the store.
    pub(super) async fn read(file: &Path, desk: &Desk) -> Result<Option<Self>, StartError> {
        let Some(text) = read_file(file)? else { return Ok(None) };
        let client: OrganisationId = super::parse(CLIENT)?;
        if desk.store.head(client).await?.is_none() {
            return Ok(None);
        }
        let unreadable = |error: serde_json::Error| StartError::Other(format!("{} is not readable: {error}", file.display()));
        let demo: Value = serde_json::from_str(&text).map_err(unreadable)?;
        serde_json::from_value(demo["ids"].clone()).map(Some).map_err(unreadable)
    }

    /// Writes `demo.json` with new tokens, and prints lines to paste.
    pub(super) fn write(&self, file: &Path, base_url: &str, issuer: &LocalIssuer) -> Result<(), StartError> {
        let mut tokens = BTreeMap::new();
        for (name, subject) in SUBJECTS {
            tokens.insert(name, issuer.token(subject, DAY)?);
        }
        let demo = json!({
            "base_url": base_url,
            "organisations": {"client": CLIENT, "provider": PROVIDER},
            "tokens": tokens,
            "ids": self,
        });
        let written = fs::write(file, format!("{demo:#}\n"));
        written.map_err(|error| DemoError(format!("{}: {error}", file.display())))?;
        self.print(file, base_url);
        Ok(())
    }

    fn print(&self, file: &Path, base_url: &str) {
        let file = file.display();
        let org = format!("{base_url}/v1/organisations/{CLIENT}");
        let candidate = self.candidates.get("E0001").map_or("", String::as_str);
        let programme = &self.programme;
        let lines = [
            ("an HR system: who has changed, and who is employed", "hr_system", format!("{org}/persons?employed_on=2022-03-31&limit=3")),
            ("an inspector: the history, from the first fact", "inspector", format!("{org}/events?after=0&limit=3")),
            ("a manager: a person by the employer's own number", "manager", format!("{org}/persons/by-external/hr/E0001")),
            ("a governance lead: who may act in what role", "governance_lead", format!("{org}/grants?limit=5")),
            ("a provider: the programme and its stages", "provider_admin", format!("{org}/programmes/{programme}")),
            ("a mentor: one candidate, and what may be done next", "mentor", format!("{org}/candidates/{candidate}")),
            ("a candidate: what is still to be done", "candidate", format!("{org}/candidates/{candidate}/gates")),
            ("a frontend: who am I", "staff", format!("{base_url}/v1/me")),
        ];
        println!("\nThe case is loaded. Read the contract at {base_url}/docs. Lines to paste:\n");
        println!("token() {{ python3 -c 'import json,sys; print(json.load(open(\"{file}\"))[\"tokens\"][sys.argv[1]])' \"$1\"; }}\n");
        for (about, who, url) in lines {
            println!("# {about}");
            println!("curl -s -H \"Authorization: Bearer $(token {who})\" '{url}'\n");
        }
    }
}
