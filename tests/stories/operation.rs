//! The real program, as an operator runs it: it ends without losing what it
//! said it had done, it guards its store, and it says what it can be told.

use std::fs;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lastresort_fact::Role;
use lastresort_server::config::DEFAULTS;
use lastresort_tests::world::{On, Place, Voice, World, run, run_in, settings_file, tell_of_the_program};
use serde_json::{Value, json};

#[test]
fn what_was_acknowledged_before_sigterm_is_there_afterwards_on_sqlite() {
    tell_of_the_program(On::Sqlite, ended_in_the_middle);
}

#[test]
fn what_was_acknowledged_before_sigterm_is_there_afterwards_on_postgresql() {
    tell_of_the_program(On::Postgres, ended_in_the_middle);
}

const SENDERS: usize = 8;
/// So many commands are acknowledged before the signal, while more are on their way.
const MIDDLE: usize = 60;

async fn ended_in_the_middle(world: &World) {
    let client = world.client().await;
    let hr = client.person(Role::HrSystem).await;
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let senders: Vec<_> = (0..SENDERS).map(|sender| tokio::spawn(send(hr.clone(), sender, Arc::clone(&acknowledged)))).collect();
    while acknowledged.load(Ordering::SeqCst) < MIDDLE {
        tokio::task::yield_now().await;
    }
    world.program().ask_to_end();
    let mut told = Vec::new();
    for sender in senders {
        told.extend(sender.await.expect("a sender"));
    }
    assert!(told.len() >= MIDDLE, "{}", told.len());

    world.program().serve_again(&world.place);
    for (path, id) in &told {
        assert_eq!(hr.get(path).await.ok().id(), id);
    }
    let facts = hr.all("/events?limit=200").await.len();
    assert_eq!(hr.head().await, facts as u64, "no gap");
}

/// Registers one person after another until nobody answers; says who was acknowledged.
async fn send(hr: Voice, sender: usize, acknowledged: Arc<AtomicUsize>) -> Vec<(String, String)> {
    let mut told = Vec::new();
    loop {
        let path = format!("/persons/by-external/hr/{sender}-{}", told.len());
        let body = json!({"profile": {"given_name": "Ailsa"}});
        let Some(answer) = hr.put(&path, body).attempt().await.filter(|answer| answer.status == 200) else { return told };
        acknowledged.fetch_add(1, Ordering::SeqCst);
        told.push((path, answer.id().to_owned()));
    }
}

#[test]
fn a_second_server_on_one_folder_is_refused() {
    tell_of_the_program(On::Sqlite, async |world| {
        let second = run(Some(&settings_file(&world.place)), &["serve"]);
        let said = String::from_utf8_lossy(&second.stderr);
        assert!(!second.status.success());
        assert!(said.contains("another server") || said.contains("in use"), "{said}");
        world.client().await;
    });
}

#[tokio::test]
async fn a_demonstration_is_not_served_as_real() {
    let place = Place::new(On::Sqlite).await;
    let (file, data) = (settings_file(&place), place.path("demonstration").display().to_string());
    let store = format!("sqlite:{data}");
    let told = run(Some(&file), &["--store", &store, "demo", "--load-only", "--data", &data]);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    // Nobody is to reach it meanwhile: it is refused before it would listen, here where somebody else does.
    let taken = TcpListener::bind("127.0.0.1:0").expect("an address");
    let address = taken.local_addr().expect("an address").to_string();
    let refused = run(Some(&file), &["--store", &store, "--listen", &address, "serve"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("which is a demonstration"), "{said}");
    place.clear().await;
}

#[tokio::test]
async fn lost_keys_are_told_and_no_others_made() {
    let place = Place::new(On::Sqlite).await;
    let file = settings_file(&place);
    assert!(run(Some(&file), &["migrate"]).status.success());
    fs::remove_dir_all(place.path("keys")).expect("removed");
    let refused = run(Some(&file), &["serve"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("root.key cannot be used: it is missing"), "{said}");
    assert!(!place.path("keys").exists(), "nothing is put in their place");
    place.clear().await;
}

#[tokio::test]
async fn postgresql_needs_a_root_key() {
    let place = Place::new(On::Postgres).await;
    let file = settings_file(&place);
    let text = fs::read_to_string(&file).expect("settings");
    let without: Vec<_> = text.lines().filter(|line| !line.starts_with("root_key")).collect();
    fs::write(&file, without.join("\n")).expect("written");
    let refused = run(Some(&file), &["serve"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("LASTRESORT_ROOT_KEY"), "{said}");
    place.clear().await;
}

#[tokio::test]
async fn the_program_says_what_it_can_be_told() {
    let printed = run(None, &["config"]);
    assert_eq!(String::from_utf8_lossy(&printed.stdout), DEFAULTS);

    let place = Place::new(On::Sqlite).await;
    let file = place.path("wrong.toml");
    for (text, says) in [("listn = \"127.0.0.1:1\"", "listn"), ("workers = \"many\"", "workers"), ("store = \"mysql:x\"", "sqlite:FOLDER")]
    {
        fs::write(&file, text).expect("written");
        let refused = run(Some(&file), &["serve"]);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains(says), "{text}: {said}");
    }
    place.clear().await;
}

#[tokio::test]
async fn a_setting_that_does_not_exist_is_not_passed_over() {
    let refused = run_in(&[("LASTRESORT_OPERATOR", "ada")], None, &["config"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success(), "{said}");
    let line = "lastresort: there is no setting LASTRESORT_OPERATOR, but LASTRESORT_OPERATORS; `lastresort config` lists them\n";
    assert_eq!(said, line);
}

#[test]
fn the_first_organisation_comes_from_the_command_line() {
    tell_of_the_program(On::Postgres, async |world| {
        let settings = settings_file(&world.place);
        let arguments =
            ["bootstrap", "--kind", "client", "--name", "Braeside", "--given-name", "Iona", "--family-name", "Begg", "--subject", "iona"];
        let opened = run(Some(&settings), &arguments);
        assert!(opened.status.success(), "{}", String::from_utf8_lossy(&opened.stderr));
        let opened: Value = serde_json::from_slice(&opened.stdout).expect("it says what it opened");
        let token = run(Some(&settings), &["token", "iona"]);
        let token = String::from_utf8_lossy(&token.stdout);
        let iona = world.bearer(token.trim()).of(opened["organisation"].as_str().expect("an id"), "");
        // A server that runs already looks for new ledgers about once a second.
        let since = Instant::now();
        while iona.get("/events").await.status != 200 {
            assert!(since.elapsed() < Duration::from_secs(10), "the server has not heard of the new ledger");
        }
        let facts = iona.get("/events").await.ok().page().items;
        assert!(facts.iter().all(|fact| fact["by"] == "bootstrap" && fact["role"] == "bootstrap"), "{facts:?}");
        iona.post("/persons", json!({"kind": "human", "profile": {"given_name": "Ailsa"}})).await.created();
    });
}
