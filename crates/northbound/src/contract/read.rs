//! Sorting the children of an element into the fields of a table.

use std::vec::IntoIter;

use muster_broker::fault::{Fault, FaultName};
use muster_protocol::xml::element::{Element, XSI};

use super::descriptor::FieldDescriptor;
use super::record::{Path, Value};

/// The children of one element by field, taken out in the order of the table.
pub(crate) struct Fields<'e, 'p> {
    path: &'p Path<'p>,
    sorted: IntoIter<Vec<&'e Element>>,
}

impl<'e, 'p> Fields<'e, 'p> {
    /// Sorts. `xsi:nil` counts as left out.
    pub(crate) fn of(element: &'e Element, path: &'p Path<'p>, table: &[FieldDescriptor]) -> Result<Self, Fault> {
        if !element.text.trim().is_empty() {
            return Err(Fault::invalid(&path.to_string(), element.text.trim(), "text where elements are expected"));
        }
        let mut sorted = vec![Vec::new(); table.len()];
        for child in &element.children {
            let name = child.name.local.as_str();
            let is_ours = child.name.namespace.as_deref().is_none_or(|namespace| namespace == super::NAMESPACE);
            let field = table.iter().zip(&mut sorted).find(|(field, _)| is_ours && field.name == name);
            let Some((field, found)) = field else {
                return Err(Fault::new(
                    FaultName::InvalidArgument,
                    format!("{} is not known here; the schema lists what is", path.field(name, None)),
                )
                .with(path.field(name, None))
                .with(&child.text));
            };
            if is_nil(child) {
                continue;
            }
            if !found.is_empty() && !field.cardinality.repeats() {
                return Err(Fault::invalid(&path.field(name, None).to_string(), &child.text, "given more than once"));
            }
            found.push(child);
        }
        Ok(Self { path, sorted: sorted.into_iter() })
    }

    pub(crate) fn one<T: Value>(&mut self, name: &str) -> Result<T, Fault> {
        self.opt(name)?.ok_or_else(|| Fault::missing(&self.path.field(name, None).to_string()))
    }

    pub(crate) fn opt<T: Value>(&mut self, name: &str) -> Result<Option<T>, Fault> {
        let found = self.sorted.next().unwrap_or_default();
        found.first().map(|element| T::read(element, &self.path.field(name, None))).transpose()
    }

    pub(crate) fn many<T: Value>(&mut self, name: &str) -> Result<Vec<T>, Fault> {
        let found = self.sorted.next().unwrap_or_default();
        found
            .into_iter()
            .enumerate()
            .map(|(index, element)| T::read(element, &self.path.field(name, Some(index))))
            .collect()
    }

    pub(crate) fn some<T: Value>(&mut self, name: &str) -> Result<Vec<T>, Fault> {
        let values: Vec<T> = self.many(name)?;
        if values.is_empty() { Err(Fault::missing(&self.path.field(name, None).to_string())) } else { Ok(values) }
    }
}

fn is_nil(element: &Element) -> bool {
    element.attribute(XSI, "nil").is_some_and(|value| matches!(value.trim(), "true" | "1"))
}
