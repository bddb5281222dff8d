//! Sealing: what is personal leaves the desk sealed, and opens only where it may.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use lastresort_fact::{Class, OrganisationId, PersonId, Personal};
use lastresort_ledger::desk::{DeskError, Expect};
use lastresort_ledger::keys::{Keyring, Reading, RootKey, root_key_from_file};
use lastresort_ledger::store::StoreError;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::scene::actors::{ask, desk, keyring, mark, note_with, order, root};
use crate::scene::letters::{ledger, note};
use crate::scene::notes::{Note, NoteCommand, Register};
use crate::scene::{Scene, holds};

on_both_stores!(
    nothing_personal_lies_in_the_open,
    what_was_sealed_is_opened_for_those_who_compare,
    nothing_is_opened_for_those_who_do_not,
    what_was_erased_elsewhere_is_not_added_to,
    one_key_serves_a_person_and_class_and_each_narrative_its_own,
    a_reader_sees_what_a_grant_opens,
    another_root_key_is_refused,
    a_missing_epoch_key_is_told,
    another_epoch_key_is_refused,
    servers_that_start_together_share_one_epoch_key,
    a_root_key_file_is_made_once_for_its_owner_alone,
);

const CANARY: &str = "Canary Wharfinger";
const TALE: &str = "tale of a canary";

async fn signed(scene: &Scene) -> (OrganisationId, Uuid, PersonId) {
    let desk = desk(scene).await;
    let organisation = ledger(&scene.store).await;
    let subject = PersonId(Uuid::new_v4());
    let sign = NoteCommand::Sign { subject, name: CANARY.to_owned() };
    let tell = NoteCommand::Tell { subject, told: TALE.to_owned() };
    (organisation, note_with(&desk, organisation, [sign, tell.clone(), tell]).await, subject)
}

async fn nothing_personal_lies_in_the_open(scene: &Scene) {
    let (organisation, _, _) = signed(scene).await;
    let events = scene.store.read(organisation, 0, 10).await.expect("read");
    let payload: Value = serde_json::from_str(&events[2].payload).expect("JSON");
    let sealed = &payload["event"]["value"]["name"];
    assert_eq!(sealed["$a"], "xc20p");
    assert_eq!(sealed["$l"], "identity");
    let leaf: Value = serde_json::from_slice(&events[2].leaf).expect("JSON");
    assert_eq!(leaf["body"]["name"], json!({"$k": sealed["$k"], "$c": sealed["$c"]}));
    assert_eq!(leaf["body"]["aliases"][0]["$c"], payload["event"]["value"]["aliases"][0]["$c"]);
    let everything = scene.everything_at_rest().await;
    assert!(holds(&everything, "NameSigned"), "the search finds what is there");
    assert!(!holds(&everything, CANARY));
    assert!(!holds(&everything, TALE));
}

async fn what_was_sealed_is_opened_for_those_who_compare(scene: &Scene) {
    let (organisation, id, subject) = signed(scene).await;
    // Another desk, as after a restart: nothing is kept in memory.
    let desk = desk(scene).await;
    let (loaded, version) = desk.load::<Note>(organisation, id).await.expect("loaded");
    assert_eq!(loaded.name(), Some(CANARY));
    assert_eq!(loaded.told.iter().map(Personal::value).collect::<Vec<_>>(), [Some(&TALE.to_owned()); 2]);
    let sign = |name: &str| NoteCommand::Sign { subject, name: name.to_owned() };
    let same = ask(&desk, &order(organisation), id, Expect::Exists, sign(CANARY)).await.expect("done");
    assert!(same.receipt.events.is_empty(), "the same name is nothing new");
    let other = ask(&desk, &order(organisation), id, Expect::Exists, sign("Moira Kerr")).await.expect("done");
    assert_eq!(other.receipt.streams, [(note(id), version + 1)]);
}

