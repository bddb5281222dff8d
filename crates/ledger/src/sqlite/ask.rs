//! A question as SQL. Only names that a view declares in the source get into
//! the text, quoted; every value is a parameter.

use std::fmt::Write as _;

use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};

use super::columns::signed;
use crate::rows::{Ask, Cell, Filter};

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Value::Null),
            Self::Integer(number) => ToSqlOutput::Owned(Value::Integer(*number)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

/// A column's name, quoted: a view may declare one that is a word of SQL.
pub(super) fn column_name(name: &str) -> String {
    format!("\"{name}\"")
}

/// SQL and its parameters, numbered, so that stretches can share them.
struct Question {
    sql: String,
    values: Vec<Value>,
}

/// A question that was checked, as SQL that yields `id`, `position`, `body`.
pub(super) fn question(ask: &Ask) -> (String, Vec<Value>) {
    let mut question = Question { sql: String::new(), values: Vec::new() };
    let organisation = question.value(Value::Blob(ask.organisation.0.as_bytes().to_vec()));
    let generation = question.value(Value::Integer(ask.generation));
    let limit = question.value(Value::Integer(i64::from(ask.limit)));
    let mut conditions = format!("organisation = {organisation} AND generation = {generation}");
    for filter in &ask.filters {
        let condition = question.filter(filter);
        write!(conditions, " AND {condition}").expect("writing to a String cannot fail");
    }
    let direction = if ask.descending { "DESC" } else { "ASC" };
    let column = ask.sorted_by().map(column_name);
    let sorted = column.as_ref().map_or_else(|| format!("id {direction}"), |column| format!("{column} {direction}, id {direction}"));
    let shown = column.map(|column| format!(", {column}")).unwrap_or_default();
    let part = |stretch: &String| {
        format!("SELECT id, position, body{shown} FROM {} WHERE {conditions}{stretch} ORDER BY {sorted} LIMIT {limit}", ask.table.name)
    };
    let parts: Vec<String> = question.stretches(ask).iter().map(part).collect();
    question.sql = match parts.as_slice() {
        [one] => one.clone(),
        several => {
            let several: Vec<_> = several.iter().map(|part| format!("SELECT * FROM ({part})")).collect();
            format!("SELECT * FROM ({}) ORDER BY {sorted} LIMIT {limit}", several.join(" UNION ALL "))
        }
    };
    (question.sql, question.values)
}

impl Question {
    /// What follows the row named by `after`, as conditions that an index can
    /// follow one by one: rows without a value, which sort first, are a stretch
    /// of their own.
    fn stretches(&mut self, ask: &Ask) -> Vec<String> {
        let Some((cell, id)) = &ask.after else { return vec![String::new()] };
        let beyond = if ask.descending { '<' } else { '>' };
        let id = self.value(Value::Text(id.clone()));
        let Some(column) = ask.sorted_by().map(column_name) else { return vec![format!(" AND id {beyond} {id}")] };
        match cell {
            None | Some(Cell::Null) => {
                let mut stretches = vec![format!(" AND {column} IS NULL AND id {beyond} {id}")];
                if !ask.descending {
                    stretches.push(format!(" AND {column} IS NOT NULL"));
                }
                stretches
            }
            Some(cell) => {
                let value = self.cell(cell);
                let mut stretches = vec![format!(" AND ({column}, id) {beyond} ({value}, {id})")];
                if ask.descending {
                    stretches.push(format!(" AND {column} IS NULL"));
                }
                stretches
            }
        }
    }

    fn filter(&mut self, filter: &Filter) -> String {
        match filter {
            Filter::Is(column, cell) => format!("{} IS {}", column_name(column), self.cell(cell)),
            Filter::AtLeast(column, cell) => format!("{} >= {}", column_name(column), self.cell(cell)),
            Filter::Below(column, cell) => format!("{} < {}", column_name(column), self.cell(cell)),
            Filter::In(column, cells) => {
                let marks: Vec<String> = cells.iter().map(|cell| self.cell(cell)).collect();
                format!("{} IN ({})", column_name(column), marks.join(", "))
            }
            Filter::Holds(column, word) => {
                let word = self.value(Value::Text(format!(" {word} ")));
                format!("instr(' ' || {} || ' ', {word}) > 0", column_name(column))
            }
            Filter::Any(filters) => {
                let conditions: Vec<String> = filters.iter().map(|filter| self.filter(filter)).collect();
                if conditions.is_empty() { "FALSE".to_owned() } else { format!("({})", conditions.join(" OR ")) }
            }
            Filter::MovedAfter(position) => format!("position > {}", self.value(Value::Integer(signed(*position)))),
        }
    }

    fn cell(&mut self, cell: &Cell) -> String {
        self.value(match cell {
            Cell::Null => Value::Null,
            Cell::Integer(number) => Value::Integer(*number),
            Cell::Text(text) => Value::Text(text.clone()),
        })
    }

    fn value(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("?{}", self.values.len())
    }
}
