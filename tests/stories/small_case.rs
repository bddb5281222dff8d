//! A small case for stories: a provider with a curriculum of three modules, a
//! client with a programme of it, and everybody who takes part. One day lies
//! between a stage and the next.

use lastresort_fact::Role;
use lastresort_server::issuer::ISSUER;
use lastresort_tests::world::{Answer, Organisation, Voice, World, a_uuid};
use serde_json::{Value, json};

/// The stages, in their order, each with the day it is held on.
pub(crate) const STAGES: [(&str, &str); 6] = [
    ("pre_load", "2021-03-08"),
    ("introductions", "2021-03-09"),
    ("transfer_week", "2021-03-10"),
    ("projects_week", "2021-03-11"),
    ("co_delivery_week", "2021-03-12"),
    ("remedial_workshop", "2021-03-13"),
];

/// Everything a story of it needs.
pub(crate) struct SmallCase<'a> {
    world: &'a World,
    /// The client, administered by a manager.
    pub(crate) client: Organisation<'a>,
    /// The provider's administrator, in the client's ledger.
    pub(crate) admin: Voice,
    /// Two of the provider's mentors.
    pub(crate) mentors: [Voice; 2],
    /// One of the provider's assessors.
    pub(crate) assessor: Voice,
    /// One of the client's staff, who is to be a trainer.
    pub(crate) person: Voice,
    /// The programme.
    pub(crate) programme: String,
    /// A film of the pre-load.
    pub(crate) film: String,
    /// A knowledge module.
    pub(crate) law: String,
    /// A skill.
    pub(crate) hold: String,
    /// A competency that must be passed.
    pub(crate) competency: String,
    /// Its criterion.
    pub(crate) criterion: String,
    unit: String,
}

/// The id of the item of that code.
fn by_code(items: &Value, code: &str) -> String {
    let found = items.as_array().and_then(|items| items.iter().find(|item| item["code"] == code));
    found.and_then(|item| item["id"].as_str()).unwrap_or_else(|| panic!("no {code} in {items}")).to_owned()
}

/// Sends a command on the version there is.
pub(crate) async fn change(voice: &Voice, path: &str, what: &str, body: Value) -> Answer {
    let version = voice.get(path).await.ok().version();
    voice.post(&format!("{path}/{what}"), body).if_match(version).await
}

/// A curriculum of three modules, published; says its id.
pub(crate) async fn curriculum(provider: &Organisation<'_>) -> String {
    let by = &provider.administrator;
    let made = by.post("/curricula", json!({"title": "Restraint reduction"})).await.created();
    let path = format!("/curricula/{}", made.id());
    let competency = json!({"code": "TEACH", "title": "Teaches", "must_pass": true, "criteria": [{"text": "Says it plainly."}]});
    let draft = by.post(&format!("{path}/competencies"), competency).await.ok();
    let serves = vec![by_code(&draft["competencies"], "TEACH")];
    for (code, kind, pre_load) in [("FILM", "knowledge", true), ("LAW", "knowledge", false), ("HOLD", "skill", false)] {
        let module = json!({
            "code": code, "title": code, "strand": "team_holding", "kind": kind, "minutes": 60, "pre_load": pre_load, "competencies": serves,
        });
        by.post(&format!("{path}/modules"), module).await.ok();
    }
    change(by, &path, "publication", json!({})).await.ok();
    made.id().to_owned()
}

async fn analysis(client: &Organisation<'_>) -> String {
    let body = json!({
        "months_from": "2018-10-01",
        "months_to": "2020-09-30",
        "summary": "Restraint is frequent, and verbal skills are hardly practised.",
        "without_person_identifiers": true,
        "life_support_cover_confirmed": true,
        "commitment_on_file": true,
        "findings": ["Staff do not feel safe, and hold early"],
    });
    let made = client.administrator.post("/needs-analyses", body).await.created();
    let lead = client.person(Role::GovernanceLead).await;
    change(&lead, &format!("/needs-analyses/{}", made.id()), "authorisation", json!({})).await.ok();
    made.id().to_owned()
}

impl<'a> SmallCase<'a> {
    /// The case, with its programme planned and its pre-load started.
    pub(crate) async fn begun(world: &'a World) -> Self {
        let (provider, client) = (world.provider().await, world.client().await);
        let curriculum = curriculum(&provider).await;
        let analysis = analysis(&client).await;
        let login = &provider.administrator;
        let admin = of_the_provider(world, &client, &provider.id, &login.subject, Some(&login.id), Role::ProviderAdmin).await;
        let body = json!({
            "title": "Trainers 2021",
            "needs_analysis": {"needs_analysis": analysis, "version": 1},
            "curriculum": {"organisation": provider.id, "curriculum": curriculum, "version": 1},
        });
        let programme = admin.post("/programmes", body).await.created();
        for (stage, day) in STAGES {
            let path = format!("/programmes/{}/stages/{stage}/schedule", programme.id());
            admin.post(&path, json!({"opens_on": day, "closes_on": day})).await.ok();
        }
        let mut people = Vec::new();
        for role in [Role::Mentor, Role::Mentor, Role::Assessor] {
            let somebody = of_the_provider(world, &client, &provider.id, &a_uuid(), None, role).await;
            let standing = json!({"standing": "eligible", "provider_position": 7, "valid_until": "2022-01-31"});
            admin.post(&format!("/persons/{}/standing", somebody.id), standing).await.ok();
            people.push(somebody);
        }
        let [mentor, other, assessor]: [Voice; 3] = people.try_into().unwrap_or_else(|_| panic!("three people"));
        let unit = client.unit("burn").await;
        let person = client.person(Role::Candidate).await;
        let case = Self {
            film: by_code(&programme["modules"], "FILM"),
            law: by_code(&programme["modules"], "LAW"),
            hold: by_code(&programme["modules"], "HOLD"),
            competency: by_code(&programme["competencies"], "TEACH"),
            criterion: programme["competencies"][0]["criteria"][0]["id"].as_str().expect("a criterion").to_owned(),
            programme: programme.id().to_owned(),
            world,
            admin,
            mentors: [mentor, other],
            assessor,
            person,
            unit,
            client,
        };
        case.employ(&case.person.id).await;
        case.start("pre_load").await;
        case
    }