async fn nothing_is_opened_for_those_who_do_not(scene: &Scene) {
    let desk = desk(scene).await;
    let (organisation, id, subject) = (ledger(&scene.store).await, Uuid::new_v4(), PersonId(Uuid::new_v4()));
    let asked = order(organisation);
    let signing =
        desk.run(&asked, async |work| work.decide::<Register>(id, Expect::New, (subject, CANARY.to_owned()), &()).await.map(drop));
    signing.await.expect("done");
    let (register, version) = desk.load::<Register>(organisation, id).await.expect("loaded");
    assert_eq!(version, 1);
    assert!(register.names.iter().all(|name| name.value().is_none()), "{register:?}");
    let kept = serde_json::to_string(&register).expect("what is sealed can be written down");
    assert!(!kept.contains(CANARY));
}

async fn what_was_erased_elsewhere_is_not_added_to(scene: &Scene) {
    let desk = desk(scene).await;
    let organisation = ledger(&scene.store).await;
    let subject = PersonId(Uuid::new_v4());
    let sign = |name: &str| NoteCommand::Sign { subject, name: name.to_owned() };
    let id = note_with(&desk, organisation, [sign("Moira Kerr")]).await;
    // Read from the store once, so that the desk holds the person's key.
    ask(&desk, &order(organisation), id, Expect::Exists, sign("Moira Kerr-Low")).await.expect("done");
    scene.destroy_keys(organisation).await;
    let refused = ask(&desk, &order(organisation), id, Expect::Exists, sign("Moira Low")).await.expect_err("refused");
    assert!(matches!(refused, DeskError::Erased), "{refused}");
    assert_eq!(scene.store.read_stream(organisation, &note(id), 0, 10).await.expect("read").len(), 3);
}

async fn one_key_serves_a_person_and_class_and_each_narrative_its_own(scene: &Scene) {
    let (organisation, id, subject) = signed(scene).await;
    let desk = desk(scene).await;
    let sign = NoteCommand::Sign { subject, name: "Moira Kerr".to_owned() };
    ask(&desk, &order(organisation), id, Expect::Exists, sign).await.expect("done");
    let keys = scene.store.keys_about(organisation, subject).await.expect("read");
    let of = |class| keys.iter().filter(|row| row.class == class).count();
    assert_eq!((of(Class::Identity), of(Class::Narrative), keys.len()), (1, 2, 3));
    assert!(keys.iter().all(|row| row.epoch == 1 && row.destroyed_at.is_none()));
}

async fn a_reader_sees_what_a_grant_opens(scene: &Scene) {
    let (organisation, id, subject) = signed(scene).await;
    let desk = desk(scene).await;
    let events = scene.store.read_stream(organisation, &note(id), 0, 10).await.expect("read");
    let body = |nth: usize| serde_json::from_str::<Value>(&events[nth].payload).expect("JSON")["event"]["value"].take();
    let (mut name, mut told) = (body(1), body(2));
    let opens = |class| class == Class::Identity;
    let mut readings = [
        Reading { value: &mut name, at: Some((note(id), 2)), opens: &opens },
        Reading { value: &mut told, at: Some((note(id), 3)), opens: &opens },
    ];
    desk.keys.reveal(&*scene.store, organisation, &mut readings).await.expect("shown");
    assert_eq!(name, json!({"name": CANARY, "aliases": [format!("{CANARY} the Second")]}));
    assert_eq!(told, json!({"told": {"withheld": "narrative"}}));
    // Sealed to its place: taken for another's, it does not open.
    let mut moved = [Reading { value: &mut body(1), at: Some((note(id), 3)), opens: &opens }];
    desk.keys.reveal(&*scene.store, organisation, &mut moved).await.expect_err("refused");
    // With its key destroyed it is gone, here at once and elsewhere when it was not kept.
    scene.destroy_keys(organisation).await;
    desk.keys.forget(organisation, subject);
    let mut gone = body(1);
    desk.keys
        .reveal(&*scene.store, organisation, &mut [Reading { value: &mut gone, at: Some((note(id), 2)), opens: &opens }])
        .await
        .expect("shown");
    assert_eq!(gone["name"], json!({"erased": "identity"}));
    assert_eq!(desk.load::<Note>(organisation, id).await.expect("loaded").0.name(), None);
    ask(&desk, &order(organisation), id, Expect::Exists, mark(1)).await.expect("the note goes on");
}

