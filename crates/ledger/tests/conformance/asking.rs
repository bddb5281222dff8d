//! Questions to rows: whatever is filtered, sorted and paged, both stores
//! answer as a plain list in memory would.

use std::cmp::Ordering;

use lastresort_ledger::rows::{Ask, Cell, Column, ColumnType, Filter, Row, RowChange, RowCommit, Table};
use lastresort_ledger::store::{AnyStore, StoreError};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::scene::Scene;
use crate::scene::letters::organisation;

on_both_stores!(every_question_is_answered_as_in_memory, what_cannot_be_asked_is_refused);

const TEXTS: &[&str] = &["", "A", "B", "a", "b", "É", "é", "z", "~", "𝄞"];

/// None is another's part alone: a word is found whole.
const WORDS: &[&str] = &["a", "b", "ab", "%", "É"];

fn table() -> Table {
    let columns = &[
        Column { name: "word", holds: ColumnType::Text },
        Column { name: "number", holds: ColumnType::Integer },
        Column { name: "words", holds: ColumnType::Words },
    ];
    Table { name: "view_words_1".to_owned(), columns }
}

/// A row as the story knows it.
#[derive(Clone, Debug)]
struct Known {
    id: String,
    position: u64,
    word: Cell,
    number: Cell,
    words: Cell,
}

#[derive(Clone, Debug)]
struct Asked {
    filters: Vec<Filter>,
    order: Option<&'static str>,
    descending: bool,
    page: u32,
}

fn word() -> impl Strategy<Value = Cell> {
    prop_oneof![1 => Just(Cell::Null), 4 => prop::sample::select(TEXTS).prop_map(|text| Cell::Text(text.to_owned()))]
}

fn number() -> impl Strategy<Value = Cell> {
    prop_oneof![1 => Just(Cell::Null), 4 => (-2_i64..3).prop_map(Cell::Integer), 1 => prop::sample::select(&[i64::MIN, i64::MAX]).prop_map(Cell::Integer)]
}

fn words() -> impl Strategy<Value = Cell> {
    let some = vec(prop::sample::select(WORDS), 0..4).prop_map(|words| Cell::Text(words.join(" ")));
    prop_oneof![1 => Just(Cell::Null), 4 => some]
}

fn rows() -> impl Strategy<Value = Vec<Known>> {
    let row = (word(), number(), words(), 1_u64..9);
    vec(row, 0..25).prop_map(|rows| {
        let ids = (0..).map(|nth| format!("{}{nth:02}", TEXTS[nth % TEXTS.len()]));
        ids.zip(rows).map(|(id, (word, number, words, position))| Known { id, position, word, number, words }).collect()
    })
}

fn filter() -> impl Strategy<Value = Filter> {
    prop_oneof![4 => plain_filter(), 1 => vec(plain_filter(), 0..3).prop_map(Filter::Any)]
}

fn plain_filter() -> impl Strategy<Value = Filter> {
    prop_oneof![
        prop::sample::select(WORDS).prop_map(|word| Filter::Holds("words", word.to_owned())),
        word().prop_map(|cell| Filter::Is("word", cell)),
        number().prop_map(|cell| Filter::Is("number", cell)),
        vec(word(), 0..4).prop_map(|cells| Filter::In("word", cells)),
        vec(number(), 0..4).prop_map(|cells| Filter::In("number", cells)),
        word().prop_map(|cell| Filter::AtLeast("word", cell)),
        number().prop_map(|cell| Filter::AtLeast("number", cell)),
        word().prop_map(|cell| Filter::Below("word", cell)),
        number().prop_map(|cell| Filter::Below("number", cell)),
        prop::sample::select(TEXTS).prop_map(|text| Filter::AtLeast("id", Cell::Text(text.to_owned()))),
        (0_u64..9).prop_map(Filter::MovedAfter),
    ]
}

fn asked() -> impl Strategy<Value = Asked> {
    let order = prop::sample::select(&[None, Some("id"), Some("word"), Some("number")][..]);
    (vec(filter(), 0..3), order, any::<bool>(), 1_u32..8).prop_map(|(filters, order, descending, page)| Asked {
        filters,
        order,
        descending,
        page,
    })
}

impl Known {
    fn cell(&self, name: &str) -> Cell {
        match name {
            "word" => self.word.clone(),
            "number" => self.number.clone(),
            "words" => self.words.clone(),
            _ => Cell::Text(self.id.clone()),
        }
    }

    /// Nothing compares with nothing.
    fn compared(&self, name: &str, other: &Cell) -> Option<Ordering> {
        let own = self.cell(name);
        (own != Cell::Null && *other != Cell::Null).then(|| own.cmp(other))
    }

    fn matches(&self, filter: &Filter) -> bool {
        match filter {
            Filter::Is(name, cell) => self.cell(name) == *cell,
            Filter::In(name, cells) => self.cell(name) != Cell::Null && cells.contains(&self.cell(name)),
            Filter::AtLeast(name, cell) => self.compared(name, cell).is_some_and(Ordering::is_ge),
            Filter::Below(name, cell) => self.compared(name, cell).is_some_and(Ordering::is_lt),
            Filter::Holds(name, word) => self.cell(name).text().is_some_and(|words| words.split(' ').any(|one| one == word)),
            Filter::Any(filters) => filters.iter().any(|filter| self.matches(filter)),
            Filter::MovedAfter(position) => self.position > *position,
        }
    }

