//! What can be done to a value and to bytes: each change at each place, and its name.

use ciborium::Value;

/// One step down into a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Value of the map's entry.
    Entry(usize),
    /// Item of the array.
    Item(usize),
}

/// What is done to a field.
pub(super) const FIELD_CHANGES: [&str; 5] =
    ["changed", "removed", "duplicated", "reordered", "replayed"];
/// What is done to a byte.
pub(super) const BYTE_CHANGES: [&str; 6] =
    ["bit", "zero", "ones", "removed", "duplicated", "reordered"];

/// Returns the way to every field, containers included.
pub(super) fn fields(value: &Value) -> Vec<Vec<Step>> {
    let mut found = Vec::new();
    let mut open: Vec<Vec<Step>> = vec![vec![]];
    while let Some(way) = open.pop() {
        let steps: Vec<Step> = match at(value, &way).unwrap() {
            Value::Map(entries) => (0..entries.len()).map(Step::Entry).collect(),
            Value::Array(items) => (0..items.len()).map(Step::Item).collect(),
            _ => vec![],
        };
        open.extend(steps.iter().map(|step| [way.as_slice(), &[*step]].concat()));
        if !way.is_empty() {
            found.push(way);
        }
    }
    found
}

/// Returns the field there, if the way leads anywhere.
pub(super) fn at<'a>(value: &'a Value, way: &[Step]) -> Option<&'a Value> {
    way.iter().try_fold(value, |value, step| match (value, step) {
        (Value::Map(entries), Step::Entry(index)) => entries.get(*index).map(|(_, value)| value),
        (Value::Array(items), Step::Item(index)) => items.get(*index),
        _ => None,
    })
}

fn at_mut<'a>(value: &'a mut Value, way: &[Step]) -> &'a mut Value {
    way.iter().fold(value, |value, step| match (value, step) {
        (Value::Map(entries), Step::Entry(index)) => &mut entries[*index].1,
        (Value::Array(items), Step::Item(index)) => &mut items[*index],
        _ => panic!("no such way"),
    })
}

fn another(value: &Value) -> Value {
    match value {
        Value::Integer(number) => Value::Integer((i128::from(*number) ^ 1).try_into().unwrap()),
        Value::Bytes(bytes) => {
            let mut bytes = bytes.clone();
            bytes.first_mut().map_or_else(|| panic!("no byte"), |byte| *byte ^= 1);
            Value::Bytes(bytes)
        }
        Value::Text(text) => Value::Text(format!("{text}x")),
        Value::Bool(truth) => Value::Bool(!truth),
        Value::Null => Value::Integer(0.into()),
        Value::Array(items) => Value::Array([items.as_slice(), &[Value::Null]].concat()),
        Value::Map(entries) => {
            let more = (Value::Text("zzz".into()), Value::Null);
            Value::Map([entries.as_slice(), &[more]].concat())
        }
        other => panic!("{other:?}"),
    }
}

/// Does `how` to the field; `None` if that would leave everything as it is. `older` is a value
/// of the same shape to take a field from.
pub(super) fn field(value: &Value, way: &[Step], how: &str, older: &Value) -> Option<Value> {
    let mut changed = value.clone();
    let (last, parent) = way.split_last().unwrap();
    match how {
        "changed" => *at_mut(&mut changed, way) = another(at(value, way)?),
        "replayed" => *at_mut(&mut changed, way) = at(older, way)?.clone(),
        _ => match (at_mut(&mut changed, parent), last) {
            (Value::Map(entries), Step::Entry(index)) => reshape(entries, *index, how)?,
            (Value::Array(items), Step::Item(index)) => reshape(items, *index, how)?,
            _ => return None,
        },
    }
    (changed != *value).then_some(changed)
}

fn reshape<T: Clone>(items: &mut Vec<T>, index: usize, how: &str) -> Option<()> {
    match how {
        "removed" => drop(items.remove(index)),
        "duplicated" => items.insert(index, items[index].clone()),
        _ if index + 1 < items.len() => items.swap(index, index + 1),
        _ => return None,
    }
    Some(())
}

/// Does `how` to the byte at `place`; `None` if that would leave everything as it is.
pub(super) fn byte(bytes: &[u8], place: usize, how: &str) -> Option<Vec<u8>> {
    let mut changed = bytes.to_vec();
    match how {
        "bit" => changed[place] ^= 1,
        "zero" => changed[place] = 0,
        "ones" => changed[place] = 0xff,
        "removed" => drop(changed.remove(place)),
        "duplicated" => changed.insert(place, bytes[place]),
        _ if place + 1 < bytes.len() => changed.swap(place, place + 1),
        _ => return None,
    }
    (changed != bytes).then_some(changed)
}

/// Returns a place of every class: for a signed object its heads, header, payload and both halves
/// of the signature; for others the two ends and the middle.
pub(super) fn places(path: &str, bytes: &[u8]) -> Vec<usize> {
    let end = bytes.len() - 1;
    let mut places = vec![0, end / 2, end];
    if path.ends_with(".cose") {
        // Array, header's head, header, key id, unprotected, payload's head, payload; R, S.
        places.extend([
            1,
            2,
            4,
            7,
            15,
            16,
            17,
            24,
            end - 66,
            end - 64,
            end - 63,
            end - 32,
            end - 31,
        ]);
    }
    places.sort_unstable();
    places.dedup();
    places
}