async fn another_root_key_is_refused(scene: &Scene) {
    keyring(scene).await.expect("a keyring");
    let refused = Keyring::open(&*scene.store, &RootKey::new([8; 32]), scene.keys.path()).await.expect_err("refused");
    assert!(matches!(refused, StoreError::Corrupt(_)), "{refused}");
    assert!(refused.to_string().contains("another root key"), "{refused}");
    keyring(scene).await.expect("the right one opens");
}

fn epoch_file(scene: &Scene) -> std::path::PathBuf {
    scene.keys.path().join("epoch-00001.key")
}

async fn a_missing_epoch_key_is_told(scene: &Scene) {
    let (organisation, id, _) = signed(scene).await;
    assert_eq!(fs::metadata(epoch_file(scene)).expect("a file").permissions().mode() & 0o777, 0o600);
    let kept = fs::read(epoch_file(scene)).expect("read");
    fs::remove_file(epoch_file(scene)).expect("removed");
    let refused = keyring(scene).await.expect_err("refused");
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    assert!(refused.to_string().contains("epoch-00001.key"), "{refused}");
    assert_eq!(fs::read_dir(scene.keys.path()).expect("a folder").count(), 0, "nothing is put in its place");
    fs::write(epoch_file(scene), kept).expect("written");
    let open_to_all = keyring(scene).await.expect_err("refused");
    assert!(open_to_all.to_string().contains("0600"), "{open_to_all}");
    fs::set_permissions(epoch_file(scene), fs::Permissions::from_mode(0o600)).expect("set");
    let desk = desk(scene).await;
    assert_eq!(desk.load::<Note>(organisation, id).await.expect("loaded").0.name(), Some(CANARY));
}

async fn another_epoch_key_is_refused(scene: &Scene) {
    keyring(scene).await.expect("a keyring");
    let other = Scene::set(crate::scene::On::Sqlite).await;
    keyring(&other).await.expect("a keyring");
    fs::copy(epoch_file(&other), epoch_file(scene)).expect("copied");
    let refused = keyring(scene).await.expect_err("refused");
    assert!(refused.to_string().contains("another"), "{refused}");
    other.clear().await;
}

async fn servers_that_start_together_share_one_epoch_key(scene: &Scene) {
    let (one, two, three) = tokio::join!(keyring(scene), keyring(scene), keyring(scene));
    let rings = [one.expect("a keyring"), two.expect("a keyring"), three.expect("a keyring")];
    let organisation = lastresort_fact::OrganisationId(Uuid::new_v4());
    let digests: std::collections::BTreeSet<_> = rings.iter().map(|ring| ring.digest(organisation, "login", &["a"])).collect();
    assert_eq!(digests.len(), 1);
    assert_eq!(fs::read_dir(scene.keys.path()).expect("a folder").count(), 1, "and leave nothing else behind");
}

async fn a_root_key_file_is_made_once_for_its_owner_alone(scene: &Scene) {
    let folder = tempfile::tempdir().expect("a folder");
    let from_file = async || root_key_from_file(&*scene.store, folder.path()).await;
    let (first, path, made) = from_file().await.expect("made");
    assert!(made);
    assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&path).expect("read");
    let (_, _, made) = from_file().await.expect("read");
    assert!(!made);
    assert_eq!(fs::read_to_string(&path).expect("read"), text);
    assert!(!format!("{first:?}{:?}", root()).contains(text.trim()), "it is not to be seen in a log");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("set");
    let refused = from_file().await.expect_err("refused");
    assert!(refused.to_string().contains("0600"), "{refused}");
    RootKey::from_hex("abc").expect_err("too short");
    // For a store that was sealed none is made: it would not be the one.
    keyring(scene).await.expect("a keyring");
    fs::remove_file(&path).expect("removed");
    let refused = from_file().await.expect_err("refused");
    assert!(refused.to_string().contains("root.key"), "{refused}");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0, "nothing is put in its place");
}