    fn change(&self) -> RowChange {
        let cells = vec![self.word.clone(), self.number.clone(), self.words.clone()];
        RowChange {
            table: table(),
            id: self.id.clone(),
            position: self.position,
            body: Some((format!("{{\"of\":\"{}\"}}", self.id), cells)),
        }
    }
}

/// The answer as a plain list has it; `Cell` sorts nothing first, as rows are to be sorted.
fn answer(rows: &[Known], asked: &Asked) -> Vec<Known> {
    let mut found: Vec<Known> = rows.iter().filter(|row| asked.filters.iter().all(|filter| row.matches(filter))).cloned().collect();
    let key = |row: &Known| (asked.order.map_or(Cell::Null, |name| row.cell(name)), row.id.clone());
    found.sort_by(|one, other| {
        let upwards = key(one).cmp(&key(other));
        if asked.descending { upwards.reverse() } else { upwards }
    });
    assert!(found.windows(2).all(|pair| key(&pair[0]).cmp(&key(&pair[1])) != Ordering::Equal));
    found
}

async fn every_question_is_answered_as_in_memory(scene: &Scene) {
    scene.store.prepare_tables(&[table()]).await.expect("prepared");
    let mut runner = TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
    let cases = (rows(), vec(asked(), 12));
    let held = runner.run(&cases, |(rows, asked)| block_in_place(|| Handle::current().block_on(check(&scene.store, &rows, &asked))));
    if let Err(broken) = held {
        panic!("{broken}");
    }
}

async fn check(store: &AnyStore, rows: &[Known], questions: &[Asked]) -> Result<(), TestCaseError> {
    let organisation = organisation();
    let generation = store.begin_generation(organisation, "words").await.expect("begun").number;
    let changes = rows.iter().map(Known::change).collect();
    let commit =
        RowCommit { organisation, generation, from: 0, to: 9, changes, parked: Vec::new(), unparked: Vec::new(), skipped: Vec::new() };
    prop_assert!(store.commit_rows(commit).await.expect("written"));
    for asked in questions {
        let expected = answer(rows, asked);
        let mut ask = Ask {
            organisation,
            generation,
            table: table(),
            filters: asked.filters.clone(),
            order: asked.order,
            descending: asked.descending,
            after: None,
            limit: asked.page,
        };
        let mut found: Vec<Row> = Vec::new();
        loop {
            let page = store.ask(&ask).await.expect("answered");
            let Some(last) = page.last() else { break };
            let known = rows.iter().find(|row| row.id == last.id).expect("a row that was written");
            ask.after = Some((asked.order.map(|name| known.cell(name)), last.id.clone()));
            found.extend(page);
            prop_assert!(found.len() <= expected.len(), "{asked:?} goes on for ever");
        }
        let ids = |rows: &[Row]| rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
        prop_assert_eq!(ids(&found), expected.iter().map(|row| row.id.clone()).collect::<Vec<_>>(), "{:?}", asked);
        for (row, known) in found.iter().zip(&expected) {
            prop_assert_eq!(row.position, known.position);
            prop_assert_eq!(&row.body, &format!("{{\"of\":\"{}\"}}", known.id));
        }
    }
    Ok(())
}

async fn what_cannot_be_asked_is_refused(scene: &Scene) {
    scene.store.prepare_tables(&[table()]).await.expect("prepared");
    let ask = Ask {
        organisation: organisation(),
        generation: 1,
        table: table(),
        filters: Vec::new(),
        order: None,
        descending: false,
        after: None,
        limit: 5,
    };
    let (text, one) = (Cell::Text("1".to_owned()), Cell::Integer(1));
    let refused = [
        Ask { order: Some("colour"), ..ask.clone() },
        Ask { filters: vec![Filter::Is("colour", text.clone())], ..ask.clone() },
        Ask { filters: vec![Filter::AtLeast("number", text.clone())], ..ask.clone() },
        Ask { filters: vec![Filter::In("word", vec![text.clone(), one.clone()])], ..ask.clone() },
        Ask { filters: vec![Filter::Below("id", one.clone())], ..ask.clone() },
        Ask { order: Some("words"), ..ask.clone() },
        Ask { filters: vec![Filter::Is("words", text.clone())], ..ask.clone() },
        Ask { filters: vec![Filter::Any(vec![Filter::Holds("word", "1".to_owned())])], ..ask.clone() },
        Ask { order: Some("word"), after: Some((Some(one), "a".to_owned())), ..ask.clone() },
    ];
    for asked in refused {
        let answer = scene.store.ask(&asked).await;
        assert!(matches!(answer, Err(StoreError::Corrupt(_))), "{asked:?}: {answer:?}");
    }
    assert!(scene.store.ask(&ask).await.expect("answered").is_empty());
}
