//! A question as SQL. Only names that a view declares in the source get into
//! the text, quoted; every value is a parameter.

use std::fmt::Write as _;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres, Row as _};

use super::fault::{signed, unsigned};
use crate::rows::{Ask, Cell, ColumnType, Filter, Row, Table};
use crate::store::StoreError;

/// Rows in the question's order.
pub(super) async fn ask(connection: &mut PgConnection, ask: &Ask) -> Result<Vec<Row>, StoreError> {
    ask.check()?;
    let question = Question::of(ask)?;
    question.bind(sqlx::query(&question.sql)).fetch_all(connection).await?.iter().map(row).collect()
}

/// A row from `id`, `position`, `body`.
pub(super) fn row(row: &PgRow) -> Result<Row, StoreError> {
    Ok(Row { id: row.try_get("id")?, position: unsigned(row.try_get("position")?)?, body: row.try_get("body")? })
}

/// A table's name, quoted; it comes from our own views, but it is no literal.
pub(super) fn quoted(name: &str) -> Result<String, StoreError> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.is_empty() || name.len() > 63 || !name.bytes().all(plain) {
        return Err(StoreError::Corrupt(format!("{name:?} is no name for a table or a column")));
    }
    Ok(format!("\"{name}\""))
}

enum Value {
    Cell(Cell),
    Texts(Vec<String>),
    Integers(Vec<i64>),
}

/// SQL and its parameters.
struct Question<'a> {
    table: &'a Table,
    sql: String,
    values: Vec<Value>,
}

impl<'a> Question<'a> {
    fn of(ask: &'a Ask) -> Result<Self, StoreError> {
        let mut question = Self { table: &ask.table, sql: String::new(), values: Vec::new() };
        let whose = [Cell::Text(ask.organisation.to_string()), Cell::Integer(ask.generation)].map(|cell| question.value(Value::Cell(cell)));
        let mut conditions = format!("organisation = {}::uuid AND generation = {}", whose[0], whose[1]);
        for filter in &ask.filters {
            let condition = question.filter(filter)?;
            let _ = write!(conditions, " AND {condition}");
        }
        let order = ask.sorted_by().map(|name| question.column(name)).transpose()?;
        let direction = if ask.descending { "DESC NULLS LAST" } else { "ASC NULLS FIRST" };
        let id = if ask.descending { "id DESC" } else { "id" };
        let sorted = order.as_ref().map_or_else(|| id.to_owned(), |(column, _)| format!("{column} {direction}, {id}"));
        let limit = question.value(Value::Cell(Cell::Integer(i64::from(ask.limit))));
        let (table, shown) = (quoted(&ask.table.name)?, order.map_or_else(String::new, |(column, _)| format!(", {column}")));
        let parts: Vec<String> = question
            .segments(ask)?
            .iter()
            .map(|segment| {
                format!("(SELECT id, position, body{shown} FROM {table} WHERE {conditions}{segment} ORDER BY {sorted} LIMIT {limit})")
            })
            .collect();
        question.sql = match parts.as_slice() {
            [one] => one.clone(),
            several => format!("SELECT * FROM ({}) AS parts ORDER BY {sorted} LIMIT {limit}", several.join(" UNION ALL ")),
        };
        Ok(question)
    }

    /// What follows the row named by `after`, as conditions that an index can
    /// follow one by one: rows without a value are a stretch of their own.
    fn segments(&mut self, ask: &Ask) -> Result<Vec<String>, StoreError> {
        let Some((cell, id)) = &ask.after else { return Ok(vec![String::new()]) };
        let beyond = if ask.descending { '<' } else { '>' };
        let id = self.value(Value::Cell(Cell::Text(id.clone())));
        let Some(name) = ask.sorted_by() else { return Ok(vec![format!(" AND id {beyond} {id}")]) };
        let (column, holds) = self.column(name)?;
        let among_null = format!(" AND {column} IS NULL AND id {beyond} {id}");
        match cell {
            None | Some(Cell::Null) if ask.descending => Ok(vec![among_null]),
            None | Some(Cell::Null) => Ok(vec![among_null, format!(" AND {column} IS NOT NULL")]),
            Some(cell) => {
                let value = self.cell(cell, holds);
                let mut segments = vec![format!(" AND ({column}, id) {beyond} ({value}, {id})")];
                if ask.descending {
                    segments.push(format!(" AND {column} IS NULL"));
                }
                Ok(segments)
            }
        }
    }

    fn filter(&mut self, filter: &Filter) -> Result<String, StoreError> {
        match filter {
            Filter::Is(name, Cell::Null) => Ok(format!("{} IS NULL", self.column(name)?.0)),
            Filter::Is(name, cell) => self.compared(name, "=", cell),
            Filter::AtLeast(name, cell) => self.compared(name, ">=", cell),
            Filter::Below(name, cell) => self.compared(name, "<", cell),
            Filter::In(name, cells) => self.one_of(name, cells),
            Filter::Holds(name, word) => {
                let word = self.value(Value::Cell(Cell::Text(format!(" {word} "))));
                Ok(format!("position({word} in ' ' || {} || ' ') > 0", self.column(name)?.0))
            }
            Filter::Any(filters) => {
                let conditions = filters.iter().map(|filter| self.filter(filter)).collect::<Result<Vec<_>, _>>()?;
                Ok(if conditions.is_empty() { "FALSE".to_owned() } else { format!("({})", conditions.join(" OR ")) })
            }
            Filter::MovedAfter(position) => {
                let position = self.value(Value::Cell(Cell::Integer(signed(*position))));
                Ok(format!("position > {position}"))
            }
        }
    }

    fn compared(&mut self, name: &str, operator: &str, cell: &Cell) -> Result<String, StoreError> {
        let (column, holds) = self.column(name)?;
        let value = self.cell(cell, holds);
        Ok(format!("{column} {operator} {value}"))
    }

    fn one_of(&mut self, name: &str, cells: &[Cell]) -> Result<String, StoreError> {
        let (column, holds) = self.column(name)?;
        let values = match holds {
            ColumnType::Text | ColumnType::Words => Value::Texts(cells.iter().filter_map(Cell::text).map(str::to_owned).collect()),
            ColumnType::Integer => Value::Integers(cells.iter().filter_map(Cell::integer).collect()),
        };
        let values = self.value(values);
        Ok(format!("{column} = ANY({values})"))
    }

    /// The column of this name, quoted, and what it holds.
    fn column(&self, name: &str) -> Result<(String, ColumnType), StoreError> {
        Ok((quoted(name)?, self.table.holds(name)?))
    }

    /// A cell as parameter; compared with nothing, nothing matches.
    fn cell(&mut self, cell: &Cell, holds: ColumnType) -> String {
        match (cell, holds) {
            (Cell::Null, ColumnType::Text | ColumnType::Words) => "NULL::text".to_owned(),
            (Cell::Null, ColumnType::Integer) => "NULL::bigint".to_owned(),
            (Cell::Text(_) | Cell::Integer(_), _) => self.value(Value::Cell(cell.clone())),
        }
    }

    fn value(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    fn bind<'q>(&'q self, mut query: Query<'q, Postgres, PgArguments>) -> Query<'q, Postgres, PgArguments> {
        for value in &self.values {
            query = match value {
                Value::Cell(Cell::Null) => query.bind(None::<String>),
                Value::Cell(Cell::Integer(number)) => query.bind(number),
                Value::Cell(Cell::Text(text)) => query.bind(text),
                Value::Texts(texts) => query.bind(texts),
                Value::Integers(numbers) => query.bind(numbers),
            };
        }
        query
    }
}