    /// Employs somebody registered.
    pub(crate) async fn employ(&self, person: &str) {
        let body = json!({"unit": self.unit, "job_title": "Support worker", "effective_on": "2021-02-01"});
        self.client.administrator.post(&format!("/persons/{person}/employments"), body).await.ok();
    }

    /// So many employed people who are to learn.
    pub(crate) async fn learners(&self, count: usize) -> Vec<String> {
        let mut learners = Vec::new();
        for _ in 0..count {
            let body = json!({"kind": "human", "profile": {"given_name": "Isla", "family_name": "Learns"}});
            let made = self.client.administrator.post("/persons", body).await.created();
            self.employ(made.id()).await;
            learners.push(made.id().to_owned());
        }
        learners
    }

    /// Starts a stage of the programme on its day, the one before being completed.
    pub(crate) async fn start(&self, stage: &str) {
        let place = STAGES.iter().position(|(name, _)| *name == stage).expect("a stage");
        self.world.it_is(&format!("{}T09:00:00Z", STAGES[place].1));
        let programme = format!("/programmes/{}", self.programme);
        if let Some((before, _)) = place.checked_sub(1).and_then(|before| STAGES.get(before)) {
            change(&self.admin, &programme, &format!("stages/{before}/completion"), json!({})).await.ok();
        }
        change(&self.admin, &programme, &format!("stages/{stage}/start"), json!({})).await.ok();
    }

    /// A candidate, nominated and enrolled, with mentor and assessor.
    pub(crate) async fn candidate(&self) -> String {
        let body = json!({"person": self.person.id, "programme": self.programme});
        let candidate = self.client.administrator.post("/candidates", body).await.created();
        let path = format!("/candidates/{}", candidate.id());
        change(&self.admin, &path, "enrolment", json!({})).await.ok();
        let from = |person: &Voice| json!({"person": person.id, "from_on": self.today()});
        change(&self.admin, &path, "mentor", from(&self.mentors[0])).await.ok();
        self.admin.post(&format!("{path}/assessors"), from(&self.assessor)).await.ok();
        path
    }

    /// Lets the candidate into a stage, by the mentor.
    pub(crate) async fn enter(&self, path: &str, stage: &str) -> Answer {
        change(&self.mentors[0], path, &format!("stages/{stage}/entry"), json!({})).await
    }

    /// Records that the candidate was there today.
    pub(crate) async fn attend(&self, path: &str, stage: &str) {
        let body = json!({"stage": stage, "on": self.today(), "minutes": 240});
        self.mentors[0].post(&format!("{path}/attendance"), body).await.ok();
    }

    /// Records an observation by somebody; says its id.
    pub(crate) async fn observe(&self, by: &Voice, path: &str) -> String {
        let body = json!({
            "competency": self.competency,
            "module": self.law,
            "kind": "direct",
            "results": [{"criterion": self.criterion, "met": "met"}],
            "narrative": "Clear, calm, and on time.",
        });
        let observed = by.post(&format!("{path}/observations"), body).await.ok();
        let last = observed["observations"].as_array().and_then(|all| all.last()).expect("an observation");
        last["id"].as_str().expect("an id").to_owned()
    }

    /// Leads a candidate up to a stage, and into it.
    pub(crate) async fn led_to(&self, path: &str, stage: &str) {
        self.enter(path, "pre_load").await.ok();
        self.person.post(&format!("{path}/pre-load"), json!({"module": self.film, "percent": 100})).await.ok();
        let last = STAGES.iter().position(|(name, _)| *name == stage).expect("a stage");
        for (before, (next, _)) in STAGES.iter().zip(&STAGES[1..]).take(last) {
            match before.0 {
                "projects_week" => {
                    change(&self.admin, path, "allotments", json!({"modules": [self.law]})).await.ok();
                    let decided = json!({
                        "competency": self.competency, "module": self.law, "decision": "insufficient_evidence", "reason": "Seen once, and briefly.",
                    });
                    self.assessor.post(&format!("{path}/assessments"), decided).await.ok();
                }
                "pre_load" => {}
                held => self.attend(path, held).await,
            }
            self.start(next).await;
            self.enter(path, next).await.ok();
        }
    }

    /// Completes a candidate who has entered every stage.
    pub(crate) async fn complete(&self, path: &str) {
        change(&self.admin, path, "completion", json!({})).await.ok();
    }

    /// The day it is.
    pub(crate) fn today(&self) -> String {
        self.world.clock.now().date().to_string()
    }
}

/// Somebody of the provider, known to the client as such.
async fn of_the_provider(world: &World, client: &Organisation<'_>, provider: &str, subject: &str, id: Option<&str>, role: Role) -> Voice {
    let mut body = json!({
        "kind": "human",
        "profile": {"given_name": "Callum", "family_name": "Provides"},
        "employer": provider,
        "login": {"issuer": ISSUER, "subject": subject},
    });
    if let Some(id) = id {
        body["id"] = json!(id);
    }
    let registered = client.administrator.post("/persons", body).await.created();
    let voice = world.login(subject).of(&client.id, registered.id());
    client.grant(&voice, role).await;
    voice
}
