//! The world of one story: a store, keys and a clock of its own, the service
//! on a free port, and nothing left behind when it ends, well or badly.

mod answer;
mod asking;
mod binary;
mod cable;
mod contract;
mod place;
mod voice;

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use lastresort_fact::Instant;
use lastresort_ledger::clock::Clock;
use lastresort_server::config::{Flags, Settings};
use lastresort_server::issuer::{ISSUER, LocalIssuer};
use lastresort_server::running::{Running, start};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

pub use self::answer::{Answer, Page, redacted};
pub use self::asking::Asking;
pub use self::binary::{Binary, run, run_in, settings_file};
pub use self::cable::Cable;
pub use self::contract::{Contract, Operation};
pub use self::place::{On, Place};
pub use self::voice::{Organisation, Voice};

/// The subject that may open ledgers.
pub const OPERATOR: &str = "operator";
/// When stories begin.
pub const BEGINNING: &str = "2021-03-08T09:00:00Z";
/// For how long tokens are good.
const AN_HOUR: Duration = Duration::from_hours(1);

/// The contract of the service under test, read from it once.
static CONTRACT: OnceCell<Contract> = OnceCell::const_new();

/// Everything a story has.
pub struct World {
    /// The clock of the ledgers: it stands until it is moved.
    pub clock: Clock,
    /// Where it keeps things.
    pub place: Place,
    wire: Arc<Wire>,
    issuer: LocalIssuer,
    served: Served,
    named: AtomicU32,
}

/// How the service runs.
enum Served {
    Within(Box<Running>),
    Apart(Binary),
}

/// What everybody speaks through.
pub(crate) struct Wire {
    pub(crate) base_url: String,
    pub(crate) http: reqwest::Client,
    pub(crate) contract: &'static Contract,
}

/// Tells a story in a world of its own.
pub fn tell(on: On, story: impl AsyncFnOnce(&World)) {
    tell_with(on, |_| {}, story);
}

/// Tells a story of a service with other settings.
pub fn tell_with(on: On, adjust: impl FnOnce(&mut Flags), story: impl AsyncFnOnce(&World)) {
    tell_in(World::new(on, adjust), story);
}

/// Tells a story of the real program, on the machine's clock.
pub fn tell_of_the_program(on: On, story: impl AsyncFnOnce(&World)) {
    tell_in(World::of_the_program(on), story);
}

fn tell_in(world: impl Future<Output = World>, story: impl AsyncFnOnce(&World)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let world = world.await;
        let told = AssertUnwindSafe(story(&world)).catch_unwind().await;
        world.end().await;
        if let Err(panic) = told {
            resume_unwind(panic);
        }
    });
}

impl World {
    /// A world with the service in this process, its clock at [`BEGINNING`].
    async fn new(on: On, adjust: impl FnOnce(&mut Flags)) -> Self {
        let place = Place::new(on).await;
        let mut flags = place.flags();
        adjust(&mut flags);
        let settings = Settings::read(None, &flags).expect("settings");
        let clock = Clock::standing(instant(BEGINNING));
        let running = start(&settings, clock.clone()).await.expect("the service starts");
        let base_url = format!("http://{}", running.address);
        Self::around(place, clock, base_url, Served::Within(Box::new(running))).await
    }

    /// A world with the service as the real program.
    async fn of_the_program(on: On) -> Self {
        let place = Place::new(on).await;
        let binary = Binary::serve(&place);
        let base_url = format!("http://{}", binary.address);
        Self::around(place, Clock::machine(), base_url, Served::Apart(binary)).await
    }

    async fn around(place: Place, clock: Clock, base_url: String, served: Served) -> Self {
        let Settings { keys, audience, .. } = place.settings();
        let issuer = LocalIssuer::open(keys.as_ref(), &audience).expect("the issuer's key");
        // Connections kept alive would keep a graceful stop waiting.
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).tls_certs_only([]).build().expect("a client");
        let contract = CONTRACT.get_or_init(async || Contract::read(&http, &base_url).await).await;
        let wire = Arc::new(Wire { base_url, http, contract });
        Self { clock, place, wire, issuer, served, named: AtomicU32::new(0) }
    }

    async fn end(self) {
        match self.served {
            Served::Within(running) => running.stop().await.expect("the service ends well"),
            Served::Apart(binary) => {
                binary.ask_to_end();
                binary.wait();
            }
        }
        self.place.clear().await;
    }

    /// The contract the service shows.
    pub fn contract(&self) -> &'static Contract {
        self.wire.contract
    }

    /// Moves the clock on, never back.
    pub fn it_is(&self, at: &str) {
        self.clock.advance(instant(at));
    }

    /// Somebody without a token.
    pub fn anybody(&self) -> Voice {
        Voice::anybody(&self.wire)
    }

    /// Whoever brings this token.
    pub fn bearer(&self, token: &str) -> Voice {
        self.anybody().bearing(token)
    }

    /// Whoever may open ledgers.
    pub fn operator(&self) -> Voice {
        self.login(OPERATOR)
    }

    /// Whoever logs in as this subject.
    pub fn login(&self, subject: &str) -> Voice {
        Voice { subject: subject.to_owned(), ..self.bearer(&self.token(subject)) }
    }

    /// A token of the issuer the service believes.
    pub fn token(&self, subject: &str) -> String {
        self.issuer.token(subject, AN_HOUR).expect("a token")
    }

    /// Another client, with a manager.
    pub async fn client(&self) -> Organisation<'_> {
        self.organisation("client").await
    }

    /// Another provider, with an administrator.
    pub async fn provider(&self) -> Organisation<'_> {
        self.organisation("provider").await
    }

    async fn organisation(&self, kind: &str) -> Organisation<'_> {
        let (id, subject) = (a_uuid(), self.subject("administrator"));
        let opened = self.operator().put(&format!("/v1/organisations/{id}"), opening(kind, &subject)).await.created();
        let administrator = self.login(&subject).of(&id, opened["administrator"].as_str().expect("an id"));
        Organisation::new(self, id, administrator)
    }

    /// A login nobody else has.
    pub(crate) fn subject(&self, name: &str) -> String {
        format!("{name}-{}", self.named.fetch_add(1, Ordering::Relaxed))
    }

    /// The program that serves.
    pub fn program(&self) -> &Binary {
        match &self.served {
            Served::Apart(binary) => binary,
            Served::Within(_) => panic!("the service of this story runs within the test"),
        }
    }
}

/// The body that opens a ledger.
#[must_use]
pub fn opening(kind: &str, subject: &str) -> Value {
    json!({
        "kind": kind,
        "name": "Braeside",
        "jurisdiction": "scotland",
        "time_zone": "Europe/London",
        "administrator": {"given_name": "Iona", "family_name": "Begg", "login": {"issuer": ISSUER, "subject": subject}},
    })
}

/// A point in time, as RFC 3339 writes it.
#[must_use]
pub fn instant(text: &str) -> Instant {
    text.parse().expect("an instant")
}

/// An id nobody has yet.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a client draws its ids by chance")]
pub fn a_uuid() -> String {
    uuid::Uuid::now_v7().to_string()
}
