//! Sorting the members of a record into the fields of a table.

use muster_broker::fault::{Fault, FaultName, cut};

use super::descriptor::FieldDescriptor;
use super::face::Source;
use super::record::{Path, Value};

/// What a message has for one field.
pub(crate) enum Found<'s, S> {
    /// Nothing.
    Nothing,
    /// One value.
    One(&'s S),
    /// The values of a field that repeats.
    Several(Vec<&'s S>),
}

/// The members of one record by field, taken out in the order of the table.
pub(crate) struct Fields<'s, 'p, S> {
    path: &'p Path<'p>,
    sorted: std::slice::IterMut<'p, Found<'s, S>>,
}

impl<'s, 'p, S: Source> Fields<'s, 'p, S> {
    /// Sorts. `room` has a place for each field of the table, so that a record of any size is sorted without taking
    /// memory.
    pub(crate) fn of(
        source: &'s S,
        path: &'p Path<'p>,
        table: &[FieldDescriptor],
        room: &'p mut [Found<'s, S>],
    ) -> Result<Self, Fault> {
        source.members(path, |member| {
            let name = member.name;
            let field = table.iter().zip(&mut *room).find(|(field, _)| member.is_ours && field.name == name);
            let Some((field, found)) = field else {
                let at = path.field(name, None).to_string();
                let text = format!("{} is not known here; the schema lists what is", cut(&at));
                return Err(Fault::new(FaultName::InvalidArgument, text).with(&at).with(member.value.quoted()));
            };
            if member.is_left_out {
                return Ok(());
            }
            match found {
                Found::Nothing => *found = Found::One(member.value),
                Found::One(first) if field.cardinality.repeats() => {
                    *found = Found::Several(vec![*first, member.value]);
                }
                Found::Several(all) => all.push(member.value),
                Found::One(_) => {
                    let at = path.field(name, None).to_string();
                    return Err(Fault::invalid(&at, member.value.quoted(), "given more than once"));
                }
            }
            Ok(())
        })?;
        Ok(Self { path, sorted: room.iter_mut() })
    }

    pub(crate) fn one<T: Value>(&mut self, name: &str) -> Result<T, Fault> {
        self.opt(name)?.ok_or_else(|| Fault::missing(&self.path.field(name, None).to_string()))
    }

    pub(crate) fn opt<T: Value>(&mut self, name: &str) -> Result<Option<T>, Fault> {
        match self.sorted.next() {
            Some(Found::One(value)) => T::read(*value, &self.path.field(name, None)).map(Some),
            Some(Found::Nothing | Found::Several(_)) | None => Ok(None),
        }
    }

    pub(crate) fn many<T: Value>(&mut self, name: &str) -> Result<Vec<T>, Fault> {
        let entry = |(index, value): (usize, &S)| T::read(value, &self.path.field(name, Some(index)));
        match self.sorted.next() {
            Some(Found::One(value)) => match value.entries() {
                Ok(None) => Ok(vec![entry((0, *value))?]),
                Ok(Some(entries)) => entries.iter().enumerate().map(entry).collect(),
                Err(why) => Err(Fault::invalid(&self.path.field(name, None).to_string(), value.quoted(), why)),
            },
            Some(Found::Several(values)) => {
                if let Some(list) = values.iter().find(|value| !matches!(value.entries(), Ok(None))) {
                    let at = self.path.field(name, None).to_string();
                    return Err(Fault::invalid(&at, list.quoted(), "given more than once"));
                }
                values.drain(..).enumerate().map(entry).collect()
            }
            Some(Found::Nothing) | None => Ok(Vec::new()),
        }
    }

    pub(crate) fn some<T: Value>(&mut self, name: &str) -> Result<Vec<T>, Fault> {
        let values: Vec<T> = self.many(name)?;
        if values.is_empty() { Err(Fault::missing(&self.path.field(name, None).to_string())) } else { Ok(values) }
    }
}
