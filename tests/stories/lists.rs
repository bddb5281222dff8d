//! Lists: narrowed, sorted, searched by name, and read to the end page by page.

use lastresort_fact::Role;
use lastresort_tests::world::{Voice, World};
use serde_json::{Value, json};

lastresort_tests::on_both_stores!(
    a_name_is_found_by_any_part_of_it,
    a_name_told_while_others_search_is_found,
    lists_are_narrowed,
    lists_are_sorted_up_and_down,
    every_page_is_read_once,
    a_cursor_serves_the_list_that_gave_it,
    what_a_list_cannot_be_asked_is_said,
);

/// Given name, family name, unit, first day, and until when life support counts.
type Line = (&'static str, &'static str, &'static str, &'static str, &'static str);

const STAFF: [Line; 7] = [
    ("Ailsa", "Kerr", "burn", "2019-02-01", "2021-06-30"),
    ("Fergus", "Kerrigan", "burn", "2021-01-04", "2021-12-31"),
    ("Isla", "Mac Aoidh", "burn", "2020-11-02", "2021-03-31"),
    ("Morag", "Élanor", "loch", "2018-07-16", "2022-02-28"),
    ("Ruaridh", "Begg", "loch", "2020-03-02", "2021-05-15"),
    ("Sorcha", "Duff", "loch", "2021-04-12", "2021-09-30"),
    ("Tavish", "Kerr", "loch", "2020-03-02", "2021-08-31"),
];

/// A client with seven members of staff, as its HR system sees it; and its units.
async fn with_staff(world: &World) -> (Voice, String, String) {
    let client = world.client().await;
    let (burn, loch) = (client.unit("burn").await, client.unit("loch").await);
    let hr = client.person(Role::HrSystem).await;
    for (given, family, unit, from, life_support) in STAFF {
        let body = json!({
            "profile": {"given_name": given, "family_name": family},
            "employment": {"unit": if unit == "burn" { &burn } else { &loch }, "job_title": "Support worker", "effective_on": from},
            "life_support_expires_on": life_support,
        });
        hr.put(&format!("/persons/by-external/hr/{given}"), body).await.ok();
    }
    (hr, burn, loch)
}

/// Who is listed, by given name.
async fn listed(voice: &Voice, query: &str) -> Vec<String> {
    let items = voice.all(&format!("/persons?{query}")).await;
    items.iter().map(|person| person["given_name"].as_str().expect("a name").to_owned()).collect()
}

async fn sorted(voice: &Voice, query: &str) -> Vec<String> {
    let mut names = listed(voice, query).await;
    names.sort();
    names
}

async fn a_name_is_found_by_any_part_of_it(world: &World) {
    let (hr, ..) = with_staff(world).await;
    assert_eq!(sorted(&hr, "name=kerr").await, ["Ailsa", "Fergus", "Tavish"]);
    assert_eq!(sorted(&hr, "name=KERRI").await, ["Fergus"]);
    assert_eq!(sorted(&hr, "name=mac%20a").await, ["Isla"]);
    assert_eq!(sorted(&hr, "name=%C3%A9lan").await, ["Morag"]);
    assert_eq!(sorted(&hr, "name=nobody").await, [""; 0]);
    hr.get("/persons?name=k").await.refused(400, "malformed");

    let renamed = json!({"profile": {"given_name": "Fergus", "family_name": "Duff"}});
    hr.put("/persons/by-external/hr/Fergus", renamed).await.ok();
    assert_eq!(sorted(&hr, "name=duff").await, ["Fergus", "Sorcha"], "under the new name");
    assert_eq!(sorted(&hr, "name=kerrigan").await, [""; 0], "and no more under the old");
}

async fn a_name_told_while_others_search_is_found(world: &World) {
    let (hr, ..) = with_staff(world).await;
    let rename = |nth: usize| {
        let (hr, path) = (hr.clone(), format!("/persons/by-external/hr/{}", STAFF[nth].0));
        tokio::spawn(async move {
            for to in 0..8 {
                let profile = json!({"given_name": STAFF[nth].0, "family_name": format!("Moved{nth}to{to}")});
                hr.put(&path, json!({"profile": profile})).await.ok();
            }
        })
    };
    let search = |_| {
        let hr = hr.clone();
        tokio::spawn(async move {
            for _ in 0..20 {
                hr.get("/persons?name=nobody").await.ok();
            }
        })
    };
    let all: Vec<_> = (0..STAFF.len()).map(rename).chain((0..2).map(search)).collect();
    for one in all {
        one.await.expect("done");
    }
    for (nth, (given, ..)) in STAFF.iter().enumerate() {
        assert_eq!(listed(&hr, &format!("name=moved{nth}to7")).await, [*given]);
    }
}

async fn lists_are_narrowed(world: &World) {
    let (hr, burn, loch) = with_staff(world).await;
    assert_eq!(sorted(&hr, &format!("unit={burn}")).await, ["Ailsa", "Fergus", "Isla"]);
    assert_eq!(sorted(&hr, &format!("unit={}", loch.to_uppercase())).await, ["Morag", "Ruaridh", "Sorcha", "Tavish"]);
    assert_eq!(sorted(&hr, "employed_on=2020-03-02").await, ["Ailsa", "Morag", "Ruaridh", "Tavish"], "the first day counts");
    assert_eq!(sorted(&hr, "life_support_expires_before=2021-05-15").await, ["Isla"]);
    assert_eq!(sorted(&hr, &format!("unit={loch}&employed_on=2021-03-08&name=er")).await, ["Tavish"]);
    let machines = hr.all("/persons?kind=machine").await;
    assert_eq!(machines.len(), 1, "{machines:?}");
    assert_eq!(machines[0]["id"], hr.id.as_str());

    let ailsa = hr.get("/persons/by-external/hr/Ailsa").await.ok();
    hr.post(&format!("/persons/{}/leaving", ailsa.id()), json!({"effective_on": "2021-03-01"})).await.ok();
    assert_eq!(sorted(&hr, "employed_on=2021-02-28&name=ailsa").await, ["Ailsa"]);
    assert_eq!(sorted(&hr, "employed_on=2021-03-01&name=ailsa").await, [""; 0], "the day of leaving does not");
}

async fn lists_are_sorted_up_and_down(world: &World) {
    let (hr, ..) = with_staff(world).await;
    let days = |items: &[Value]| -> Vec<String> {
        items.iter().map(|person| person["employments"][0]["from"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let up = hr.all("/persons?employed_on=2022-01-01&sort=employed_from&limit=2").await;
    assert_eq!(
        days(&up),
        ["2018-07-16", "2019-02-01", "2020-03-02", "2020-03-02", "2020-11-02", "2021-01-04", "2021-04-12"],
        "two of one day, on two pages"
    );
    let down = hr.all("/persons?employed_on=2022-01-01&sort=-employed_from&limit=2").await;
    assert_eq!(days(&down), days(&up).into_iter().rev().collect::<Vec<_>>());
    let everybody = hr.all("/persons?sort=life_support_expires_on&limit=1").await;
    assert_eq!(everybody.len(), STAFF.len() + 2, "whoever has no such day is listed too");
}

async fn every_page_is_read_once(world: &World) {
    let (hr, ..) = with_staff(world).await;
    let whole = hr.get("/persons").await.ok();
    assert_eq!(whole["next"], Value::Null, "the last page names no other: {whole}");
    assert_eq!(whole["position"], whole.position());
    for limit in [1, 2, 3, 8, 9, 200] {
        assert_eq!(hr.all(&format!("/persons?limit={limit}")).await, whole.page().items, "by {limit}");
    }
    let first = hr.get("/persons?limit=3").await.ok().page();
    let late = json!({"kind": "human", "profile": {"given_name": "Una"}});
    hr.post("/persons", late).await.created();
    let rest = hr.get(&format!("/persons?limit=200&cursor={}", first.next.expect("more"))).await.ok().page().items;
    let ids: Vec<_> = first.items.iter().chain(&rest).map(|person| person["id"].clone()).collect();
    assert_eq!(ids.len(), STAFF.len() + 3, "who comes meanwhile moves no page: {ids:?}");
}

async fn a_cursor_serves_the_list_that_gave_it(world: &World) {
    let (hr, ..) = with_staff(world).await;
    let manager = world.client().await.administrator;
    manager.post("/persons", json!({"kind": "human", "profile": {"given_name": "Una"}})).await.created();
    let next = async |voice: &Voice, path: &str| voice.get(path).await.ok().page().next.expect("more");

    let cursor = next(&hr, "/persons?limit=1").await;
    hr.get(&format!("/persons?cursor={cursor}")).await.ok();
    hr.get(&format!("/persons?cursor={cursor}&sort=employed_from")).await.refused(400, "malformed");
    let grants = next(&hr, "/persons?limit=1&sort=-employed_from").await;
    hr.get(&format!("/persons?cursor={grants}")).await.refused(400, "malformed");
    let theirs = next(&manager, "/persons?limit=1").await;
    hr.get(&format!("/persons?cursor={theirs}")).await.refused(400, "malformed");
    let (body, seal) = cursor.split_once('.').expect("a body and a seal");
    let forged =
        [format!("{}.{seal}", body.replace(|last: char| last.is_ascii_uppercase(), "A")), body.to_owned(), "x".to_owned(), String::new()];
    for forged in forged {
        hr.get(&format!("/persons?cursor={forged}")).await.refused(400, "malformed");
    }
}

async fn what_a_list_cannot_be_asked_is_said(world: &World) {
    let hr = world.client().await.person(Role::HrSystem).await;
    for query in
        ["limit=0", "limit=201", "limit=all", "unit=burn", "employed_on=2021-02-30", "employed_on=8%20March", "kind=robot", "sort=name"]
    {
        hr.get(&format!("/persons?{query}")).await.refused(400, "malformed");
    }
    for query in ["colour=blue", "kind=human&kind=human", "after=1", "fields=id"] {
        hr.get(&format!("/persons?{query}")).await.refused(400, "unknown_parameter");
    }
    let unknown = hr.get("/persons?colour=blue&size=2").await.refused(400, "unknown_parameter");
    let told = unknown["errors"].to_string();
    assert!(told.contains("colour is no query parameter here") && told.contains("size is no query parameter here"), "{unknown}");
    hr.get("/persons?name=a%00b").await.refused(400, "malformed");
    hr.get("/persons?name=%ff%fe").await.refused(400, "malformed");
}
