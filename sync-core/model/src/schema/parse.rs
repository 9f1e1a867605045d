//! Reads schema texts: one definition a line, types defined before they are used.

use std::collections::BTreeMap;

use super::{Schema, SchemaError, Shape, hash};

/// Deepest nesting of a type, so that a text cannot exhaust the stack.
const DEPTH_MAX: usize = 16;

/// Returns the schemas of a text.
pub(super) fn schemas(version: u32, text: &str) -> Result<Vec<Schema>, SchemaError> {
    let mut types = BTreeMap::new();
    let (mut envelope, mut found) = (None, Vec::new());
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        let wrong = |what: String| SchemaError { line: number, what };
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (word, rest) = line.split_once(' ').ok_or_else(|| wrong("no definition".into()))?;
        if word == "envelope" {
            envelope = Some(whole(rest, &types).map_err(wrong)?.canonical());
            continue;
        }
        let (name, rest) = rest.split_once(" = ").ok_or_else(|| wrong("no name".into()))?;
        let shape = whole(rest, &types).map_err(wrong)?;
        match word {
            "type" => {
                types.insert(name.to_owned(), shape);
            }
            "act" => {
                let envelope = envelope.as_deref().ok_or_else(|| wrong("no envelope".into()))?;
                found.push(Schema {
                    version,
                    kind: name.to_owned(),
                    hash: hash(envelope, name, &shape.canonical()),
                    body: shape,
                });
            }
            _ => return Err(wrong(format!("{word} is no definition"))),
        }
    }
    Ok(found)
}

type Types = BTreeMap<String, Shape>;

fn whole(text: &str, types: &Types) -> Result<Shape, String> {
    let mut cursor = Cursor { rest: text, types };
    let shape = cursor.shape(0)?;
    if cursor.rest.trim().is_empty() { Ok(shape) } else { Err(format!("left: {}", cursor.rest)) }
}

struct Cursor<'a> {
    rest: &'a str,
    types: &'a Types,
}

impl<'a> Cursor<'a> {
    /// Takes `sign` if it comes next.
    fn take(&mut self, sign: char) -> bool {
        let rest = self.rest.trim_start();
        let after = rest.strip_prefix(sign);
        self.rest = after.unwrap_or(rest);
        after.is_some()
    }

    fn want(&mut self, sign: char) -> Result<(), String> {
        if self.take(sign) { Ok(()) } else { Err(format!("{sign} wanted before: {}", self.rest)) }
    }

    fn word(&mut self) -> Result<&'a str, String> {
        let rest = self.rest.trim_start();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let (word, after) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or_default();
        self.rest = after;
        if word.is_empty() { Err(format!("a name wanted before: {rest}")) } else { Ok(word) }
    }

    /// Reads a list of `one` up to `end`.
    fn list<T>(
        &mut self,
        end: char,
        mut one: impl FnMut(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let mut items = vec![one(self)?];
        while self.take(',') {
            items.push(one(self)?);
        }
        self.want(end)?;
        Ok(items)
    }

    fn shape(&mut self, depth: usize) -> Result<Shape, String> {
        if depth > DEPTH_MAX {
            return Err("nested too deep".to_owned());
        }
        let inner = depth.saturating_add(1);
        if self.take('?') {
            return Ok(Shape::Maybe(Box::new(self.shape(inner)?)));
        }
        if self.take('[') {
            let shape = self.shape(inner)?;
            self.want(']')?;
            return Ok(Shape::List(Box::new(shape)));
        }
        if self.take('(') {
            return self.list(')', |cursor| cursor.shape(inner)).map(Shape::Tuple);
        }
        if self.take('{') {
            let mut fields = self.list('}', |cursor| {
                let name = cursor.word()?.to_owned();
                cursor.want(':')?;
                Ok((name, cursor.shape(inner)?))
            })?;
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            return unique(fields).map(Shape::Map);
        }
        let word = self.word()?;
        if word == "one_of" {
            self.want('(')?;
            let mut variants = self.list(')', |cursor| {
                let name = cursor.word()?.to_owned();
                let shape = if cursor.take(':') { Some(cursor.shape(inner)?) } else { None };
                Ok((name, shape))
            })?;
            variants.sort_by(|a, b| a.0.cmp(&b.0));
            return unique(variants).map(Shape::OneOf);
        }
        match word {
            "bool" => Ok(Shape::Bool),
            "uint" => Ok(Shape::Uint),
            "int" => Ok(Shape::Int),
            "text" => Ok(Shape::Text),
            "bytes" => Ok(Shape::Bytes),
            "hash" => Ok(Shape::Fixed(32)),
            "id" => Ok(Shape::Fixed(16)),
            name => self.types.get(name).cloned().ok_or_else(|| format!("{name} is not defined")),
        }
    }
}

fn unique<T>(named: Vec<(String, T)>) -> Result<Vec<(String, T)>, String> {
    let twice = named.windows(2).find(|pair| matches!(pair, [a, b] if a.0 == b.0));
    match twice.and_then(|pair| pair.first()) {
        Some((name, _)) => Err(format!("{name} stands twice")),
        None => Ok(named),
    }
}
